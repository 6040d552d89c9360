"""`make demo`: one recording through the whole stack, shown in the terminal.

Start at `follow_recording`. `recording_plan` is what to record, the other modules are what is shown of it.
"""
