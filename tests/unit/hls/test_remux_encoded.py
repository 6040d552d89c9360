"""Sound that cannot be copied is decoded and encoded anew; times stay true all the same."""

from itertools import pairwise
from pathlib import Path

import av
import pytest

from recording_insights.hls.remux.segments import Kind
from recording_insights.hls.timeline import Piece
from tests.unit.hls.made import FRAME_MS, heard_ms, in_a_row, loud, slice_of, stamps, video_only, written

PLAIN = slice_of(1.0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "track.mp4"


def near(expected: float, within: float = 3 * FRAME_MS) -> object:
    return pytest.approx(expected, abs=within)


@pytest.mark.parametrize(
    "other",
    [
        slice_of(1.0, rate=16_000),
        slice_of(1.0, rate=44_100),
        slice_of(1.0, layout="stereo"),
        slice_of(1.0, codec="mp2"),
        slice_of(1.0, codec="libopus"),
        slice_of(1.0, codec="libopus", form="webm"),
    ],
    ids=["rate", "odd rate", "channels", "mp2", "opus", "webm"],
)
@pytest.mark.parametrize("order", ["first", "last"])
def test_a_change_of_kind(other: bytes, order: str, target: Path) -> None:
    sounds = {"a": PLAIN, "b": other} if order == "last" else {"a": other, "b": PLAIN}
    prepared = written([Piece("a", 0, 1000, False), Piece("b", 3000, 1000, False)], sounds, target)

    assert prepared.reencoded
    first, second = loud(target)
    assert (first[0], second[0]) == (near(0), near(3000))
    assert (first[1], second[1]) == (near(1000, 100), near(4000, 100))
    assert prepared.silent_ms == near(2000, 100)
    assert heard_ms(target) == near(prepared.duration_ms)


def test_the_outcome_is_of_the_kind_that_agora_writes(target: Path) -> None:
    written(in_a_row(1000), {"a": slice_of(1.0, codec="mp2", rate=32_000)}, target)

    with av.open(str(target)) as file:
        codec = file.streams.audio[0].codec_context
        assert (codec.name, codec.profile, codec.sample_rate, codec.layout.name) == ("aac", "LC", 48_000, "mono")


@pytest.mark.parametrize("load", [0, 700_000])
def test_a_change_inside_a_slice(load: int, target: Path) -> None:
    """Slices put together as bytes, as somebody's tool may have done: the second half is another kind."""
    prepared = written(in_a_row(2000), {"a": slice_of(1.0, load=load) + slice_of(1.0, rate=32_000, load=load)}, target)

    assert prepared.reencoded
    assert heard_ms(target) == near(2000, 100)


@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("pause", [None, (0.5, 0.5)], ids=["", "pause"])
def test_a_change_of_kind_where_each_frame_comes_alone(
    order: str, pause: tuple[float, float] | None, target: Path
) -> None:
    alone, other = slice_of(1.0, load=0, pause=pause), slice_of(1.0, rate=16_000)
    sounds = {"a": alone, "b": other} if order == "last" else {"a": other, "b": alone}
    prepared = written([Piece("a", 0, 1500, False), Piece("b", 3000, 1500, False)], sounds, target)

    assert prepared.reencoded
    assert heard_ms(target) == near(prepared.duration_ms)


@pytest.mark.parametrize("load", [0, 700_000])
def test_timestamps_begin_at_0_and_have_no_gaps(load: int, target: Path) -> None:
    plain, other = slice_of(1.0, load=load), slice_of(1.0, rate=32_000, load=load)
    written([*in_a_row(1000), Piece("b", 4000, 1000, False)], {"a": plain, "b": other}, target)

    times = stamps(target)
    assert times[0] == 0
    assert {later - earlier for earlier, later in pairwise(times)} == {1024}


def test_lost_slices_leave_silence(target: Path) -> None:
    pieces = in_a_row(1000, 1000, 1000, 1000, 1000)
    sounds = {"b": PLAIN, "c": video_only(), "d": slice_of(1.0, rate=16_000)}
    prepared = written(pieces, sounds, target)

    assert prepared.lost == ("a", "c", "e")
    assert [begin for begin, _ in loud(target)] == [near(1000), near(3000)]
    assert heard_ms(target) == near(5000)


def test_a_later_recorder_adds_only_what_is_new(target: Path) -> None:
    pieces = [*in_a_row(2000), Piece("x", 1000, 2000, True)]
    prepared = written(pieces, {"a": slice_of(2.0), "x": slice_of(2.0, rate=32_000)}, target)

    assert heard_ms(target) == near(3000, 100)
    assert prepared.silent_ms == 0


def test_a_slice_that_is_garbage_does_not_have_the_rest_encoded(target: Path) -> None:
    prepared = written(in_a_row(1000, 1000), {"a": PLAIN, "b": b"\xff\xf1" * 5000}, target)

    assert not prepared.reencoded
    assert prepared.lost == ("b",)


@pytest.mark.parametrize(
    ("kind", "copyable"),
    [
        (Kind("aac", "LC", 48_000, "mono", b"\x4c\x40"), True),
        (Kind("aac", "LC", 48_000, "stereo", b"\x4c\x80"), True),
        (Kind("aac", "HE-AAC", 48_000, "mono", b"\x58\x40"), False),
        (Kind("aac", "HE-AACv2", 48_000, "stereo", b"\x58\x40"), False),
        (Kind("aac", "LC", 48_000, "5.1", b"\x4d\x80"), False),
        (Kind("aac", "LC", 48_000, "mono", b""), False),
        (Kind("opus", None, 48_000, "mono", b""), False),
    ],
)
def test_what_can_be_copied(kind: Kind, copyable: bool) -> None:
    """HE-AAC cannot: there is no encoder at hand that makes silence of its kind."""
    assert kind.copyable is copyable
