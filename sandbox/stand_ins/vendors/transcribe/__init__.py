"""Stand-in for transcribe. Start at `server`, which has the routes."""
