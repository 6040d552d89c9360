"""Conversation-insight providers behind one port. Start at `port`; `registry` lists them."""
