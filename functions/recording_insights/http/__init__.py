"""The HTTP API: it reads requests, and writes JSON responses and problem documents."""
