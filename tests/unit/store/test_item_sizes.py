"""Where an item is full: to the byte. DynamoDB refuses what is too large, and half-empty pages cost."""

from decimal import Decimal
from typing import Any

import pytest

from recording_insights.errors import ItemTooLarge
from recording_insights.model.insights import Insights, Utterance
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import media_key
from recording_insights.store.media import MediaStore
from recording_insights.store.transcripts import ITEM_BYTES, PAGE_BYTES, item_bytes, transcript_pages
from tests.unit.fake_table import FakeTable
from tests.unit.recordings.stored import put

R, MEDIA_ID = "5eb63bbbe01eeed093cb22bb8f5acdc3", "0123456789abcdef0123"
PAGE = PAGE_BYTES - 1_000
ITEM = ITEM_BYTES - 1_000
"""Our limit without the bytes that are kept for keys."""
LONGEST_PIECE = 37_500
"""Characters; of four bytes each they make half a page."""


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("é", 2),
        (7, 2),
        (Decimal("0.875"), 4),
        (True, 1),
        (None, 1),
        ([], 3),
        ([True, "ab"], 3 + 2 + 3),
        ({}, 3),
        ({"é": "abc", "b": None}, 3 + 1 + 2 + 3 + 1 + 1 + 1),
    ],
    ids=repr,
)
def test_the_size_of_a_value(value: Any, size: int) -> None:
    assert item_bytes(value) == size


@pytest.mark.parametrize(("over", "pages"), [(0, [2]), (1, [1, 1])])
def test_a_page_is_filled_to_its_last_byte(over: int, pages: list[int]) -> None:
    half = "x" * (PAGE // 2 - 9)  # 9 bytes are the map, its one name and its place in the list
    spoken = [Utterance(half), Utterance(half + "y" * over)]

    assert [len(page) for page in transcript_pages(spoken)] == pages


@pytest.mark.parametrize(("length", "pieces"), [(150_000, [150_000]), (150_001, [LONGEST_PIECE] * 4 + [1])])
def test_an_utterance_of_more_than_half_a_page_is_split(length: int, pieces: list[int]) -> None:
    assert _pieces("x" * length) == pieces


@pytest.mark.parametrize(("last", "first_piece"), [(12_498, LONGEST_PIECE), (12_499, 25_001)])
def test_a_piece_takes_as_many_words_as_fit(last: int, first_piece: int) -> None:
    text = " ".join("x" * length for _ in range(5) for length in (12_500, 12_500, last))

    pieces = _pieces(text)

    assert pieces[0] == first_piece
    assert sum(pieces) + len(pieces) - 1 == len(text), "the blanks between pieces are lost, and nothing else"


@pytest.mark.parametrize(("length", "fits"), [(ITEM - 9, True), (ITEM - 8, False)])
def test_an_insight_fills_an_item_to_its_last_byte(insight_store: InsightStore, length: int, fits: bool) -> None:
    summary = Insights(summary="s" * length)  # 9 bytes are the map and its one name

    if fits:
        assert insight_store.save(R, MEDIA_ID, 0, summary).counts == {"summary": 1}
    else:
        with pytest.raises(ItemTooLarge):
            insight_store.save(R, MEDIA_ID, 0, summary)


def test_the_row_of_a_recording_of_3000_media_objects_stays_small(table: FakeTable, media_store: MediaStore) -> None:
    put(table, R, "processing", "2026-03-12")
    for number in range(3000):
        media_id = f"{number:020}"
        row = {"media_id": media_id, "key": f"{number:04}" * 256, "arrived_at": "2026-03-12", "provider": "symbl"}
        table.put_item(Item={**media_key(R, media_id), **row, "status": "submitted", "reason": "語" * 500})
    for number in (0, 2999):
        media_store.finish(R, f"{number:020}", "failed", reason="語" * 500)

    recording = media_store.recordings.get(R)

    assert recording["status"] == "processing"
    assert recording["media_counts"] == {"failed": 2, "submitted": 2998}
    assert len(recording["media"]) == 10
    assert len(recording["reason"]) == 2000
    assert table.sizes[R, "RECORDING"] < 40_000


def _pieces(text: str) -> list[int]:
    """The length of each piece of an utterance, in characters."""
    return [len(piece.text) for page in transcript_pages([Utterance(text)]) for piece in page]
