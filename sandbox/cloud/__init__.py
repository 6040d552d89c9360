"""The local stack: an emulator of AWS, the stack deployed to it, and the processes of both.

Start at `lifecycle`, which brings the stack up and down. `local_stack` is how a program calls a stack that runs.
`emulator` is a process of its own: ministack with corrections.
"""
