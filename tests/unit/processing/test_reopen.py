"""A media object that ended is processed again, without paying twice for what is there."""

from typing import Any

import pytest

from recording_insights.errors import Conflict
from recording_insights.model.cost import MediaCost
from recording_insights.model.insights import Insights, Utterance
from recording_insights.processing.reopen import Start, reopen
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow
from tests.unit.conftest import MakeMedia
from tests.unit.fake_table import FakeTable
from tests.unit.processing.flow import JOB, R

Rows = Any


@pytest.fixture
def failed(store: MediaStore, make_media: MakeMedia) -> Any:
    """Gives the row of a media object that failed with these attributes."""
    media = make_media("talk.mp4")
    store.admit(R, media, providers=["marsview"], duration_ms=60_000)

    def call(code: str = "no_result", *, submitted: bool = True, **attributes: Any) -> MediaRow:
        if submitted:
            store.submitted(R, media.media_id, job=JOB)
        store.finish(R, media.media_id, "failed", reason="because", reason_code=code, **attributes)
        return store.get(R, media.media_id)

    return call


@pytest.mark.parametrize(
    ("attributes", "start", "status", "began"),
    [
        ({"reply": "kept.json"}, None, "submitted", "saved"),
        ({}, None, "submitted", "job"),
        ({"reply": "gone.json", "began_from": "saved"}, None, "submitted", "job"),
        ({"code": "job_failed"}, None, "waiting", "media"),
        ({"submitted": False}, None, "waiting", "media"),
        ({"reply": "kept.json"}, "job", "submitted", "job"),
        ({"reply": "kept.json"}, "media", "waiting", "media"),
    ],
)
def test_a_try_begins_as_late_as_it_can_or_where_it_is_told(
    failed: Any, store: MediaStore, attributes: Any, start: Start | None, status: str, began: str
) -> None:
    row = reopen(failed(**attributes), store=store, start=start)

    assert (row["status"], row["began_from"], row["try_number"]) == (status, began, 1)
    assert row.get("job") == (None if began == "media" else JOB)
    assert ("reply" in row) == (began == "saved")
    assert not {"reason", "reason_code", "finished_at"} & row.keys()
    assert row["execution"].endswith("-1")
    assert store.recordings.get(R)["status"] == "processing"
    [earlier] = store.tries.of(R, row["media_id"])
    assert (earlier["number"], earlier["status"], earlier["reason"]) == (0, "failed", "because")
    assert earlier.get("paid_ms") == (None if attributes.get("submitted") is False else 60_000)


def test_another_provider_or_other_options_begin_with_the_media_object(failed: Any, store: MediaStore) -> None:
    row = reopen(failed(reply="kept.json"), store=store, provider="deepgram", options={"language": "de"})

    assert (row["status"], row["provider"], row["options"]) == ("waiting", "deepgram", {"language": "de"})
    assert "job" not in row


@pytest.mark.parametrize(
    ("start", "given", "words"),
    [
        ("saved", {}, "has no kept reply to begin from"),
        ("job", {"submitted": False}, "has no job to begin from"),
    ],
)
def test_there_must_be_something_to_begin_from(
    failed: Any, store: MediaStore, start: Start, given: Any, words: str
) -> None:
    with pytest.raises(Conflict, match=words):
        reopen(failed(**given), store=store, start=start)


def test_what_is_at_work_or_done_is_refused(store: MediaStore, make_media: MakeMedia) -> None:
    media = make_media()
    store.admit(R, media, providers=["marsview"])
    with pytest.raises(Conflict, match="is at work: its status is waiting"):
        reopen(store.get(R, media.media_id), store=store)
    store.finish(R, media.media_id, "done")

    with pytest.raises(Conflict, match="is done; with force"):
        reopen(store.get(R, media.media_id), store=store)
    assert reopen(store.get(R, media.media_id), store=store, force=True)["try_number"] == 1


def test_of_two_retries_at_once_one_begins(failed: Any, store: MediaStore) -> None:
    row = failed()
    reopen(row, store=store)

    with pytest.raises(Conflict, match="has just been changed"):
        reopen(row, store=store)
    assert store.get(R, row["media_id"])["try_number"] == 1


