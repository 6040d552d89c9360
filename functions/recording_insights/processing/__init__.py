"""The state machine "process recording": one module per state, and the rules they share."""
