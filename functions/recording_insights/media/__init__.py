"""Arrival of media objects and tracks in the recordings bucket. Start at `intake`."""
