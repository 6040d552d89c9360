"""Speech recognition for all vendors' stand-ins, and what can be derived from words by rules."""
