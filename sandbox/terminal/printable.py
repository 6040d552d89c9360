"""Text from outside, for a terminal: what a vendor, a caller or a speaker wrote must not control it."""

from recording_insights.redaction import without_controls


def printable(text: object) -> str:
    """Return the text without characters that control a terminal or the direction of writing."""
    return without_controls(str(text))
