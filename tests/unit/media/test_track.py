"""What an object must be to be read as a playlist."""

import pytest

from recording_insights.media.track import LARGEST_PLAYLIST, playlist_in

HEAD = b"#EXTM3U\n#EXT-X-VERSION:3\n"
SEGMENT = b"#EXTINF:15.0,\na_20260312000000000.ts\n"


@pytest.mark.parametrize(("content", "is_playlist"), [(HEAD + SEGMENT, True), (b"<html>", False), (b"", False)])
def test_a_playlist_says_that_it_is_one(content: bytes, is_playlist: bool) -> None:
    assert (playlist_in(content) is not None) == is_playlist


def test_a_playlist_that_would_fill_the_memory_is_none() -> None:
    lines = (LARGEST_PLAYLIST - len(HEAD)) // 2
    assert playlist_in(HEAD + b"\n\n" * (lines // 2)) is not None
    assert playlist_in(HEAD + b"x\n" * (lines + 1)) is None
