from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from recording_insights.errors import ItemTooLarge
from recording_insights.model.insights import (
    ActionItem,
    Emotion,
    Entity,
    Insights,
    Question,
    Topic,
    Utterance,
    mean_sentiment,
)
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import insight_key, media_key
from recording_insights.store.transcripts import ITEM_BYTES, PAGE_BYTES, item_bytes, transcript_pages
from tests.unit.fake_table import FakeTable, wire_bytes

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"


MEDIA_ID = "0123456789abcdef0123"


class Saved:
    """Insights of one media object, saved, marked with a status as the workflow does, and read back.

    On the fake table where nothing else is said: moto takes a minute for large ones.
    """

    def __init__(self, insights: Insights, *, table: Any = None, status: str = "done") -> None:
        table = table or FakeTable()
        store = InsightStore(table)
        self.counts = store.save(R, MEDIA_ID, 0, insights).counts
        result = {"shown_try": 0, "counts": self.counts, "missing": [*insights.missing]}
        media_item = {"media_id": MEDIA_ID, "try_number": 0, "status": status, **result}
        table.put_item(Item={**media_key(R, MEDIA_ID), **media_item})
        collection = store.read(R)
        self.media = collection.media
        self.insights = collection.insights.get(MEDIA_ID, Insights())
        self.shown = MEDIA_ID in collection.insights
        if isinstance(table, FakeTable):
            self.queries = table.queries
            self.sizes = [size for (_, sk), size in table.sizes.items() if not sk.startswith("MEDIA#")]


def utterance(number: int, text: str = "so we ship the second part on Thursday and tell everybody") -> Utterance:
    return Utterance(
        text=f"{number}: {text}",
        speaker=str(number % 3),
        start_ms=number * 1000,
        end_ms=number * 1000 + 900,
        sentiment=(number % 5 - 2) / 2,
        confidence=0.875,
    )


class TestLargeCollections:
    def test_four_thousand_utterances_come_back_whole_and_in_order(self) -> None:
        words = "so we ship the second part on Thursday and tell everybody " * 7
        transcript = [Utterance(f"{n}: {words}", str(n % 3), start_ms=n * 1000) for n in range(4000)]

        saved = Saved(Insights(transcript=transcript))

        assert saved.insights.transcript == transcript
        assert max(saved.sizes) <= PAGE_BYTES
        assert saved.counts == {"transcript": len(saved.sizes)}
        assert sum(saved.sizes) / len(saved.sizes) > 0.8 * PAGE_BYTES, "pages are filled"
        assert saved.queries > 1, "it does not fit one page of a query"

    def test_more_than_9999_of_a_kind_stay_in_order(self, table: FakeTable, insight_store: InsightStore) -> None:
        numbers = (1, 2, 1001, 9998, 9999, 10_000, 10_001)
        counts = {"emotions": numbers[-1]}
        result = {"media_id": MEDIA_ID, "status": "done", "try_number": 0, "shown_try": 0, "counts": counts}
        table.put_item(Item={**media_key(R, MEDIA_ID), **result})
        for number in numbers:
            emotion = {"emotion": "joy", "start_ms": number}
            table.put_item(Item={**insight_key(R, MEDIA_ID, 0, "emotions", number), **emotion})

        read = insight_store.read(R).insights[MEDIA_ID].emotions

        assert [emotion.start_ms for emotion in read] == [*numbers]


def test_everything_comes_back(either_table: Any) -> None:
    insights = Insights(
        transcript=[Utterance("only text"), utterance(1)],
        summary="It was about ships.",
        topics=[Topic("ships", 0.5), Topic("parts")],
        action_items=[ActionItem("tell everybody", assignee="Ann", due="Thursday", priority="high")],
        follow_ups=[ActionItem("call again")],
        questions=[Question("when?", "Thursday"), Question("why?")],
        emotions=[Emotion("joy", "calm", 0.97, 0, 900)],
        entities=[Entity("Thursday", "date", 300, 600, 0.97), Entity("Thursday", "date", 700), Entity("Ann", "name")],
        sentiment=-0.25,
        language="en-GB",
        ratings={"agent": {"score": 7, "of": 10}, "words": ["a", True]},
        missing=("emotion_analysis: no reason given",),
    )

    saved = Saved(insights, table=either_table)

    assert saved.insights == insights
    assert saved.counts == {
        "transcript": 1,
        "topics": 2,
        "action_items": 1,
        "follow_ups": 1,
        "questions": 2,
        "emotions": 1,
        "entities": 3,
        "summary": 1,
        "sentiment": 1,
        "language": 1,
        "ratings": 1,
    }
    assert saved.media[MEDIA_ID]["counts"] == saved.counts


