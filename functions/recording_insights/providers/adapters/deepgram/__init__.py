"""Deepgram: `calls` is the adapter, `reading` normalises its replies."""