class TestShownInsights:
    """The insights of the last try that was finished are shown."""

    @pytest.fixture
    def again(self, store: MediaStore, table: FakeTable, make_media: MakeMedia) -> "Again":
        return Again(store, table, make_media)

    def test_those_of_before_are_shown_while_a_newer_try_is_at_work(self, again: "Again") -> None:
        again.save("before")
        again.reopen(provider="deepgram")

        assert again.shown == ("marsview", ["before"])
        again.save("after", status="submitted")
        assert again.shown == ("marsview", ["before"]), "what a try has saved before it ended is not shown"

    def test_a_newer_try_replaces_them_when_it_is_finished(self, again: "Again") -> None:
        again.save("before")
        again.reopen(provider="deepgram")
        again.save("after")

        assert again.shown == ("deepgram", ["after"])

    def test_they_stay_if_a_newer_try_fails(self, again: "Again") -> None:
        again.save("before")
        for number in (1, 2):
            again.reopen(provider="deepgram")
            again.fail(f"refused {number}")

            row = again.row
            assert (row["status"], row["shown_try"], row["provider"]) == ("done", 0, "marsview")
            assert row["reason"].endswith(f"are shown: refused {number}")
            assert row["reason_code"] == "credentials_refused"
            assert again.shown == ("marsview", ["before"])
        assert [(each["number"], each["status"]) for each in again.tries] == [(0, "done"), (1, "failed"), (2, "failed")]
        again.reopen(provider="symbl")
        again.save("after")
        assert again.shown == ("symbl", ["after"])
        assert again.row["try_number"] == 3


class Again:
    """A media object that is processed several times."""

    def __init__(self, store: MediaStore, table: FakeTable, make_media: MakeMedia) -> None:
        fake: Any = table
        self.store, self.insights = store, InsightStore(fake)
        media = make_media()
        self.media_id = media.media_id
        store.admit(R, media, providers=["marsview"])

    @property
    def row(self) -> MediaRow:
        return self.store.get(R, self.media_id)

    @property
    def tries(self) -> Rows:
        return self.store.tries.of(R, self.media_id)

    @property
    def shown(self) -> tuple[str, list[str]]:
        """The provider and the words of the insights that are shown."""
        collection = self.insights.read(R)
        words = [line.text for line in collection.insights[self.media_id].transcript]
        return collection.media[self.media_id]["provider"], words

    def reopen(self, provider: str) -> None:
        reopen(self.row, store=self.store, provider=provider, force=True)

    def save(self, words: str, status: str = "done") -> None:
        number = self.row["try_number"]
        counts = self.insights.save(R, self.media_id, number, Insights(transcript=[Utterance(words)])).counts
        if status == "done":
            self.store.finish(R, self.media_id, "done", counts=counts)

    def fail(self, reason: str) -> None:
        self.store.finish(R, self.media_id, "failed", reason=reason, reason_code="credentials_refused")


def test_the_counts_of_earlier_executions_are_kept(failed: Any, store: MediaStore) -> None:
    counted = failed(transitions=7, calls=3)
    for _ in range(2):
        again = reopen(counted, store=store, start="media")
        assert (again["transitions_before"], again["calls_before"], "calls" in again) == (7, 3, False)
        assert MediaCost.of(again, ()).calls == 1 + 3, "with that of the arrival"
        store.finish(R, again["media_id"], "failed", reason="because", reason_code="no_result")
        counted = store.get(R, again["media_id"])

    again = reopen(counted, store=store, start="media")
    store.note(R, again["media_id"], transitions=5, calls=2)
    taken = store.appoint(store.get(R, again["media_id"]), "by-hand")
    assert taken
    assert (taken["transitions_before"], taken["calls_before"]) == (12, 5)


def test_a_failed_try_counts_also_if_an_earlier_one_is_shown_again(failed: Any, store: MediaStore) -> None:
    media_id = failed()["media_id"]
    reopen(store.get(R, media_id), store=store)
    store.finish(R, media_id, "done", transitions=7, calls=3)
    reopen(store.get(R, media_id), store=store, start="media", force=True)
    store.finish(R, media_id, "failed", reason="because", reason_code="no_result", transitions=4, calls=2)

    row = store.get(R, media_id)
    assert row["status"] == "done"
    assert (MediaCost.of(row, ()).transitions, MediaCost.of(row, ()).calls) == (11, 6)
