"""Files: playlists and their timeline, segments and the file that is made of them, and headers of media."""

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
from hypothesis import strategies as st

from recording_insights.agora.file_names import AgoraName
from recording_insights.errors import NotMedia
from recording_insights.hls.playlist import LONGEST_SECONDS, NotAPlaylist, parse_playlist
from recording_insights.hls.remux.remux import NoAudio, remux
from recording_insights.hls.timeline import PlacedSegment, place_segments
from recording_insights.media.probe.duration import LEAST_BYTES_PER_SECOND, media_duration_ms
from recording_insights.media.probe.ranged_object import MOST_BYTES, MOST_READS
from tests.fuzz.damage import damaged_bytes, files
from tests.fuzz.properties import assert_in_words
from tests.fuzz.target import Target

SEGMENT_MS = 400
LONGEST_SEGMENT_MS = 60_000
"""No segment of the corpus has more audio, however often a part of it is repeated."""
NAMES = (
    "88032b23494f35ba2014959c146341dd_room_one__uid_s_1__uid_e_audio_20260813234113969.ts",
    "bak0_88032b23494f35ba2014959c146341dd_room_one_1786664473969_2.m3u8",
    "88032b23494f35ba2014959c146341dd_room_one_1.mp4",
)


def targets() -> Iterator[Target]:
    """Yield the fuzzers of files."""
    playlists = damaged_bytes(*(path.read_bytes() for path in files("playlists/*.m3u8")))
    yield Target("playlists", st.lists(playlists, min_size=1, max_size=3), check_playlists)
    segments = damaged_bytes(*(path.read_bytes() for path in files("segments/*")))
    times = st.tuples(st.integers(-2, 3000), st.integers(0, 3000), st.booleans())
    content = st.one_of(st.none(), segments)
    yield Target("segments", st.lists(st.tuples(content, times), min_size=1, max_size=3), check_segments, cost=5)
    media = damaged_bytes(*(path.read_bytes() for path in files("media/*")))
    beyond = st.sampled_from([0, 0, 0, 1, 70_000, 20 << 20, 3 << 30])
    yield Target("media headers", st.tuples(media, beyond), check_media)
    yield Target(
        "media that is cut off", st.tuples(st.integers(0, len(files("media/*")) - 1), st.floats(0, 1)), check_cut
    )
    names = damaged_bytes(*(name.encode() for name in NAMES))
    yield Target("file names", st.tuples(names, st.sampled_from(["", "room_one", "room", "1"])), check_name)


def check_playlists(contents: list[bytes]) -> None:
    """The timeline is in order, has each name once, and no segment is longer than a recording."""
    playlists = []
    for content in contents:
        try:
            playlist = parse_playlist(content)
        except NotAPlaylist as error:
            assert_in_words(error)
            continue
        assert all(0 <= segment.seconds <= LONGEST_SECONDS for segment in playlist.segments)
        assert sum(len(segment.name) for segment in playlist.segments) <= len(content)
        playlists.append(playlist.segments)
    timeline = place_segments(playlists)
    names = [segment.name for segment in timeline.segments]
    assert len(names) == len(set(names))
    assert set(names) == {segment.name for segments in playlists for segment in segments}
    assert all(type(segment.at_ms) is int and segment.at_ms >= 0 for segment in timeline.segments)
    assert all(0 <= segment.length_ms <= LONGEST_SECONDS * 1000 for segment in timeline.segments)
    for segments in playlists:
        own = {segment.name for segment in segments}
        starts = [segment.at_ms for segment in timeline.segments if segment.name in own]
        if not any(own & {segment.name for segment in other} for other in playlists if other is not segments):
            assert starts == sorted(starts)


def check_segments(found: list[tuple[bytes | None, tuple[int, int, bool]]]) -> None:
    """One file is made, as long as the timeline and the audio are, or there is no audio and no file."""
    contents: dict[str, bytes | None] = {}
    placed: list[PlacedSegment] = []
    at_ms = 0
    for number, (content, (gap_ms, length_ms, trim)) in enumerate(found):
        at_ms = max(at_ms + gap_ms, 0)
        contents[str(number)] = content
        placed.append(PlacedSegment(str(number), at_ms, length_ms, trim))
        at_ms += length_ms
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "made.mp4")
        try:
            prepared = remux(placed, contents.get, target)
        except NoAudio as error:
            assert_in_words(error)
            assert not target.exists()
            return
        assert 0 <= prepared.silent_ms <= prepared.duration_ms
        assert prepared.duration_ms <= at_ms + LONGEST_SEGMENT_MS * len(found)
        assert set(prepared.lost) < set(contents)
        with av.open(str(target)) as file:
            assert file.streams.audio


class _Object:
    """An object of S3: some bytes, and zeros behind them."""

    def __init__(self, content: bytes, beyond: int) -> None:
        self.content, self.size = content, len(content) + beyond
        self.reads: list[int] = []

    def read_range(self, first: int, last: int) -> bytes:
        assert 0 <= first <= last < self.size, "S3 refuses a range outside of the object"
        self.reads.append(last - first + 1)
        held = self.content[first : last + 1]
        return held + bytes(last - first + 1 - len(held))

    def duration_ms(self) -> int | None:
        found = media_duration_ms(self.read_range, self.size)
        assert len(self.reads) <= MOST_READS
        assert sum(self.reads) <= MOST_BYTES
        return found


def check_media(found: tuple[bytes, int]) -> None:
    """A length is one that the object can hold, and at most 8 ranges are read."""
    content, beyond = found
    if not content and not beyond:
        return
    media = _Object(content, beyond)
    try:
        length = media.duration_ms()
    except NotMedia as error:
        assert_in_words(error)
        return
    if length is not None:
        assert type(length) is int
        assert 0 <= length / 1000 * _least_bytes_per_second(content) <= media.size + 1


def _least_bytes_per_second(content: bytes) -> float:
    """What a second takes at least: in a WAV of samples that have one size, what its header says."""
    if len(content) < 36 or content[:4] != b"RIFF" or content[8:16] != b"WAVEfmt ":
        return LEAST_BYTES_PER_SECOND
    kind, _, rate, _, block = struct.unpack_from("<HHIIH", content, 20)
    return rate * block if kind in (1, 3, 6, 7) else LEAST_BYTES_PER_SECOND


def check_cut(found: tuple[int, float]) -> None:
    """The beginning of a file is never longer than the file."""
    number, share = found
    content = files("media/*")[number].read_bytes()
    whole = _Object(content, 0).duration_ms()
    cut = content[: max(round(len(content) * share), 1)]
    try:
        length = _Object(cut, 0).duration_ms()
    except NotMedia:
        return
    assert length is None or whole is None or length <= whole + 1, files("media/*")[number].name


def check_name(found: tuple[bytes, str]) -> None:
    """A name is read or is none, and what is read of it is in it."""
    data, channel = found
    name = data.decode(errors="replace")
    parsed = AgoraName.parse(name, channel=channel)
    if parsed is not None:
        assert parsed.sid in name
        assert parsed.recorder >= 0
