"""Stand-in for Agora Cloud Recording. Start at `server`, which has the routes."""
