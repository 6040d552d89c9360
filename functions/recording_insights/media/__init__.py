"""Media files and tracks that arrive in the recordings bucket, and their executions. Start at `intake`."""
