"""The edge of the HTTP API: requests in, JSON and problem documents out."""
