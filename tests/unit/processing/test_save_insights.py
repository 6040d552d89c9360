from typing import Any

import pytest

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import (
    ItemTooLarge,
    ProviderRejected,
)
from recording_insights.model import insights
from recording_insights.model.insights import Entity, Insights, Topic, Utterance, Word
from recording_insights.model.words import Words, unpacked
from recording_insights.providers.port import JobState
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeClock
from tests.unit.processing.flow import JOB, Flow, R


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

    def test_words_are_written_before_the_row_that_points_to_them(
        self, replied: Flow, insight_store: InsightStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        line = Utterance("Good day.", "A", 0, 900, words=[Word("Good", 0, 400), Word("day.", 400, 900)])
        replied.provider.insights = Insights(transcript=[line, Utterance("Yes.")])
        finish = MediaStore.finish
        read: list[Words] = []

        def finish_with_words(store: MediaStore, *args: Any, **changes: Any) -> None:
            read.append(unpacked(replied.replies.read(changes["words"])))
            finish(store, *args, **changes)

        monkeypatch.setattr(MediaStore, "finish", finish_with_words)
        replied.save(insight_store)

        assert read == [[line.words, []]]
        assert replied.item["words"] == f"{R}/{replied.media.media_id}-0.words.json.gz"
        assert replied.item["outline"]["lines"] == [2]

    def test_without_words_there_is_no_object(self, replied: Flow, insight_store: InsightStore) -> None:
        replied.provider.insights = Insights(transcript=[Utterance("Yes.")])
        replied.save(insight_store)
        assert "words" not in replied.item

    def test_of_a_track_the_uid_is_the_speaker(
        self, store: MediaStore, replies: ReplyStore, clock: FakeClock, make_media: MakeMedia
    ) -> None:
        flow = Flow(store, replies, clock, make_media(f"{R}_team__uid_s_1001__uid_e_audio.m3u8"))
        media_id, insight_store = flow.media.media_id, InsightStore(store.table)
        store.submitted(R, media_id, job=JOB, reason="a fault that has passed")
        store.note(R, media_id, reply=replies.keep(R, media_id, 0, b"{}"))
        found = [Utterance("a", "Speaker 1", 0, 900, 0.5), Utterance("b", "Speaker 2"), Utterance("c")]
        flow.provider.insights = Insights(transcript=found)

        flow.save(insight_store)

        saved = insight_store.read(R).insights[media_id].transcript
        assert saved == [Utterance("a", "1001", 0, 900, 0.5), Utterance("b", "1001"), Utterance("c", "1001")]
        assert "reason" not in flow.item

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
            entities=[],
            summary="half",
            missing=("emotion_analysis: x",),
        )

    def test_what_only_the_reply_shows_as_missing_is_named_too(
        self, submitted: Flow, insight_store: InsightStore
    ) -> None:
        submitted.provider.polls = [JobState("succeeded", "done", missing=["summary: failed"])]
        submitted.provider.replies = [b"{}"]
        submitted.provider.insights = Insights(missing=["topics: not found", "summary: failed"])
        submitted.poll()

        submitted.save(insight_store)

        assert submitted.item["missing"] == ["summary: failed", "topics: not found"]
        assert insight_store.read(R).recording["status"] == "partial"

    def test_entities_without_end_are_cut_and_named(
        self, replied: Flow, insight_store: InsightStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(insights, "MOST_ENTITIES", 2)
        replied.provider.insights = Insights(entities=[Entity("two", "number", n) for n in range(5)])

        replied.save(insight_store)

        assert replied.item["counts"] == {"entities": 2}
        assert replied.item["missing"] == ["entities: 3 after the first 2 are left out"]

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
            (RecursionError("x"), "its fields are not of the promised types"),
        ],
    )
    def test_a_reply_that_cannot_be_read_is_named_in_words_with_its_place(
        self, replied: Flow, insight_store: InsightStore, error: Exception, fault: str
    ) -> None:
        replied.provider.insights = error

        with pytest.raises(ProviderRejected) as raised:
            replied.save(insight_store)

        place = f"{R}/{replied.media.media_id}-0.json"
        assert str(raised.value) == f"marsview's reply does not match its contract: {fault}; stored as {place}"
        assert replied.item["status"] == "submitted"

    def test_what_does_not_fit_is_said_so(self, replied: Flow, insight_store: InsightStore) -> None:
        replied.provider.insights = Insights(summary="s" * 400_000)

        with pytest.raises(ItemTooLarge, match="summary"):
            replied.save(insight_store)
