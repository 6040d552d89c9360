"""Agora Cloud Recording: calls, answers, file names, tokens, upload credentials and notifications.

Knows Agora, and nothing of our own rows, requests or settings. Imports only errors, deadline, redaction and validation.
Start at `client`.
"""
