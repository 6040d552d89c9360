"""The state machine that processes a recording: one module per state, and the rules that they share."""
