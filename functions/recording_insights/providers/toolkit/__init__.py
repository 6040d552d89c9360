"""Tools that the adapters share: HTTP, authentication, JSON, values, calls to AWS."""
