"""Stand-in for Amazon Transcribe.

Start at `server`, which has the routes. `cloud` calls the local cloud behind it, `document` is the transcript's shape.
"""
