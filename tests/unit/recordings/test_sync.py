"""The list in the order of changes, and whole recordings with their insights."""

from typing import Any

import pytest

from recording_insights.errors import InvalidRequest
from recording_insights.model.insights import Insights, Utterance
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.recordings.list import list_recordings
from recording_insights.recordings.sync import PAGE_BYTES, Sync
from recording_insights.recordings.transcript_page import response_bytes
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import RECEIPT, SORT, change_of_row, media_key, recording_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock
from tests.unit.recordings.stored import put

A, B, C, D = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
BEGINNING = "2026-03-01T00:00:00Z"


def day(number: int) -> str:
    return f"2026-03-{number:02}T00:00:00.000000Z"


def changed(table: Any, recording_id: str, status: str, moment: str, **attributes: Any) -> None:
    """A recording that began on the first day, and has one media object."""
    place = change_of_row(recording_id, moment)
    put(table, recording_id, status, day(1), updated_at=moment, **place, **attributes)


def heard(table: Any, recording_id: str, *texts: str) -> None:
    """The transcript of a recording's only media object."""
    transcript = [Utterance(text, start_ms=number) for number, text in enumerate(texts)]
    saved = InsightStore(table).save(recording_id, "m", 0, Insights(transcript=transcript))
    media = {"media_id": "m", "recording_id": recording_id, "key": "k", "status": "done", "arrived_at": "2026"}
    table.put_item(Item={**media_key(recording_id, "m"), **media, "shown_try": 0, "counts": saved.counts})


@pytest.fixture
def store(recording_store: RecordingStore) -> RecordingStore:
    return recording_store


@pytest.fixture
def sync(store: RecordingStore, insight_store: InsightStore, clock: FakeClock) -> Sync:
    return Sync(store, insight_store, clock.deadline())


def ids(answer: Any) -> list[str]:
    return [recording["recording_id"] for recording in answer["recordings"]]


