"""What an operator runs against a deployed stage."""
