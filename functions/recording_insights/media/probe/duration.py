"""Probe of a media object: whether it is media, and how long it is, without reading all of it.

Headers are believed as far as the object can hold what they claim. A length that cannot be known is None: providers
are chosen by the length, so a wrong one is worse than none.
"""

import struct

from recording_insights.errors import NotMedia
from recording_insights.media.probe.asf import HEADER as ASF_HEADER
from recording_insights.media.probe.asf import asf_seconds
from recording_insights.media.probe.chunks import aiff_seconds, wav_seconds
from recording_insights.media.probe.flac import flac_seconds
from recording_insights.media.probe.matroska import HEADER as MATROSKA_HEADER
from recording_insights.media.probe.matroska import matroska_seconds
from recording_insights.media.probe.mp4 import FIRST_BOXES, mp4_seconds
from recording_insights.media.probe.mpeg_audio import mpeg_seconds
from recording_insights.media.probe.not_media import what_else
from recording_insights.media.probe.ogg import ogg_seconds
from recording_insights.media.probe.ranged_object import BLOCK, RangedObject, RangeReader, ReadLimit

LEAST_BYTES_PER_SECOND = 10
"""No sound takes less: silence in the thriftiest codec takes more."""
_UNREAD = (b"RIFF", b"riff", b"caff", b".snd", b"FORM")
"""Media whose length is not read: AVI, Wave64, CAF, AU, other IFF."""
_SYNC = 0x47
_TS_PACKET = 188


def media_duration_ms(read_range: RangeReader, size: int) -> int | None:
    """Return the length in ms; None if it cannot be known, also for media of a format that is not recognised.

    Reads the object by 8 ranged GETs at most. `size` is in bytes.

    Raises:
        NotMedia: the object is recognised as something else.
        Exception: an error of S3, unchanged.
    """
    media = RangedObject(read_range, size)
    if other := what_else(media.read(0, BLOCK)):
        raise NotMedia(f"the object is {other}, not media")
    try:
        seconds = _seconds(media)
    except (ReadLimit, struct.error, ArithmeticError):
        return None
    if seconds is None or not 0 < seconds * LEAST_BYTES_PER_SECOND <= size:
        return None
    return round(seconds * 1000)


def _seconds(media: RangedObject) -> float | None:
    head = media.read(0, 16)
    if head[4:8] in FIRST_BOXES:
        return mp4_seconds(media)
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return wav_seconds(media)
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return aiff_seconds(media)
    if head.startswith(b"OggS"):
        return ogg_seconds(media)
    if head.startswith(ASF_HEADER):
        return asf_seconds(media)
    if head.startswith(MATROSKA_HEADER):
        return matroska_seconds(media)
    if head.startswith(_UNREAD) or _is_transport_stream(media.read(0, 3 * _TS_PACKET)):
        return None
    at = _after_tags(media)
    return flac_seconds(media, at) if media.read(at, 4) == b"fLaC" else mpeg_seconds(media, at)


def _after_tags(media: RangedObject) -> int:
    """Return the offset after the ID3 tags: some programs put a second one in front of the first."""
    at = 0
    while (header := media.read(at, 10)).startswith(b"ID3") and len(header) == 10:
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        has_footer = header[5] & 0x10
        at += 10 + size + (10 if has_footer else 0)
    return at


def _is_transport_stream(head: bytes) -> bool:
    return len(head) > 2 * _TS_PACKET and all(byte == _SYNC for byte in head[::_TS_PACKET][:3])