class TestList:
    def test_changes_come_in_their_order_and_the_cursor_goes_on_for_ever(
        self, store: RecordingStore, table: Any, clock: FakeClock
    ) -> None:
        for number, recording_id in enumerate((C, A, B), start=2):
            changed(table, recording_id, "done", day(number))
        query = {"updated_since": BEGINNING, "limit": "2"}

        first = list_recordings(query, store=store)
        last = list_recordings({**query, "cursor": first["cursor"]}, store=store)
        nothing = list_recordings({**query, "cursor": last["cursor"]}, store=store)
        store.update(C, {"reason": "again"})
        clock.elapsed = 11
        again = list_recordings({**query, "cursor": nothing["cursor"]}, store=store)

        assert [(ids(page), page["more"]) for page in (first, last, nothing, again)] == [
            ([C, A], True),
            ([B], False),
            ([], False),
            ([C], False),
        ]
        assert again["recordings"][0]["version"] == 2

    def test_what_has_not_changed_since_is_left_out(self, store: RecordingStore, table: Any) -> None:
        changed(table, A, "done", day(2))
        changed(table, B, "done", day(3))
        assert ids(list_recordings({"updated_since": day(3)}, store=store)) == [B]

    def test_all_filters_have_to_fit(self, store: RecordingStore, table: Any) -> None:
        changed(table, A, "done", day(2), channel="team", reference="r")
        changed(table, B, "failed", day(3), channel="team", reference="r")
        changed(table, C, "done", day(4), channel="other", reference="s")

        def found(**filters: str) -> list[str]:
            return ids(list_recordings({"updated_since": BEGINNING, **filters}, store=store))

        assert found(status="done") == [A, C]
        assert found(channel="team", status="failed,empty") == [B]
        assert found(reference="s") == [C]
        assert found(since=day(1), until=day(2)) == [A, B, C]
        assert found(since=day(2)) == found(until=day(1)) == []

    def test_one_that_changed_meanwhile_and_one_that_is_gone_are_left_out(
        self, store: RecordingStore, table: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changed(table, A, "done", day(2))
        changed(table, B, "done", day(3))
        old = [*store.changes.after("0")]
        store.update(A, {"reason": "later"})
        table.delete_item(Key=recording_key(B))
        monkeypatch.setattr("recording_insights.store.changes.ChangeStore.after", lambda self, place: iter(old))

        answer = list_recordings({"updated_since": BEGINNING}, store=store)

        assert (ids(answer), answer["more"]) == ([], False)

    @pytest.mark.parametrize("other", [{}, {"updated_since": BEGINNING}])
    def test_a_cursor_of_the_other_order_is_refused(self, store: RecordingStore, table: Any, other: Any) -> None:
        for recording_id in (A, B):
            changed(table, recording_id, "done", day(2))
        own = {} if other else {"updated_since": BEGINNING}
        cursor = list_recordings({**own, "limit": "1"}, store=store)["cursor"]

        with pytest.raises(InvalidRequest, match="cursor: must be the cursor of the page before"):
            list_recordings({**other, "cursor": cursor}, store=store)


class TestSync:
    def test_an_entry_is_what_the_insights_of_the_recording_are(self, sync: Sync, store: Any, table: Any) -> None:
        of_row = {"reference": "ticket", "metadata": {"team": "north"}, "duration_ms": 5}
        changed(table, A, "done", day(2), channel="team", **of_row)
        heard(table, A, "Good morning.", "Hello.")

        [entry] = sync.page({})["recordings"]

        alone = answer_insights(A, InsightStore(table).read(A))
        assert len(alone["transcript"]) == 2
        title = {"channel": "team", "created_at": day(1)}
        assert entry == {**alone, **title, **of_row, "updated_at": day(2), "version": 1}

    def test_recordings_come_when_they_have_ended_or_are_erased(self, sync: Sync, table: Any) -> None:
        for number, status in enumerate(("starting", "recording", "stopping", "processing", "done", "failed"), start=2):
            changed(table, f"{number}" * 32, status, day(number))
        table.put_item(Item={**recording_key(D), SORT: RECEIPT, **change_of_row(D, day(9))})

        answer = sync.page({})

        assert [(entry["recording_id"][:1], entry["status"]) for entry in answer["recordings"]] == [
            ("6", "done"),
            ("7", "failed"),
            ("d", "erased"),
        ]
        assert answer["recordings"][-1] == {"recording_id": D, "status": "erased"}
        assert sync.page({"cursor": answer["cursor"]}) == {"recordings": [], "cursor": answer["cursor"], "more": False}

    def test_an_answer_has_five_megabytes_at_most(self, sync: Sync, table: Any) -> None:
        for number, recording_id in enumerate((A, B, C), start=2):
            changed(table, recording_id, "done", day(number))
            heard(table, recording_id, *["x" * 100_000] * 24)

        first = sync.page({})
        second = sync.page({"cursor": first["cursor"]})

        assert [(ids(page), page["more"]) for page in (first, second)] == [([A, B], True), ([C], False)]
        assert response_bytes(first) < PAGE_BYTES + 1000

    def test_a_recording_that_is_too_long_says_where_its_pages_are(self, sync: Sync, table: Any) -> None:
        for number, (recording_id, hundreds) in enumerate(((A, 52), (B, 60), (C, 1)), start=2):
            changed(table, recording_id, "partial", day(number), reference="ticket")
            heard(table, recording_id, *["x" * 100_000] * hundreds)

        first = sync.page({})
        second = sync.page({"cursor": first["cursor"]})

        assert ids(first) == [A], "alone it fits"
        assert ids(second) == [B, C]
        assert second["recordings"][0] == {
            "recording_id": B,
            "status": "partial",
            "insights": "off",
            "updated_at": day(3),
            "version": 1,
            "reference": "ticket",
            "read_at": f"/recordings/{B}/insights",
        }

    def test_a_recording_that_changes_while_it_is_read_comes_later(
        self, sync: Sync, store: RecordingStore, table: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changed(table, A, "done", day(2))
        read = InsightStore.read

        def interrupted(insights: InsightStore, recording_id: str) -> Any:
            if clock.elapsed == 0:
                store.update(A, {"reason": "again"})
            return read(insights, recording_id)

        monkeypatch.setattr(InsightStore, "read", interrupted)

        first = sync.page({})
        clock.elapsed = 11
        second = sync.page({"cursor": first["cursor"]})

        assert (ids(first), ids(second)) == ([], [A])
        assert second["recordings"][0]["version"] == 2

    def test_a_page_ends_in_time_and_says_that_there_is_more(
        self, store: RecordingStore, insight_store: InsightStore, table: Any, clock: FakeClock
    ) -> None:
        for number, recording_id in enumerate((A, B), start=2):
            changed(table, recording_id, "done", day(number))

        answer = Sync(store, insight_store, clock.deadline(seconds=9)).page({})

        assert (ids(answer), answer["more"]) == ([A], True)

    def test_a_limit_and_a_moment_bound_the_page(self, sync: Sync, table: Any) -> None:
        for number, recording_id in enumerate((A, B, C), start=2):
            changed(table, recording_id, "done", day(number))
        assert ids(sync.page({"updated_since": day(3), "limit": "1"})) == [B]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("limit", "101"),
            ("updated_since", "today"),
            ("cursor", "!"),
            ("cursor", "WyIyMDI2IiwgImEiXQ"),
            ("cursor", "WyJjaGFuZ2VzIiwgIlx1ZDgwMCJd"),
            ("status", "done"),
        ],
        ids=["limit", "moment", "no cursor", "cursor of the list", "half a character", "unknown"],
    )
    def test_a_wrong_parameter_is_named(self, sync: Sync, name: str, value: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            sync.page({name: value})
        assert refusal.value.field == name
