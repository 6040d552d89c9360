"""What a provider hears of the file: everything at its true time."""

from itertools import pairwise
from pathlib import Path

import pytest

from recording_insights.hls.remux.remux import NoAudio, Prepared, remux
from recording_insights.hls.timeline import TOLERANCE_MS, PlacedSegment
from tests.unit.hls.remux.made import (
    FRAME_MS,
    decoded_ms,
    in_a_row,
    is_copied,
    packets,
    segment_of,
    timestamps,
    tone_spans,
    video_only,
    written,
)

SECOND = segment_of(1.0)
"""46 or 47 frames: with 1000 ms in the playlist, the end is right to a frame."""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "track.mp4"


def near(expected: float, within: float = 2.5 * FRAME_MS) -> object:
    """Half a frame for the place, one for the lead-in of each test segment, one for a length that is no multiple."""
    return pytest.approx(expected, abs=within)


def test_frames_are_copied_untouched(target: Path) -> None:
    others = segment_of(1.0, begins_at=700.0)
    prepared = written(in_a_row(1000, 1000), {"a": SECOND, "b": others}, target)

    assert packets(target) == packets(SECOND) + packets(others)
    assert prepared == Prepared(prepared.duration_ms, 0, ())
    assert prepared.duration_ms == near(2000)
    assert decoded_ms(target) == near(prepared.duration_ms, 1)


def test_timestamps_begin_at_0_and_never_jump_whatever_the_segments_say(target: Path) -> None:
    segments = {"a": segment_of(1.0, begins_at=900.0), "b": SECOND, "c": segment_of(1.0, begins_at=20_000.0)}
    written([*in_a_row(1000, 1000), PlacedSegment("c", 5000, 1000, False)], segments, target)

    times = timestamps(target)
    assert times[0] == 0
    assert {later - earlier for earlier, later in pairwise(times)} == {1024}


def test_the_index_lies_at_the_front(target: Path) -> None:
    written(in_a_row(1000), {"a": SECOND}, target)

    content = target.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_a_mute_keeps_its_length(target: Path) -> None:
    placed = [PlacedSegment("a", 0, 1000, False), PlacedSegment("b", 4000, 1000, False)]
    prepared = written(placed, {"a": SECOND, "b": SECOND}, target)

    first, second = tone_spans(target)
    assert first == (near(0), near(1000))
    assert second == (near(4000), near(5000))
    assert prepared.silent_ms == near(3000)
    assert prepared.duration_ms == near(5000)
    assert is_copied(target, SECOND)


@pytest.mark.parametrize(
    ("rate", "layout"), [(16_000, "mono"), (32_000, "stereo"), (44_100, "mono"), (48_000, "stereo")]
)
def test_silence_is_of_the_kind_of_the_sound(rate: int, layout: str, target: Path) -> None:
    sound = segment_of(1.0, rate=rate, layout=layout)
    placed = [PlacedSegment("a", 0, 1000, False), PlacedSegment("b", 3000, 1000, False)]
    prepared = written(placed, {"a": sound, "b": sound}, target)

    assert is_copied(target, sound)
    first, second = tone_spans(target)
    assert second[0] - first[0] == near(3000, 1024_000 / rate)
    assert decoded_ms(target) == near(prepared.duration_ms, 1)


def test_a_segment_that_never_came_leaves_silence_and_its_name(target: Path) -> None:
    prepared = written(in_a_row(1000, 1000, 1000, 1000), {"b": SECOND, "d": SECOND}, target)

    assert prepared.lost == ("a", "c")
    assert [begin for begin, _ in tone_spans(target)] == [near(1000), near(3000)]
    assert prepared.silent_ms == near(2000, 3 * FRAME_MS)


def test_segments_lost_at_the_very_end_have_their_length_too(target: Path) -> None:
    prepared = written(in_a_row(1000, 2000, 3000), {"a": SECOND}, target)

    assert prepared.lost == ("b", "c")
    assert prepared.duration_ms == near(6000)
    assert decoded_ms(target) == near(6000)


def test_the_last_segment_is_not_drawn_out(target: Path) -> None:
    prepared = written(in_a_row(1000, 9000), {"a": SECOND, "b": SECOND}, target)

    assert prepared.duration_ms == near(2000)
    assert prepared.silent_ms == 0


