"""The command `recordings`: what developers and operators do with a stage, from a shell.

A command takes its arguments apart, calls one function and shows the answer. What it does to a stage is in
`operations`, and what the API can do it asks the API for. `cli.app.main` is the entry point.
"""
