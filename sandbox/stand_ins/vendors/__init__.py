"""Stand-ins for the conversation-insight vendors, a package each.

Start at `vendor`, which says what each one declares. `registry` finds them.
"""
