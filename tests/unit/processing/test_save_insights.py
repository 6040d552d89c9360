import pytest

from recording_insights.errors import (
    ItemTooLarge,
    ProviderRejected,
)
from recording_insights.model.insights import Insights, Topic, Utterance
from recording_insights.providers.port import JobState
from recording_insights.store.insights import InsightStore
from tests.unit.processing.flow import Flow, R


@pytest.fixture
def insight_store(submitted: Flow) -> InsightStore:
    return InsightStore(submitted.store.table)


class TestSave:
    @pytest.fixture
    def replied(self, submitted: Flow) -> Flow:
        """The provider's reply lies in the bucket."""
        submitted.provider.polls, submitted.provider.replies = [JobState("succeeded", "processed")], [b"{}"]
        submitted.poll()
        return submitted

    def test_insights_are_written_and_the_media_object_is_done(
        self, replied: Flow, insight_store: InsightStore
    ) -> None:
        replied.provider.insights = Insights(
            transcript=[Utterance("a", sentiment=0.5)], topics=[Topic("x"), Topic("y")]
        )

        counts = replied.save(insight_store)

        assert counts == {"transcript": 1, "topics": 2}
        assert (replied.item["status"], replied.item["counts"]) == ("done", counts)
        collection = insight_store.read(R)
        assert collection.recording["status"] == "done"
        assert collection.insights[replied.media.media_id].transcript == replied.provider.insights.transcript

    def test_a_partial_result_is_kept_and_named(self, submitted: Flow, insight_store: InsightStore) -> None:
        submitted.provider.polls = [JobState("succeeded", "error, processed", missing=["emotion_analysis: x"])]
        submitted.provider.replies = [b"{}"]
        submitted.provider.insights = Insights(summary="half")
        submitted.poll()

        submitted.save(insight_store)

        collection = insight_store.read(R)
        assert collection.recording["status"] == "partial"
        assert collection.insights[submitted.media.media_id] == Insights(
            transcript=[],
            topics=[],
            action_items=[],
            follow_ups=[],
            questions=[],
            emotions=[],
            summary="half",
            missing=("emotion_analysis: x",),
        )

    def test_a_second_save_is_the_same(self, replied: Flow, insight_store: InsightStore) -> None:
        replied.provider.insights = Insights(summary="once")
        replied.save(insight_store)
        before = insight_store.table.scan()["Items"]
        replied.clock.elapsed = 99

        replied.save(insight_store)

        assert insight_store.table.scan()["Items"] == before

    @pytest.mark.parametrize(
        ("error", "fault"),
        [
            (KeyError("data"), "it has no field data"),
            (LookupError("the reply has no transcript"), "the reply has no transcript"),
            (ValueError("messages is no list"), "messages is no list"),
            (IndexError("x"), "its fields are not of the promised types"),
            (TypeError("x"), "its fields are not of the promised types"),
            (AttributeError("x"), "its fields are not of the promised types"),
            (ArithmeticError("x"), "its fields are not of the promised types"),
        ],
    )
    def test_a_reply_that_cannot_be_read_is_named_in_words_with_its_place(
        self, replied: Flow, insight_store: InsightStore, error: Exception, fault: str
    ) -> None:
        replied.provider.insights = error

        with pytest.raises(ProviderRejected) as raised:
            replied.save(insight_store)

        place = f"{R}/{replied.media.media_id}.json"
        assert str(raised.value) == f"marsview's reply does not match its contract: {fault}; stored as {place}"
        assert replied.item["status"] == "submitted"

    def test_what_does_not_fit_is_said_so(self, replied: Flow, insight_store: InsightStore) -> None:
        replied.provider.insights = Insights(summary="s" * 400_000)

        with pytest.raises(ItemTooLarge, match="summary"):
            replied.save(insight_store)
