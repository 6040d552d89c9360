"""Stand-in for AssemblyAI.

Start at `server`, which has the routes. `rules` is what it accepts, `results` what it finds.
"""
