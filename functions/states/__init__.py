"""The tasks of the two state machines: one Lambda function for each file, named after the state."""
