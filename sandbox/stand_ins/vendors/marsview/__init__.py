"""Stand-in for marsview. Start at `server`, which has the routes."""
