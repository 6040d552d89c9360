"""Take in history: media that lies in the recordings bucket and was never processed.

`stored` reads the bucket, `intake` is the stage's API as far as it is needed, `plan` finds out what is new, `estimate`
says what it costs, and `run` admits it. The state is in the stage alone, so a run may be killed and started again.
"""
