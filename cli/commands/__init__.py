"""The commands, one module for each subject. A command is `(session, …) -> Answer`."""
