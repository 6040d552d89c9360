"""What arrives in the recordings bucket: media files and tracks. Start at `intake`."""
