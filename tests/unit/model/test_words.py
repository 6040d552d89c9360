"""The words of a transcript as one object."""

import gzip

import pytest

from recording_insights.bounded import LARGEST_REPLY
from recording_insights.model.insights import Word
from recording_insights.model.words import packed, unpacked

WORDS = [[Word("Good", 0, 400, 0.9), Word("day.", 400)], [], [Word("はい", 1000, 1500)]]


def test_words_come_back_and_the_same_words_give_the_same_bytes() -> None:
    assert unpacked(packed(WORDS)) == WORDS
    assert packed(WORDS) == packed(WORDS)


def test_the_words_of_six_hours_take_little_room() -> None:
    line = [Word(f"word{number}", number * 360, number * 360 + 300, 0.98) for number in range(60_000)]
    assert len(packed([line])) < 1_000_000


def test_no_more_is_unpacked_than_a_reply_has() -> None:
    with pytest.raises(ValueError, match="too many"):
        unpacked(gzip.compress(b" " * (LARGEST_REPLY + 1)))
