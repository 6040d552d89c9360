"""The state machine that processes a recording: one module per state, and the rules that they share.

An operator's brakes act on it: `providers` pauses a provider, `cancel_recording` ends waits.
"""
