"""Stand-in for Marsview.

Start at `server`, which has the routes. `rules` is what it accepts, `models` what it computes.
"""
