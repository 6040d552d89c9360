"""The project's own CDK command line, run on one stage. `command_line.py` finds it; the sandbox uses it as well."""
