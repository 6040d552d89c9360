"""Stand-in for ringcentral. Start at `server`, which has the routes."""
