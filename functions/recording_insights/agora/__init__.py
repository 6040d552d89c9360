"""Agora Cloud Recording: calls, answers, names of files, tokens and notifications.

Knows Agora and nothing of our own rows or requests. Start at `client`.
"""
