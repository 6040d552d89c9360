"""The state machine "watch recording": one module per state, and what they share."""
