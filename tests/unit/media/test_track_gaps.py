"""What is missing of a track, in words."""

from collections.abc import Sequence

import pytest

from recording_insights.hls.playlist import Segment
from recording_insights.media.track import Track
from recording_insights.media.track_gaps import LONGEST_NAME, what_is_left_out, what_is_missing


def track(named: Sequence[str] = (), *, stored: Sequence[str] = (), closed: bool = True, recorders: int = 1) -> Track:
    segments = [Segment(name, 15.0, None) for name in named]
    return Track("a.m3u8", [segments] * recorders, closed, None, {name: name for name in stored})


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (track(["1.ts"], stored=["1.ts"]), None),
        (track(), None),
        (
            track(closed=False, recorders=0),
            "none of its playlists can be read: the first line of a playlist is #EXTM3U",
        ),
        (track(stored=["1.ts", "2.ts"]), "segments that no playlist names: 2, such as 1.ts"),
        (track(["1.ts"], closed=False), "its playlist is not closed"),
        (track(["1.ts", "2.ts"], stored=["1.ts"]), "1 of 2 segments did not arrive, such as 2.ts"),
    ],
)
def test_what_a_track_waits_for(found: Track, missing: str | None) -> None:
    assert what_is_missing(found) == missing


@pytest.mark.parametrize(
    ("found", "lost", "gaps"),
    [
        (track(["1.ts"], stored=["1.ts"]), [], None),
        (track(["1.ts"], stored=["1.ts", "2.ts"]), [], None),
        (track(["1.ts"], stored=["1.ts"], closed=False), [], "its playlist was never closed"),
        (track(["1.ts", "2.ts"]), ["2.ts"], "1 of 2 segments never arrived or cannot be read, such as 2.ts"),
        (
            track(["1.ts"], stored=["2.ts"], closed=False),
            ["1.ts"],
            "its playlist was never closed; segments left out because no playlist names them: 1, such as 2.ts; "
            "1 of 1 segments never arrived or cannot be read, such as 1.ts",
        ),
    ],
)
def test_what_a_prepared_file_lacks(found: Track, lost: Sequence[str], gaps: str | None) -> None:
    assert what_is_left_out(found, lost) == gaps


def test_a_long_name_is_cut() -> None:
    name = "x" * (LONGEST_NAME + 1)

    assert str(what_is_missing(track([name]))).endswith("x" * LONGEST_NAME + "…")
    assert str(what_is_left_out(track([name]), [name])).endswith("x" * LONGEST_NAME + "…")
