"""However long the track: one segment in memory, another on its way."""

import tracemalloc
from pathlib import Path

import pytest

from recording_insights.hls.remux.remux import remux
from tests.unit.hls.remux.made import in_a_row, is_copied, segment_of


class CountedBytes(bytes):
    """Bytes that are counted while they live."""

    alive = 0

    def __new__(cls, content: bytes) -> "CountedBytes":
        cls.alive += 1
        return super().__new__(cls, content)

    def __del__(self) -> None:
        type(self).alive -= 1


NOTHING = bytes([0x47, 0x1F, 0xFF, 0x10, *[0xFF] * 184])
"""A null packet of MPEG-TS."""


def sound(name: str, change: bool, *, seconds: float = 1.0) -> bytes:
    """All of one kind, or the second of another."""
    return segment_of(seconds, rate=32_000) if change and name == "b" else segment_of(seconds)


@pytest.mark.parametrize("change", [False, True], ids=["copied", "encoded"])
def test_segments_are_let_go(change: bool, tmp_path: Path) -> None:
    most = 0

    def read(name: str) -> bytes:
        nonlocal most
        content = CountedBytes(sound(name, change))
        most = max(most, CountedBytes.alive)
        return content

    remux(in_a_row(*[1000] * 8), read, tmp_path / "track.mp4")

    assert is_copied(tmp_path / "track.mp4", segment_of(1.0)) is not change
    assert most <= 2


@pytest.mark.parametrize("change", [False, True], ids=["copied", "encoded"])
def test_memory_does_not_grow_with_the_length(change: bool, tmp_path: Path) -> None:
    """The segments are small to the ear and large in memory: what is kept of them is seen."""

    def read(name: str) -> bytes:
        return sound(name, change, seconds=0.2) + NOTHING * 1000

    def peak(segments: int) -> int:
        placed = in_a_row(*[200] * segments)
        tracemalloc.start()
        try:
            remux(placed, read, tmp_path / "track.mp4")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(3)
    assert peak(20) < 2 * peak(5)