def test_a_truncated_segment_gives_what_is_left_of_it(target: Path) -> None:
    cut = segment_of(2.0)[: len(segment_of(2.0)) // 2]
    prepared = written(in_a_row(2000, 1000), {"a": cut, "b": SECOND}, target)

    assert prepared.lost == ()
    assert is_copied(target, SECOND)
    (begins, ends), (second, _) = tone_spans(target)
    assert begins == near(0)
    assert 400 < ends < 1600
    assert second == near(2000)


def test_a_segment_that_begins_in_the_middle_of_a_frame_is_heard(target: Path) -> None:
    whole = segment_of(2.0)
    # Both tables of the transport, then sound from somewhere.
    torn = whole[: 3 * 188] + whole[20 * 188 + 60 :]
    prepared = written(in_a_row(2000, 1000), {"a": torn, "b": SECOND}, target)

    assert prepared.lost == ()
    assert tone_spans(target)[-1][1] == near(3000, 3 * FRAME_MS)


@pytest.mark.parametrize("pes_us", [0, 60_000, 700_000])
def test_damage_in_the_middle_of_a_segment_costs_no_more_than_what_it_hit(pes_us: int, target: Path) -> None:
    whole = segment_of(3.0, pes_us=pes_us)
    damaged = whole[: 80 * 188] + b"\x00" * 188 * 4 + whole[84 * 188 :]
    prepared = written(in_a_row(3000, 1000), {"a": damaged, "b": SECOND}, target)

    assert prepared.lost == ()
    assert is_copied(target, SECOND)
    assert tone_spans(target)[-1][1] == near(4000, TOLERANCE_MS + 2.5 * FRAME_MS)
    assert sum(ends - begins for begins, ends in tone_spans(target)) > 3000


def test_of_a_segment_with_a_picture_the_sound_is_taken(target: Path) -> None:
    sound = segment_of(1.0, picture=True)
    prepared = written(in_a_row(1000, 1000), {"a": sound, "b": SECOND}, target)

    assert prepared.lost == ()
    assert packets(target) == packets(sound) + packets(SECOND)


@pytest.mark.parametrize("pes_us", [0, 700_000])
def test_a_frame_that_cannot_be_written_is_silence(pes_us: int, target: Path) -> None:
    """Its header says that it has a checksum and several blocks, which FFmpeg does not take apart."""
    whole = segment_of(3.0, pes_us=pes_us)
    at = whole.index(b"\xff\xf1", 80 * 188)
    odd = whole[:at] + b"\xff\xf0" + whole[at + 2 : at + 6] + b"\xfd" + whole[at + 7 :]
    prepared = written(in_a_row(3000, 1000), {"a": odd, "b": SECOND}, target)

    assert prepared.lost == ()
    assert is_copied(target, SECOND)
    assert len(packets(target)) == len(packets(whole)) + len(packets(SECOND))


@pytest.mark.parametrize("pes_us", [0, 700_000])
def test_a_pause_inside_a_segment_keeps_its_length(pes_us: int, target: Path) -> None:
    sound = segment_of(3.0, pause=(1.5, 2.0), pes_us=pes_us)
    prepared = written(in_a_row(5000), {"a": sound}, target)

    first, second = tone_spans(target)
    # The transport carries half a second in one PES packet, with one timestamp.
    assert first[1] == near(1500, 750)
    assert second[0] - first[1] == near(2000)
    assert prepared.silent_ms == near(2000)


def test_a_jump_of_the_clock_that_the_segment_has_no_room_for_is_none(target: Path) -> None:
    prepared = written(in_a_row(3000), {"a": segment_of(3.0, pause=(1.5, 5000.0))}, target)

    assert prepared.duration_ms == near(3000)


def test_a_later_recorder_adds_only_what_is_new(target: Path) -> None:
    placed = [
        *in_a_row(2000),
        PlacedSegment("x", 500, 1000, True),
        PlacedSegment("y", 1500, 2000, True),
        PlacedSegment("z", 3500, 1000, False),
    ]
    segments = {"a": segment_of(2.0), "x": SECOND, "y": segment_of(2.0), "z": SECOND}
    prepared = written(placed, segments, target)

    assert prepared.duration_ms == near(4500)
    assert (prepared.silent_ms, prepared.lost) == (0, ())
    whole, tail = packets(segments["a"]), packets(segments["y"])
    assert packets(target)[: len(whole)] == whole
    assert packets(target)[-len(packets(SECOND)) - 10 : -len(packets(SECOND))] == tail[-10:]


def test_small_shortfalls_do_not_add_up(target: Path) -> None:
    """Each segment is 60 ms shorter than it says: the tenth still begins where it should."""
    short = segment_of(0.94)
    placed = in_a_row(*[1000] * 10)
    prepared = written(placed, {each.name: short for each in placed}, target)

    assert tone_spans(target)[-1][1] == near(9940, 100 + FRAME_MS)
    assert prepared.duration_ms == near(9940, 100 + FRAME_MS)


def test_sound_longer_than_it_says_is_kept(target: Path) -> None:
    prepared = written(in_a_row(0, 0, 500), {"a": SECOND, "c": SECOND}, target)

    assert prepared.lost == ("b",)
    assert prepared.duration_ms == near(2000)


@pytest.mark.parametrize(("count", "why"), [(0, "The playlist names no segments."), (2, "All 2 segments are missing.")])
def test_nothing_to_read_is_said_with_its_reason(count: int, why: str, target: Path) -> None:
    with pytest.raises(NoAudio, match=f"^{why}$"):
        written(in_a_row(*[1000] * count), {}, target)

    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"no segment at all" * 1000, b"\x47" * 999, b"\xff\xf1" * 500, video_only()])
def test_nothing_to_hear_is_said_with_its_reason(content: bytes, target: Path) -> None:
    why = r"^None of the 2 segments has readable audio \(1 missing, 1 without audio\)\.$"
    with pytest.raises(NoAudio, match=why):
        written(in_a_row(1000, 1000), {"b": content}, target)

    assert not target.exists()


def test_a_segment_is_never_taken_for_a_playlist(target: Path, tmp_path: Path) -> None:
    """FFmpeg would open whatever a playlist names."""
    (tmp_path / "private.ts").write_bytes(SECOND)
    bait = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path / 'private.ts'}\n#EXT-X-ENDLIST\n".encode()
    with pytest.raises(NoAudio):
        written(in_a_row(1000), {"a": bait}, target)


def test_a_segment_without_sound_among_others_is_silence(target: Path) -> None:
    prepared = written(in_a_row(1000, 1000, 1000), {"a": SECOND, "b": video_only(), "c": SECOND}, target)

    assert prepared.lost == ("b",)
    assert is_copied(target, SECOND)
    assert [begin for begin, _ in tone_spans(target)] == [near(0), near(2000)]


def test_a_fault_of_the_reader_is_the_callers(target: Path) -> None:
    def read(name: str) -> bytes:
        raise PermissionError(name)

    with pytest.raises(PermissionError):
        remux(in_a_row(1000), read, target)
