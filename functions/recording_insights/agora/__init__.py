"""Agora Cloud Recording: the recorder that joins a channel and writes to our bucket."""
