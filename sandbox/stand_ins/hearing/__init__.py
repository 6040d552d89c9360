"""Speech recognition for all stand-ins, and what follows from words by rules.

Start at `speech`, the engine. `language` derives sentiment, topics and the like. Nothing is canned: the dial `scripted`
looks words up by their sound (`script`, `fingerprint`), and what it does not know is really recognised.
"""
