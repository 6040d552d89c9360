"""Where the sample conversation is."""

from pathlib import Path

SAMPLE = Path(__file__).with_name("conversation.mp4")
"""An MP4 with AAC audio: a call of 48 seconds between an agent and a caller."""
