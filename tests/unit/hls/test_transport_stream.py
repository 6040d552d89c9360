"""What is read of a transport stream without FFmpeg, and what is left to it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from recording_insights.hls.remux.transport_stream import Payload, payload
from tests.unit.hls.made import FRAME_MS, heard_ms, in_a_row, packets, slice_of, written

PID = 0x100
FRAME_TICKS = 1920
BARE = packets(slice_of(1.0))


def framed(bare: bytes) -> bytes:
    """With its ADTS header: LC, 48 kHz, mono."""
    length = 7 + len(bare)
    return bytes((0xFF, 0xF1, 0x4C, 0x40 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC)) + bare


FRAMES = [framed(bare) for bare in BARE]
PAIRS = [b"".join(FRAMES[at : at + 2]) for at in range(0, len(FRAMES), 2)]


def transport(loads: Sequence[bytes], *, step: int = FRAME_TICKS, clock: int = 90_000, announced: int = 0) -> bytes:
    """Each load with its clock, `step` ticks after the one before, behind the tables of any slice.

    `announced`: so many bytes more than there are.
    """
    content, counter = slice_of(1.0)[: 3 * 188], 0
    for number, load in enumerate(loads):
        at = clock + number * step & 0x1FFFFFFFF
        header = (at >> 29 & 0x0E | 0x21, at >> 22 & 0xFF, at >> 14 & 0xFF | 1, at >> 7 & 0xFF, at << 1 & 0xFF | 1)
        length = len(load) + 8 + announced
        rest = b"\x00\x00\x01\xc0" + length.to_bytes(2, "big") + b"\x80\x80\x05" + bytes(header) + load
        start = 0x40
        while rest:
            carried, rest = rest[:184], rest[184:]
            stuffing = 184 - len(carried)
            adaptation = (bytes((stuffing - 1,)) + b"\x00\xff" * 92)[:stuffing] if stuffing else b""
            content += bytes((0x47, start | PID >> 8, PID & 0xFF, (0x30 if stuffing else 0x10) | counter))
            content += adaptation + carried
            start, counter = 0, (counter + 1) % 16
    return content


def changed(content: bytes, packet: int, byte: int, change: Callable[[int], int]) -> bytes:
    at = packet * 188 + byte
    return content[:at] + bytes((change(content[at]),)) + content[at + 1 :]


@pytest.mark.parametrize("loads", [FRAMES, PAIRS, [b"".join(FRAMES)]], ids=["frames", "pairs", "all"])
def test_loads_are_read_end_to_end(loads: Sequence[bytes]) -> None:
    ends = [sum(len(load) for load in loads[: number + 1]) for number in range(len(loads))]
    clocks = [90_000 + number * FRAME_TICKS for number in range(len(loads))]

    assert payload(transport(loads), PID) == Payload(b"".join(FRAMES), ends, clocks)


@pytest.mark.parametrize("load", [0, 60_000, 700_000])
def test_ffmpegs_own_transport_is_read(load: int) -> None:
    read = payload(slice_of(1.0, load=load, picture=True), PID)

    assert read
    assert read.content == b"".join(FRAMES)


def test_a_clock_of_all_its_33_bits_is_read() -> None:
    read = payload(transport(FRAMES[:2], clock=0x1_5555_5555), PID)

    assert read
    assert read.clocks == [0x1_5555_5555, 0x1_5555_5555 + FRAME_TICKS]


WHOLE = transport(FRAMES)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no transport",
        WHOLE[:-60],
        WHOLE[:-188],
        WHOLE[: 10 * 188] + WHOLE[11 * 188 :],
        WHOLE[: 3 * 188] + WHOLE[4 * 188 :],
        WHOLE[: 10 * 188] + WHOLE[9 * 188 :],
        changed(WHOLE, 10, 0, lambda byte: 0),
        changed(WHOLE, 10, 1, lambda byte: byte | 0x80),
        changed(WHOLE, 10, 3, lambda byte: byte | 0x80),
        changed(WHOLE, 4, 4, lambda byte: 0xFF),
        changed(WHOLE, 3, 6, lambda byte: 0),
        changed(WHOLE, 3, 10, lambda byte: byte | 0x30),
        changed(WHOLE, 3, 11, lambda byte: 0),
        changed(WHOLE, 3, 12, lambda byte: 0xFF),
        transport(FRAMES, announced=1),
        transport(FRAMES, announced=-1),
        transport(FRAMES, step=-FRAME_TICKS),
        transport(FRAMES, clock=0x1_FFFF_FFFF),
        slice_of(1.0, codec="libopus", form="webm"),
    ],
    ids=[
        "nothing",
        "text",
        "half a packet",
        "no end",
        "one lost",
        "no beginning",
        "one twice",
        "no sync byte",
        "error marked",
        "scrambled",
        "filled beyond its end",
        "no load",
        "load scrambled",
        "no clock",
        "header beyond its end",
        "too short a load",
        "too long a load",
        "clock runs back",
        "clock begins anew",
        "webm",
    ],
)
def test_whatever_is_odd_is_left_to_ffmpeg(content: bytes) -> None:
    assert payload(content, PID) is None


def test_a_stream_that_is_not_there_has_no_payload() -> None:
    assert payload(WHOLE, PID + 1) is None


@pytest.mark.parametrize(
    "loads",
    [
        FRAMES,
        PAIRS,
        [*FRAMES[:20], b"".join(FRAMES[20:30]), *FRAMES[30:]],
        [b"", *FRAMES[:20], b"", *FRAMES[20:], b""],
        [FRAMES[0], FRAMES[1] + FRAMES[2][:50], FRAMES[2][50:] + FRAMES[3], *FRAMES[4:]],
    ],
    ids=["one each", "two each", "many among single ones", "empty ones between", "one goes on in the next"],
)
def test_frames_are_the_same_however_they_are_carried(loads: Sequence[bytes], tmp_path: Path) -> None:
    prepared = written(in_a_row(1000), {"a": transport(loads)}, tmp_path / "track.mp4")

    assert packets(tmp_path / "track.mp4") == BARE
    assert (prepared.lost, prepared.silent_ms) == ((), 0)


@pytest.mark.parametrize("loads", [FRAMES, PAIRS], ids=["one each", "two each"])
def test_small_steps_of_the_clock_are_no_pause(loads: Sequence[bytes], tmp_path: Path) -> None:
    """A clock that runs fast all along: 10 ms too much with each load, half a second in the end."""
    step = FRAME_TICKS * len(FRAMES) // len(loads) + 900
    prepared = written(in_a_row(2000), {"a": transport(loads, step=step)}, tmp_path / "track.mp4")

    assert prepared.silent_ms == 0
    assert heard_ms(tmp_path / "track.mp4") == pytest.approx(len(FRAMES) * FRAME_MS)
