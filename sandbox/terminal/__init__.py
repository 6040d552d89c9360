"""Progress in the terminal: phases of a long command, and the steps of an execution."""
