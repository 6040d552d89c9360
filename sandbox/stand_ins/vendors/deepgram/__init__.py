"""Stand-in for deepgram. Start at `server`, which has the routes."""
