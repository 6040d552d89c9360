"""Stand-in for symbl. Start at `server`, which has the routes."""
