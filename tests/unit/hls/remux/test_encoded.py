"""Sound that cannot be copied is decoded and encoded anew; times stay true all the same."""

from itertools import pairwise
from pathlib import Path

import av
import pytest

from recording_insights.hls.remux.segments import AudioFormat
from recording_insights.hls.timeline import PlacedSegment
from tests.unit.hls.remux.made import (
    FRAME_MS,
    decoded_ms,
    in_a_row,
    is_copied,
    segment_of,
    timestamps,
    tone_spans,
    video_only,
    written,
)

PLAIN = segment_of(1.0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "track.mp4"


def near(expected: float, within: float = 3 * FRAME_MS) -> object:
    return pytest.approx(expected, abs=within)


@pytest.mark.parametrize(
    "other",
    [
        segment_of(1.0, rate=16_000),
        segment_of(1.0, rate=44_100),
        segment_of(1.0, layout="stereo"),
        segment_of(1.0, codec="mp2"),
        segment_of(1.0, codec="libopus"),
        segment_of(1.0, codec="libopus", form="webm"),
    ],
    ids=["rate", "odd rate", "channels", "mp2", "opus", "webm"],
)
@pytest.mark.parametrize("order", ["first", "last"])
def test_a_change_of_kind(other: bytes, order: str, target: Path) -> None:
    sounds = {"a": PLAIN, "b": other} if order == "last" else {"a": other, "b": PLAIN}
    prepared = written([PlacedSegment("a", 0, 1000, False), PlacedSegment("b", 3000, 1000, False)], sounds, target)

    assert not is_copied(target, PLAIN)
    first, second = tone_spans(target)
    assert (first[0], second[0]) == (near(0), near(3000))
    assert (first[1], second[1]) == (near(1000, 100), near(4000, 100))
    assert prepared.silent_ms == near(2000, 100)
    assert decoded_ms(target) == near(prepared.duration_ms)


def test_the_outcome_is_of_the_kind_that_agora_writes(target: Path) -> None:
    written(in_a_row(1000), {"a": segment_of(1.0, codec="mp2", rate=32_000)}, target)

    with av.open(str(target)) as file:
        codec = file.streams.audio[0].codec_context
        assert (codec.name, codec.profile, codec.sample_rate, codec.layout.name) == ("aac", "LC", 48_000, "mono")


@pytest.mark.parametrize("pes_us", [0, 700_000])
def test_a_change_inside_a_slice(pes_us: int, target: Path) -> None:
    """Segments put together as bytes, as somebody's tool may have done: the second half is another kind."""
    written(in_a_row(2000), {"a": segment_of(1.0, pes_us=pes_us) + segment_of(1.0, rate=32_000, pes_us=pes_us)}, target)

    assert not is_copied(target, segment_of(1.0, pes_us=pes_us))
    assert decoded_ms(target) == near(2000, 100)


@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("pause", [None, (0.5, 0.5)], ids=["", "pause"])
def test_a_change_of_kind_where_each_frame_comes_in_its_own_pes_packet(
    order: str, pause: tuple[float, float] | None, target: Path
) -> None:
    alone, other = segment_of(1.0, pes_us=0, pause=pause), segment_of(1.0, rate=16_000)
    sounds = {"a": alone, "b": other} if order == "last" else {"a": other, "b": alone}
    prepared = written([PlacedSegment("a", 0, 1500, False), PlacedSegment("b", 3000, 1500, False)], sounds, target)

    assert not is_copied(target, alone)
    assert decoded_ms(target) == near(prepared.duration_ms)


@pytest.mark.parametrize("pes_us", [0, 700_000])
def test_timestamps_begin_at_0_and_have_no_gaps(pes_us: int, target: Path) -> None:
    plain, other = segment_of(1.0, pes_us=pes_us), segment_of(1.0, rate=32_000, pes_us=pes_us)
    written([*in_a_row(1000), PlacedSegment("b", 4000, 1000, False)], {"a": plain, "b": other}, target)

    times = timestamps(target)
    assert times[0] == 0
    assert {later - earlier for earlier, later in pairwise(times)} == {1024}


def test_lost_segments_leave_silence(target: Path) -> None:
    placed = in_a_row(1000, 1000, 1000, 1000, 1000)
    sounds = {"b": PLAIN, "c": video_only(), "d": segment_of(1.0, rate=16_000)}
    prepared = written(placed, sounds, target)

    assert prepared.lost == ("a", "c", "e")
    assert [begin for begin, _ in tone_spans(target)] == [near(1000), near(3000)]
    assert decoded_ms(target) == near(5000)


def test_a_later_recorder_adds_only_what_is_new(target: Path) -> None:
    placed = [*in_a_row(2000), PlacedSegment("x", 1000, 2000, True)]
    prepared = written(placed, {"a": segment_of(2.0), "x": segment_of(2.0, rate=32_000)}, target)

    assert decoded_ms(target) == near(3000, 100)
    assert prepared.silent_ms == 0


def test_a_segment_that_is_garbage_does_not_have_the_rest_encoded(target: Path) -> None:
    prepared = written(in_a_row(1000, 1000), {"a": PLAIN, "b": b"\xff\xf1" * 5000}, target)

    assert is_copied(target, PLAIN)
    assert prepared.lost == ("b",)


@pytest.mark.parametrize(
    ("kind", "copyable"),
    [
        (AudioFormat("aac", "LC", 48_000, "mono", b"\x4c\x40"), True),
        (AudioFormat("aac", "LC", 48_000, "stereo", b"\x4c\x80"), True),
        (AudioFormat("aac", "HE-AAC", 48_000, "mono", b"\x58\x40"), False),
        (AudioFormat("aac", "HE-AACv2", 48_000, "stereo", b"\x58\x40"), False),
        (AudioFormat("aac", "LC", 48_000, "5.1", b"\x4d\x80"), False),
        (AudioFormat("aac", "LC", 48_000, "mono", b""), False),
        (AudioFormat("opus", None, 48_000, "mono", b""), False),
    ],
)
def test_what_can_be_copied(kind: AudioFormat, copyable: bool) -> None:
    """HE-AAC cannot: there is no encoder at hand that makes silence of its kind."""
    assert kind.is_copyable is copyable
