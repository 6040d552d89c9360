"""Agora and the insight vendors as one strict Flask process on loopback."""
