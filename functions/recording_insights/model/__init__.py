"""Nouns and pure rules: media objects, tries, insights, parts, status. No I/O."""
