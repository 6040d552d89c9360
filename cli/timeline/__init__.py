"""The timeline of a recording: its steps, from its row and from the histories of Step Functions.

Start at `follow`. The commands that wait and the demo show it.
"""
