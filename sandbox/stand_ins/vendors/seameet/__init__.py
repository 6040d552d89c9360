"""Stand-in for SeaMeet.

Start at `server`, which has the routes. `rules` is what it accepts, `analysis` what it finds.
"""
