"""Agora, Bedrock and the conversation-insight vendors as one strict Flask process on loopback.

Start at `app`. Imports only go down:

agora, bedrock, vendors   the vendors' APIs, each under its own path
hearing          speech recognition, and what follows from words by rules
runtime          what all share: dials, ledger, calls, jobs
customer         how a vendor reaches its customer: bucket, webhook, media link
"""
