"""AWS for the domain: clients, secrets, and one module for each bucket. Nothing is opened at import."""
