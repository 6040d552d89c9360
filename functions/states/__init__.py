"""States of the two state machines, one Lambda function per file, named after the state."""
