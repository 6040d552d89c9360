"""Conversation-insight providers behind one port."""
