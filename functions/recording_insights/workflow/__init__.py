"""What the states of both state machines do: one module per state, named after it."""
