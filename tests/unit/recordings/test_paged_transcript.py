"""Pages of insights that read about what they show: the same pages as those of the whole collection."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording_insights.model.insights import Emotion, Insights, Topic, Utterance, Word, in_order_of_time
from recording_insights.model.words import Words
from recording_insights.recordings.insights_answer import answer_insights, read_insights
from recording_insights.store import transcripts
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import media_key, recording_key, try_key
from tests.unit.fake_table import FakeTable

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"


def put_media(table: Any, media_id: str, insights: Insights, *, has_outline: bool = True, **row: Any) -> None:
    saved = InsightStore(table).save(R, media_id, 0, insights)
    of_try = {"shown_try": 0, "counts": saved.counts, **({"outline": saved.outline} if has_outline else {})}
    known = {"recording_id": R, "media_id": media_id, "status": "done", "arrived_at": "2026-03-12", **of_try}
    table.put_item(Item={**media_key(R, media_id), "key": media_id, **known, **row})


def put_recording(table: Any, **row: Any) -> None:
    table.put_item(
        Item={**recording_key(R), "recording_id": R, "status": "done", "provider": "marsview", "version": 1, **row}
    )


def pages_of(table: Any, **query: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = read_insights(R, {**query, **cursor}, store=InsightStore(table))
        yield page
        if "cursor" not in page:
            return
        cursor = {"cursor": page["cursor"]}


utterances = st.builds(
    Utterance,
    st.text("ab ", min_size=1, max_size=60),
    speaker=st.sampled_from(["A", "B", None]),
    start_ms=st.integers(0, 60) | st.none(),
    end_ms=st.integers(60, 99) | st.none(),
    sentiment=st.sampled_from([None, -1, 0.25, 0.5]),
)
timed = utterances.filter(lambda spoken: spoken.start_ms is not None)
insights_of_one = st.builds(
    Insights,
    st.lists(utterances, max_size=12) | st.lists(timed, max_size=40).map(in_order_of_time),
    sentiment=st.sampled_from([None, 0.5]),
    topics=st.just([Topic("ships")]),
    emotions=st.just([Emotion("joy", start_ms=3)]),
)


@given(
    found=st.lists(insights_of_one, min_size=1, max_size=4),
    is_of_tracks=st.booleans(),
    limit=st.integers(1, 20),
    starts=st.lists(st.integers(0, 40), min_size=4, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_the_pages_are_those_of_the_whole(
    found: list[Insights], is_of_tracks: bool, limit: int, starts: list[int]
) -> None:
    table: Any = FakeTable()
    put_recording(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcripts, "PAGE_BYTES", 1_200)
        for number, insights in enumerate(found):
            where = {"uid": str(number), "starts_at_ms": starts[number]} if is_of_tracks else {"part": number}
            put_media(table, f"m{number}", insights, **where)

    whole = answer_insights(R, InsightStore(table).read(R))
    pages = list(pages_of(table, limit=str(limit)))

    assert [line for page in pages for line in page["transcript"]] == whole["transcript"]
    assert max(len(page["transcript"]) for page in pages) <= limit
    for page in pages:
        assert {**page, "transcript": 0, "cursor": 0} == {**whole, "transcript": 0, "cursor": 0}


LINES = [Utterance(f"{n}: " + "so we ship the second part on Thursday " * 95, "A", n, n + 900) for n in range(5_000)]


@pytest.fixture(scope="module", params=[1, 3])
def large(request: pytest.FixtureRequest) -> Any:
    """A recording of 18 MB in so many tracks. It is only read."""
    table: Any = FakeTable()
    put_recording(table)
    for track in range(request.param):
        insights = Insights(LINES[track :: request.param])
        put_media(table, f"m{track}", insights, uid=str(track), starts_at_ms=0)
    assert sum(table.sizes.values()) > 18_000_000
    return table


def units_of(table: Any, **query: str) -> tuple[dict[str, Any], int]:
    before = table.read_units
    return read_insights(R, query, store=InsightStore(table)), table.read_units - before


def test_the_first_pages_of_a_large_collection_read_little(large: Any) -> None:
    first, units_of_first = units_of(large, limit="10")
    second, units_of_second = units_of(large, limit="10", cursor=first["cursor"])

    assert [line["start_ms"] for line in first["transcript"] + second["transcript"]] == list(range(20))
    assert max(units_of_first, units_of_second) <= 60


@pytest.mark.parametrize("large", [1], indirect=True)
def test_the_end_of_a_large_collection_reads_little(large: Any) -> None:
    last, units = units_of(large, cursor=f"m0-{len(LINES) - 5}")
    assert [line["start_ms"] for line in last["transcript"]] == [4995, 4996, 4997, 4998, 4999]
    assert units <= 60


@pytest.mark.parametrize("large", [1], indirect=True)
def test_a_full_page_reads_about_what_it_shows(large: Any) -> None:
    queries = large.queries
    page, units = units_of(large)

    shown = sum(len(line["text"]) for line in page["transcript"])
    assert shown > 4_000_000
    assert units * 4096 < 2 * shown
    assert large.queries - queries < 20


def test_insights_of_earlier_versions_are_read_whole() -> None:
    table: Any = FakeTable()
    put_recording(table)
    put_media(table, "m0", Insights([Utterance("a"), Utterance("b")]), has_outline=False, part=0)
    put_media(table, "m1", Insights([Utterance("c")]), part=1)

    texts = [[line["text"] for line in page["transcript"]] for page in pages_of(table, limit="2")]

    assert texts == [["a", "b"], ["c"]]


def test_while_a_newer_try_is_at_work_the_pages_are_those_of_the_try_that_is_shown() -> None:
    table: Any = FakeTable()
    put_recording(table, status="processing")
    put_media(table, "m0", Insights([Utterance("a"), Utterance("b")]), part=0)
    row = table.get_item(Key=media_key(R, "m0"))["Item"]
    of_try = {name: row.pop(name) for name in ("counts", "outline")}
    table.put_item(Item={**row, "status": "waiting", "try_number": 1})
    earlier = {"recording_id": R, "media_id": "m0", "number": 0, "status": "done", **of_try}
    table.put_item(Item={**try_key(R, "m0", 0), **earlier})

    assert [[line["text"] for line in page["transcript"]] for page in pages_of(table, limit="1")] == [["a"], ["b"]]


def test_words_come_with_the_times_of_the_recording_if_they_are_asked_for() -> None:
    table: Any = FakeTable()
    put_recording(table)
    words = [[Word("Good", 0, 400, 0.9), Word("day.", 400, 900)], []]
    spoken = [Utterance("Good day.", "A", 0, 900), Utterance("Yes.", "B", 1000, 1500)]
    put_media(table, "m0", Insights([Utterance("first", None, 0, 5000)]), part=0, duration_ms=5000)
    put_media(table, "m1", Insights(spoken), part=1, words="r/m1-0.words.json.gz")
    read: list[str] = []

    def read_words(key: str) -> Words:
        read.append(key)
        return words

    plain = read_insights(R, {}, store=InsightStore(table), read_words=read_words)
    assert not read
    paged = read_insights(R, {"include": "words"}, store=InsightStore(table), read_words=read_words)

    assert read == ["r/m1-0.words.json.gz"]
    assert [line.get("words") for line in paged["transcript"]] == [
        None,
        [
            {"text": "Good", "start_ms": 5000, "end_ms": 5400, "confidence": 0.9},
            {"text": "day.", "start_ms": 5400, "end_ms": 5900},
        ],
        None,
    ]
    assert [{k: v for k, v in line.items() if k != "words"} for line in paged["transcript"]] == plain["transcript"]