def test_a_collection_of_several_pages_comes_back(either_table: Any) -> None:
    insights = Insights(transcript=[utterance(n, "x" * 140_000) for n in range(10)], summary="long")

    saved = Saved(insights, table=either_table)

    assert saved.counts == {"transcript": 10, "summary": 1}
    assert saved.insights.transcript == insights.transcript
    assert saved.insights.summary == "long"


def test_nothing_found_is_saved_as_nothing() -> None:
    saved = Saved(Insights())

    assert saved.shown
    assert saved.counts == {}
    assert saved.insights.transcript == []


def test_what_a_longer_earlier_save_left_is_not_read(table: FakeTable, insight_store: InsightStore) -> None:
    long = Insights(
        transcript=[Utterance("x" * 100_000) for _ in range(7)],
        topics=[Topic("one"), Topic("two")],
        summary="a summary",
    )
    insight_store.save(R, MEDIA_ID, 0, long)

    saved = Saved(Insights(transcript=[Utterance("y")], topics=[Topic("three")]), table=table)

    assert saved.counts == {"transcript": 1, "topics": 1}
    assert len(table.items) > 3, "the rest is still there"
    assert saved.insights.transcript == [Utterance("y")]
    assert saved.insights.topics == [Topic("three")]
    assert saved.insights.summary is None


@pytest.mark.parametrize("status", ["waiting", "preparing", "submitted", "failed"])
def test_insights_of_unfinished_media_are_not_shown(status: str) -> None:
    assert not Saved(Insights(summary="half"), status=status).shown


def test_a_recording_that_is_not_there_is_an_empty_collection(insight_store: InsightStore) -> None:
    collection = insight_store.read("0" * 32)

    assert (collection.recording, collection.media, collection.insights) == ({}, {}, {})


class TestGiantUtterances:
    @pytest.mark.parametrize(
        "text",
        [
            " ".join(f"word{number}" * 3 for number in range(20_000)),
            "x" * 700_000,
            "🎙" * 200_000,
            " ".join("日本語" * 9 for _ in range(9_000)),
            "short " + "y" * 400_000 + " end",
        ],
        ids=["words", "one word", "emoji", "kana", "mixed"],
    )
    def test_they_are_split_and_nothing_is_lost(self, text: str) -> None:
        giant = Utterance(text, speaker="1", start_ms=5, end_ms=9, sentiment=1)

        saved = Saved(Insights(transcript=[utterance(0), giant, utterance(1)]))

        read = saved.insights.transcript
        assert read[0] == utterance(0)
        assert read[-1] == utterance(1)
        assert "".join(piece.text for piece in read[1:-1]).replace(" ", "") == text.replace(" ", "")
        assert {(piece.speaker, piece.start_ms, piece.end_ms) for piece in read[1:-1]} == {("1", 5, 9)}
        assert max(saved.sizes) <= ITEM_BYTES

    def test_words_are_not_torn_apart(self) -> None:
        text = " ".join(f"word{number}" * 3 for number in range(20_000))

        pieces = [piece.text for page in transcript_pages([Utterance(text)]) for piece in page]

        assert len(pieces) > 1
        assert " ".join(pieces) == text

    @pytest.mark.parametrize("text", ["", " ", "  two  blanks  "])
    def test_others_are_left_as_they_are(self, text: str) -> None:
        assert list(transcript_pages([Utterance(text)])) == [[Utterance(text)]]


