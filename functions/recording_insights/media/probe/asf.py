"""Length of ASF files (WMA, WMV) from the file properties.

Source: https://learn.microsoft.com/windows/win32/wmformat/file-properties-object
"""

from recording_insights.media.probe.ranged_object import BLOCK, RangedObject

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_BROADCAST = 1
"""Flag of a file that was written as a stream: its length is not known."""


def asf_seconds(media: RangedObject) -> float | None:
    """Return the length in seconds; None if it cannot be known, or if the object is cut off."""
    at = media.read(0, BLOCK).find(_PROPERTIES)
    if at < 0:
        return None
    claimed_size = media.unpack("<Q", at + 40)[0]
    length, _, preroll_ms, flags = media.unpack("<QQQI", at + 64)
    if flags & _BROADCAST or claimed_size > media.size:
        return None
    return float(length / 1e7 - preroll_ms / 1000)
