"""What the states of the workflow do: one module per state, named after it."""
