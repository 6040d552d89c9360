"""Retries: processing what failed again, one recording or many, and taking objects that never arrived."""
