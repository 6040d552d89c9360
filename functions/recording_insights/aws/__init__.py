"""AWS as the domain uses it: clients, secrets, and one module per bucket."""
