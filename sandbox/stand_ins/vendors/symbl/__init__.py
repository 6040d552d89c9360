"""Stand-in for Symbl.ai.

Start at `server`, which has the routes. `rules` is what it accepts, `results` what it finds.
"""
