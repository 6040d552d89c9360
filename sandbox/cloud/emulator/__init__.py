"""The emulator's process: ministack, corrected where its answers differ from AWS.

Start at `corrections`. `transcribe` corrects Amazon Transcribe, by the rules in `transcribe_rules`.
`evaluations` records what expressions became, for `make lint-cloud`.
"""
