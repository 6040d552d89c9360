"""Stand-in for seameet. Start at `server`, which has the routes."""
