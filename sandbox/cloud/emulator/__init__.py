"""The emulator's process: ministack, corrected where its answers differ from AWS.

Start at `corrections`, which lists the other modules. `transcribe` has its rules in `transcribe_rules`.
`evaluations` records what expressions became, for `make lint-cloud`.
"""
