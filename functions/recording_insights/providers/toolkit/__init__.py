"""What adapters share: HTTP, authentication, JSON, values, AWS errors."""
