"""Nouns and pure rules: media objects, insights, parts, status. No I/O."""