@pytest.mark.parametrize(
    "insights",
    [
        Insights(summary="s" * ITEM_BYTES),
        Insights(summary="s" * (ITEM_BYTES - 20)),
        Insights(topics=[Topic("short"), Topic("語" * (ITEM_BYTES // 3))]),
        Insights(ratings={"comment": "r" * ITEM_BYTES}),
    ],
    ids=["summary", "summary with its keys", "topic", "ratings"],
)
def test_an_insight_over_the_limit_is_refused(insights: Insights) -> None:
    with pytest.raises(ItemTooLarge, match=r"(summary 1|topics 2|ratings 1) is over 300000 bytes"):
        Saved(insights)


def test_an_insight_of_just_the_limit_is_an_item_under_it_and_a_byte_more_is_refused() -> None:
    """1,000 bytes of an item are for its keys."""
    empty = item_bytes({"value": ""})
    longest = "s" * (ITEM_BYTES - 1_000 - empty)
    (size,) = Saved(Insights(summary=longest)).sizes

    assert size <= ITEM_BYTES
    with pytest.raises(ItemTooLarge):
        Saved(Insights(summary=f"{longest}s"))


@pytest.mark.parametrize("number", [1e-200, 0.1234567890123456789, 1e200, float("nan"), float("inf"), 3**99])
def test_no_number_keeps_insights_out_of_the_table(either_table: Any, number: float) -> None:
    insights = Insights(transcript=[Utterance("a", confidence=number)], ratings={"score": number, "others": [number]})

    saved = Saved(insights, table=either_table)

    assert saved.counts == {"transcript": 1, "ratings": 1}
    assert [utterance.text for utterance in saved.insights.transcript] == ["a"]


@pytest.mark.parametrize(
    "value",
    [
        *("", "ascii", "Ünïcödé", "日本語", "🎙️👩‍👩‍👧"),
        *(0, 7, -7, 10**15, -(10**37), Decimal("0.1"), Decimal("-123.456"), Decimal("1E+30"), Decimal("1E-30")),
        *(True, False, None, [], {}),
        *(["a", ["b", {"c": None}]], {"ключ": "значение", "n": [1, 2, 3], "m": {"x": Decimal("0.875")}}),
    ],
    ids=repr,
)
def test_the_size_of_a_value_is_never_below_dynamodbs(value: Any) -> None:
    exact = wire_bytes({"": TypeSerializer().serialize(value)})

    assert exact <= item_bytes(value)
    if isinstance(value, str):
        assert item_bytes(value) == exact


@pytest.mark.parametrize("value", [0.5, object(), [0.5], {"a": {1, 2}}])
def test_a_value_that_dynamodb_does_not_take_has_no_size(value: Any) -> None:
    with pytest.raises(TypeError, match="no size known"):
        item_bytes(value)


@pytest.mark.parametrize(
    ("utterances", "mean"),
    [
        ([], None),
        ([Utterance("a")], None),
        ([Utterance("", sentiment=1)], None),
        ([Utterance("ab", sentiment=1)], "1.00"),
        ([Utterance("abc", sentiment=1), Utterance("d", sentiment=-1), Utterance("ignored")], "0.50"),
        ([Utterance("a", sentiment=1), Utterance("bc", sentiment=0)], "0.33"),
        ([Utterance("a", sentiment=-0.5)], "-0.50"),
    ],
)
def test_the_sentiment_of_the_whole_weighs_by_length(utterances: Sequence[Utterance], mean: str | None) -> None:
    assert mean_sentiment(utterances) == (None if mean is None else float(mean))


def test_what_an_earlier_version_saved_is_read_without_a_try(table: FakeTable, insight_store: InsightStore) -> None:
    """Rows and keys as the version before tries wrote them."""
    row = {"media_id": MEDIA_ID, "status": "done", "provider": "marsview", "counts": {"transcript": 1, "topics": 1}}
    table.put_item(Item={**media_key(R, MEDIA_ID), **row})
    table.put_item(Item={"pk": R, "sk": f"TRANSCRIPT#{MEDIA_ID}#0001", "utterances": [{"text": "Good morning."}]})
    table.put_item(Item={"pk": R, "sk": f"INSIGHT#{MEDIA_ID}#topics#0001", "text": "mornings"})

    found = insight_store.read(R).insights[MEDIA_ID]

    assert [line.text for line in found.transcript] == ["Good morning."]
    assert [topic.text for topic in found.topics] == ["mornings"]
