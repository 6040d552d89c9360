"""Playlists as Agora, FFmpeg and accidents write them."""

import pytest

from recording_insights.hls.playlist import NotAPlaylist, Playlist, Segment, parse_playlist
from tests.unit.counted import calls_of

SID = "0123456789abcdef0123456789abcdef"
AGORA = f"""#EXTM3U
#EXT-X-VERSION:3
#EXT-X-ALLOW-CACHE:NO
#EXT-X-TARGETDURATION:17
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=1600000000000
#EXTINF:15.019
{SID}_demo__uid_s_7__uid_e_audio_20200913122640000.ts
#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=360,ROTATE=0,TIME=0
#EXT-X-DISCONTINUITY
#EXTINF:9.5
{SID}_demo__uid_s_7__uid_e_audio_20200913122655123.ts
#EXT-X-ENDLIST
"""


def only(text: str) -> Segment:
    (segment,) = parse_playlist(f"#EXTM3U\n{text}\n".encode()).segments
    return segment


def test_agoras_own() -> None:
    name = f"{SID}_demo__uid_s_7__uid_e_audio_"
    assert parse_playlist(AGORA.encode()) == Playlist(
        [
            Segment(f"{name}20200913122640000.ts", 15.019, 1_600_000_000_000),
            Segment(f"{name}20200913122655123.ts", 9.5, 1_600_000_015_123),
        ],
        closed=True,
    )


def test_one_that_grows_is_open() -> None:
    assert not parse_playlist(AGORA.replace("#EXT-X-ENDLIST\n", "").encode()).closed


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\n \n" + text,
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.rstrip("\n"),
    ],
    ids=["byte order mark", "CRLF", "blank first", "blank between", "no last newline"],
)
def test_dress_does_not_matter(dress: object) -> None:
    assert callable(dress)
    assert parse_playlist(dress(AGORA).encode()) == parse_playlist(AGORA.encode())


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ("#EXTINF:15.5,", 15.5),
        ("#EXTINF:15.5", 15.5),
        ("#EXTINF: 15.5 ,a title, with commas", 15.5),
        ("#EXTINF:15", 15.0),
        ("#EXTINF:.5,", 0.5),
        ("#EXTINF:", 0.0),
        ("#EXTINF:soon,", 0.0),
        ("#EXTINF:-1,", 0.0),
        ("#EXTINF:nan,", 0.0),
        ("#EXTINF:inf,", 0.0),
        ("#EXTINF:99999999999999999999,", 0.0),
        ("#EXT-X-NOTHING", 0.0),
    ],
)
def test_lengths(tag: str, seconds: float) -> None:
    assert only(f"{tag}\na.ts").seconds == seconds


def test_a_length_counts_once() -> None:
    first, second = parse_playlist(b"#EXTM3U\n#EXTINF:3,\na.ts\nb.ts").segments
    assert (first.seconds, second.seconds) == (3.0, 0.0)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("a.ts", "a.ts"),
        ("folder/of/a.ts", "a.ts"),
        ("https://host.example/folder/a.ts?signature=x/y", "a.ts"),
        ("a%20b+c.ts", "a%20b+c.ts"),
        ("  a b.ts  ", "a b.ts"),
    ],
)
def test_names(line: str, name: str) -> None:
    assert only(line).name == name


@pytest.mark.parametrize(
    ("text", "starts_at_ms"),
    [
        ("x_20200913122640123.ts", 1_600_000_000_123),
        ("x_20200913122640123.webm", 1_600_000_000_123),
        ("x_20201313122640123.ts", None),
        ("x_2020091312264012.ts", None),
        ("x20200913122640123.ts", None),
        ("x_00000000000000000.ts", None),
        ("segment7.ts", None),
        ("#EXT-X-PROGRAM-DATE-TIME:2020-09-13T12:26:40.123Z\na.ts", 1_600_000_000_123),
        ("#EXT-X-PROGRAM-DATE-TIME:2020-09-13T14:26:40.123+0200\na.ts", 1_600_000_000_123),
        ("#EXT-X-PROGRAM-DATE-TIME:2020-09-13T12:26:40\na.ts", 1_600_000_000_000),
        ("#EXT-X-PROGRAM-DATE-TIME:yesterday\na.ts", None),
        ("#EXT-X-PROGRAM-DATE-TIME:2000-01-01T00:00:00Z\nx_20200913122640123.ts", 1_600_000_000_123),
    ],
)
def test_start_times(text: str, starts_at_ms: int | None) -> None:
    assert only(text).starts_at_ms == starts_at_ms


def test_no_segments_at_all() -> None:
    assert parse_playlist(b"#EXTM3U\n#EXT-X-ENDLIST") == Playlist([], closed=True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it does not begin with #EXTM3U."),
        (b"<html>#EXTM3U</html>", "it does not begin with #EXTM3U."),
        (b"a.ts\n#EXTM3U\n", "it does not begin with #EXTM3U."),
        (b"#EXTM3U\n\xff\xfe\x00", "it is not text."),
        (b"\x47\x40\x00" * 1000 + b"\x80", "it is not text."),
    ],
)
def test_what_is_none(content: bytes, why: str) -> None:
    with pytest.raises(NotAPlaylist, match=rf"^The object is not a playlist: {why}$"):
        parse_playlist(content)


def test_a_playlist_ten_times_as_long_costs_ten_times_as_much() -> None:
    def cost(segments: int) -> int:
        lines = "".join(
            f"#EXTINF:15.0\n{SID}_demo_20200913{n % 24:02}{n % 60:02}00{n:03}.ts\n" for n in range(segments)
        )
        content = f"#EXTM3U\n{lines}".encode()
        assert len(parse_playlist(content).segments) == segments
        return calls_of(lambda: parse_playlist(content))

    assert cost(1000) < 10.5 * cost(100)


def test_segments_of_a_page_are_stamped_in_milliseconds_since_1970() -> None:
    assert only(f"#EXTINF:15\n{SID}_board_1600000000123.ts").starts_at_ms == 1_600_000_000_123
