"""However long the track: one slice in memory, another on its way."""

import tracemalloc
from pathlib import Path

import pytest

from recording_insights.hls.remux.remux import remux
from tests.unit.hls.made import in_a_row, slice_of


class Slice(bytes):
    """Bytes that are counted while they live."""

    alive = 0

    def __new__(cls, content: bytes) -> "Slice":
        cls.alive += 1
        return super().__new__(cls, content)

    def __del__(self) -> None:
        type(self).alive -= 1


def sound(name: str, change: bool) -> bytes:
    """All of one kind, or the second of another."""
    return slice_of(1.0, rate=32_000) if change and name == "b" else slice_of(1.0)


@pytest.mark.parametrize("change", [False, True], ids=["copied", "encoded"])
def test_slices_are_let_go(change: bool, tmp_path: Path) -> None:
    most = 0

    def read(name: str) -> bytes:
        nonlocal most
        content = Slice(sound(name, change))
        most = max(most, Slice.alive)
        return content

    prepared = remux(in_a_row(*[1000] * 25), read, tmp_path / "track.mp4")

    assert prepared.reencoded is change
    assert most <= 2


@pytest.mark.parametrize("change", [False, True], ids=["copied", "encoded"])
def test_memory_does_not_grow_with_the_length(change: bool, tmp_path: Path) -> None:
    def read(name: str) -> bytes:
        return bytes(bytearray(sound(name, change)))  # a copy: what is kept of it is seen

    def peak(slices: int) -> int:
        pieces = in_a_row(*[1000] * slices)
        tracemalloc.start()
        try:
            remux(pieces, read, tmp_path / "track.mp4")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(3)
    assert peak(60) < 2 * peak(6)
