"""Length of files that consist of chunks: WAV (RIFF, RF64, BW64) and AIFF.

Samples end where the object ends, whatever the header claims. A program that writes to a pipe cannot return to the
header, and a file may be cut off.
Source: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
"""

from collections.abc import Iterator

from recording_insights.media.probe.ranged_object import RangedObject

_CONSTANT = {1, 3, 6, 7}
"""Formats in which every sample has the same size: PCM, float, A-law, mu-law."""
_EXTENSIBLE = 0xFFFE
_WRITTEN_TO_A_PIPE = 0x7FFFF000
"""Programs that do not know the number of bytes write this number, or a higher one."""
_SAME_SIZE_IN_AIFC = {b"NONE", b"sowt", b"twos", b"fl32", b"FL32", b"alaw", b"ulaw", b"ALAW", b"ULAW"}


def wav_seconds(media: RangedObject) -> float | None:
    """Return the length in seconds; None if it cannot be known. The object begins with RIFF, RF64 or BW64."""
    fmt = samples = data_64 = None
    for name, at, claimed in _chunks(media, "<"):
        if name == b"ds64":
            data_64 = media.unpack("<Q", at + 8)[0]
        elif name == b"fmt ":
            fmt = at
        elif name == b"fact":
            samples = media.unpack("<I", at)[0]
        elif name == b"data":
            claimed = data_64 if data_64 and claimed == 0xFFFFFFFF else claimed
            return None if fmt is None else _wav_seconds(media, fmt, samples, claimed, media.size - at)
    return None


def _wav_seconds(media: RangedObject, fmt: int, samples: int | None, claimed: int, held: int) -> float | None:
    """Return the length of `held` bytes to the end of the object, of which the header claims `claimed` as samples."""
    kind, _, rate, _, block = media.unpack("<HHIIH", fmt)
    if kind == _EXTENSIBLE:
        kind = media.unpack("<H", fmt + 24)[0]
    # 32 bits cannot hold the number of bytes of more than 4 GB.
    unknown = claimed == 0 or _WRITTEN_TO_A_PIPE <= claimed < 1 << 32 or (claimed < 1 << 32 <= held)
    believed = not unknown and claimed <= held
    if kind in _CONSTANT:
        return float((claimed if believed else held) // block / rate)
    return samples / rate if samples and believed else None


def aiff_seconds(media: RangedObject) -> float | None:
    """Return the length in seconds; None if it cannot be known. The object begins with FORM."""
    common = None
    for name, at, size in _chunks(media, ">"):
        if name == b"COMM":
            common = (at, size)
        elif name == b"SSND" and common:
            return _aiff_seconds(media, *common, held=media.size - at - 8)
    return None


def _aiff_seconds(media: RangedObject, common: int, size: int, held: int) -> float | None:
    channels, frames, bits, exponent, mantissa = media.unpack(">HIHHQ", common)
    rate = mantissa * 2.0 ** (exponent - 16383 - 63)
    codec = media.read(common + 18, 4) if size > 18 else b"NONE"
    if codec in _SAME_SIZE_IN_AIFC:
        width = 1 if codec.lower() in (b"alaw", b"ulaw") else (bits + 7) // 8
        # AIFF has no number for "not known" but 0 and the highest ones.
        frames = min(frames or held, held // (channels * width))
    return float(frames / rate)


def _chunks(media: RangedObject, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, offset of the content, and the claimed size of each chunk of the file."""
    at = 12
    while at + 8 <= media.size:
        name, size = media.unpack(f"{order}4sI", at)
        yield name, at + 8, size
        at += 8 + size + size % 2
