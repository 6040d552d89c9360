"""Stand-in for assemblyai. Start at `server`, which has the routes."""
