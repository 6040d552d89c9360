"""A segment gives the same audio however its transport stream packs the frames into PES packets."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.hls.remux.made import FRAME_MS, decoded_ms, in_a_row, packets, segment_of, written

PID = 0x100
FRAME_TICKS = 1920
FIRST_TICK = 90_000
BARE = packets(segment_of(1.0))


def framed(bare: bytes) -> bytes:
    """With its ADTS header: LC, 48 kHz, mono."""
    length = 7 + len(bare)
    return bytes((0xFF, 0xF1, 0x4C, 0x40 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC)) + bare


FRAMES = [framed(bare) for bare in BARE]
PAIRS = [b"".join(FRAMES[at : at + 2]) for at in range(0, len(FRAMES), 2)]


def transport(payloads: Sequence[bytes], *, step: int = FRAME_TICKS) -> bytes:
    """Put each of `payloads` into a PES packet of its own, `step` ticks after the one before."""
    content, counter = segment_of(1.0)[: 3 * 188], 0
    for number, payload in enumerate(payloads):
        at = FIRST_TICK + number * step
        header = (at >> 29 & 0x0E | 0x21, at >> 22 & 0xFF, at >> 14 & 0xFF | 1, at >> 7 & 0xFF, at << 1 & 0xFF | 1)
        length = len(payload) + 8
        rest = b"\x00\x00\x01\xc0" + length.to_bytes(2, "big") + b"\x80\x80\x05" + bytes(header) + payload
        start = 0x40
        while rest:
            carried, rest = rest[:184], rest[184:]
            stuffing = 184 - len(carried)
            adaptation = (bytes((stuffing - 1,)) + b"\x00\xff" * 92)[:stuffing] if stuffing else b""
            content += bytes((0x47, start | PID >> 8, PID & 0xFF, (0x30 if stuffing else 0x10) | counter))
            content += adaptation + carried
            start, counter = 0, (counter + 1) % 16
    return content


@pytest.mark.parametrize(
    "payloads",
    [
        FRAMES,
        PAIRS,
        [*FRAMES[:20], b"".join(FRAMES[20:30]), *FRAMES[30:]],
        [b"", *FRAMES[:20], b"", *FRAMES[20:], b""],
        [FRAMES[0], FRAMES[1] + FRAMES[2][:50], FRAMES[2][50:] + FRAMES[3], *FRAMES[4:]],
    ],
    ids=["one each", "two each", "many among single ones", "empty ones between", "one goes on in the next"],
)
def test_frames_are_the_same_however_they_are_carried(payloads: Sequence[bytes], tmp_path: Path) -> None:
    prepared = written(in_a_row(1000), {"a": transport(payloads)}, tmp_path / "track.mp4")

    assert packets(tmp_path / "track.mp4") == BARE
    assert (prepared.lost, prepared.silent_ms) == ((), 0)


@pytest.mark.parametrize("payloads", [FRAMES, PAIRS], ids=["one each", "two each"])
def test_small_steps_of_the_clock_are_no_pause(payloads: Sequence[bytes], tmp_path: Path) -> None:
    """Each timestamp is 10 ms too late, the last one half a second."""
    step = FRAME_TICKS * len(FRAMES) // len(payloads) + 900
    prepared = written(in_a_row(2000), {"a": transport(payloads, step=step)}, tmp_path / "track.mp4")

    assert prepared.silent_ms == 0
    assert decoded_ms(tmp_path / "track.mp4") == pytest.approx(len(FRAMES) * FRAME_MS)


def test_frames_after_damage_in_the_middle_are_kept(tmp_path: Path) -> None:
    whole = transport(FRAMES)
    without_one = whole[: 20 * 188] + whole[21 * 188 :]
    prepared = written(in_a_row(1000), {"a": without_one}, tmp_path / "track.mp4")

    assert prepared.lost == ()
    assert packets(tmp_path / "track.mp4")[-10:] == BARE[-10:]
