"""Length of Ogg files (Opus, Vorbis, FLAC, Speex) from the position in their last page.

Source: https://www.rfc-editor.org/rfc/rfc3533
"""

import struct

from recording_insights.media.probe.flac import stream_info
from recording_insights.media.probe.ranged_object import BLOCK, RangedObject

_LONGEST_PAGE = 65_307
_NO_PACKET_ENDS = 0xFFFFFFFFFFFFFFFF


def ogg_seconds(media: RangedObject) -> float | None:
    """Return the length in seconds; None if it cannot be known. The object begins with OggS."""
    sound = _first_sound(media)
    if sound is None:
        return None
    serial, rate, skipped = sound
    tail = media.read(max(media.size - 2 * _LONGEST_PAGE, 0), 2 * _LONGEST_PAGE)
    position = _last_position(tail, serial)
    return None if position is None else (position - skipped) / rate


def _last_position(tail: bytes, serial: int) -> int | None:
    """Return the position, in samples, at the end of the last whole page of a stream."""
    at = tail.rfind(b"OggS")
    while at >= 0:
        sizes_at = at + 27
        if sizes_at <= len(tail):
            position, of_stream = struct.unpack_from("<QI", tail, at + 6)
            end = sizes_at + tail[at + 26] + sum(tail[sizes_at : sizes_at + tail[at + 26]])
            if of_stream == serial and position != _NO_PACKET_ENDS and end <= len(tail):
                return int(position)
        at = tail.rfind(b"OggS", 0, at)
    return None


def _first_sound(media: RangedObject) -> tuple[int, int, int] | None:
    """Return serial number, samples a second and samples to skip of the first audio stream."""
    head = media.read(0, BLOCK)
    at = 0
    while head[at : at + 4] == b"OggS" and at + 27 <= len(head) and head[at + 5] & 2:
        packet = at + 27 + head[at + 26]
        serial = struct.unpack_from("<I", head, at + 14)[0]
        if head.startswith(b"OpusHead", packet):
            return serial, 48_000, struct.unpack_from("<H", head, packet + 10)[0]
        if head.startswith(b"\x01vorbis", packet):
            return serial, struct.unpack_from("<I", head, packet + 12)[0], 0
        if head.startswith(b"Speex   ", packet):
            return serial, struct.unpack_from("<I", head, packet + 36)[0], 0
        if head.startswith(b"\x7fFLAC", packet):
            return serial, stream_info(head, packet + 17).rate, 0
        at = packet + sum(head[at + 27 : packet])
    return None
