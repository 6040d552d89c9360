"""Probe of a media object: whether it is media, and how long it is. Start at `duration`.

Each other module reads one family of formats. Nothing outside of this package imports them.
"""
