"""The other steps of the sweep: rows without an execution, jobs and results that nobody fetched, dead letters."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from recording_insights.aws.dead_letters import DeadLetter, DeadLetters
from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.errors import NotFound
from recording_insights.model.moments import utc_text
from recording_insights.store.keys import media_key, recording_key
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow
from recording_insights.sweep.dead_letters import bring_back, handle_dead_letters
from recording_insights.sweep.jobs_not_fetched import fetch_forgotten_jobs
from recording_insights.sweep.results import receive_results
from recording_insights.sweep.rows_without_execution import begin_rows_without_execution
from recording_insights.sweep.step import Ages
from recording_insights.sweep.uploads import end_missing_uploads
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock


@pytest.fixture
def recordings(table: FakeTable, clock: FakeClock) -> RecordingStore:
    return RecordingStore(cast(Any, table), clock.now, clock.sleep)


def put(store: RecordingStore, name: str, status: str, *media: str, age: timedelta, **attributes: Any) -> None:
    """A recording that began and last changed so long ago, with media objects of these statuses."""
    at = utc_text(store.now() - age)
    row: dict[str, Any] = {"recording_id": name, "status": status, "created_at": at, "updated_at": at, "version": 1}
    store.table.put_item(Item={**recording_key(name), **row})
    for number, each in enumerate(media):
        item: dict[str, Any] = {
            "recording_id": name,
            "media_id": f"m{number}",
            "status": each,
            "finished_at": at,
            **attributes,
        }
        store.table.put_item(Item={**media_key(name, f"m{number}"), **item})


class TestMissingUploads:
    def test_what_nobody_sent_ends(self, recordings: RecordingStore, clock: FakeClock) -> None:
        now = recordings.now()
        for name, hours in (("overdue", 2), ("on its way", 0.5)):
            put(recordings, name, "starting", age=timedelta(hours=hours))
            at = utc_text(now - timedelta(hours=hours))
            recordings.update(name, {"upload_expires_at": at})
        put(recordings, "of a recorder", "starting", age=timedelta(days=1))

        step = end_missing_uploads(store=recordings, after="", deadline=clock.deadline(300))

        assert (step.counts, step.cursor) == ({"missing": 1}, None)
        statuses = {name: recordings.get(name)["status"] for name in ("overdue", "on its way", "of a recorder")}
        assert statuses == {"overdue": "empty", "on its way": "starting", "of a recorder": "starting"}

    def test_the_next_sweep_goes_on_where_this_one_stopped(self, recordings: RecordingStore, clock: FakeClock) -> None:
        put(recordings, "r", "starting", age=timedelta(hours=1))
        assert end_missing_uploads(store=recordings, after="place", deadline=clock.deadline(1)).cursor == "place"


class TestRowsWithoutExecution:
    def begin_all(self, store: RecordingStore, clock: FakeClock, **more: Any) -> tuple[Any, list[str]]:
        begun: list[str] = []

        def begin(row: MediaRow) -> str | None:
            clock.elapsed += more.get("slow", 0)
            begun.append(f"{row['recording_id']}/{row['media_id']}")
            return "name"

        deadline = clock.deadline(more.get("seconds", 300))
        step = begin_rows_without_execution(
            store=store, begin=begin, after=more.get("after", ""), deadline=deadline, age=Ages().rows
        )
        return step, begun

    def test_unfinished_media_of_quiet_recordings_are_begun(self, recordings: RecordingStore, clock: FakeClock) -> None:
        put(recordings, "stuck", "processing", "done", "submitted", "waiting", age=timedelta(hours=1))
        put(recordings, "at work", "processing", "waiting", age=timedelta(minutes=1))
        put(recordings, "over", "done", "done", age=timedelta(hours=1))
        step, begun = self.begin_all(recordings, clock)
        assert begun == ["stuck/m1", "stuck/m2"]
        assert (step.counts, step.cursor) == ({"unfinished": 2}, None)

    def test_the_next_sweep_goes_on_where_this_one_stopped(self, recordings: RecordingStore, clock: FakeClock) -> None:
        for number in range(3):
            put(recordings, f"r{number}", "processing", "waiting", age=timedelta(hours=1 + number))
        first, begun = self.begin_all(recordings, clock, slow=100, seconds=150)
        assert begun == ["r0/m0", "r1/m0"]
        rest, begun = self.begin_all(recordings, clock, after=first.cursor)
        assert begun == ["r2/m0"]
        assert rest.cursor is None


class TestJobsNotFetched:
    def fetch(self, store: RecordingStore, clock: FakeClock) -> list[str]:
        fetched: list[str] = []

        def retry(row: MediaRow) -> bool:
            fetched.append(row["recording_id"])
            store.table.put_item(Item={**cast(Any, row), "swept_at": utc_text(store.now())})
            return True

        fetch_forgotten_jobs(store=store, retry=retry, after="", deadline=clock.deadline(300), age=Ages().jobs)
        return fetched

    def test_a_day_later_and_once(self, recordings: RecordingStore, clock: FakeClock) -> None:
        why = {"job": {"id": "1"}, "reason_code": "no_result"}
        put(recordings, "a day ago", "failed", "failed", age=timedelta(days=2), **why)
        put(recordings, "in part", "partial", "failed", age=timedelta(days=2), **why)
        put(recordings, "just now", "failed", "failed", age=timedelta(hours=1), **why)
        put(recordings, "long ago", "failed", "failed", age=timedelta(days=40), **why)
        put(recordings, "refused", "failed", "failed", age=timedelta(days=2), job={}, reason_code="job_failed")
        put(recordings, "no job", "failed", "failed", age=timedelta(days=2), reason_code="no_result")
        assert self.fetch(recordings, clock) == ["a day ago", "in part"]
        assert self.fetch(recordings, clock) == []


def test_results_in_the_window_are_received_and_none_keeps_another_back(clock: FakeClock) -> None:
    now = clock.now()
    files = [StoredFile(f"callbacks/{n}", now - timedelta(days=n)) for n in range(4)]

    def receive(key: str) -> str:
        if key.endswith("0"):
            raise NotFound("no such job")
        if key.endswith("1"):
            raise RuntimeError("the table is away")
        return "noted"

    since = now - timedelta(days=2)
    step = receive_results(files, receive=receive, modified_since=since, deadline=clock.deadline(300))
    assert step.counts == {"of no job": 1, "faults": 1, "noted": 1}


@dataclass
class FakeQueue:
    letters: list[DeadLetter] = field(default_factory=list)
    moved_to: str = ""

    def put(self, content: object, sent_at: datetime) -> None:
        self.letters.append(DeadLetter(json.dumps(content), str(len(self.letters)), sent_at))

    def receive(self, most: int, *, hidden: bool = True) -> Iterator[DeadLetter]:
        yield from list(self.letters)[:most]

    def delete(self, letter: DeadLetter) -> None:
        self.letters.remove(letter)

    def move_to(self, queue_arn: str) -> None:
        self.moved_to = queue_arn


class TestDeadLetters:
    def test_arrivals_are_moved_back_once_they_are_an_hour_old(self, clock: FakeClock) -> None:
        queue = FakeQueue()
        queue.put({}, clock.now() - timedelta(minutes=30))
        assert bring_back(cast(DeadLetters, queue), "arn", now=clock.now(), age=Ages().letters).counts == {}
        queue.put({}, clock.now() - timedelta(minutes=61))
        assert bring_back(cast(DeadLetters, queue), "arn", now=clock.now(), age=Ages().letters).counts == {
            "moved_back": 1
        }
        assert queue.moved_to == "arn"

    def test_an_event_stays_until_it_is_handled(self, clock: FakeClock) -> None:
        queue, old = FakeQueue(), clock.now() - timedelta(hours=2)
        for content in ("good", "bad"):
            queue.put(content, old)
        queue.put("young", clock.now())

        def handle(event: Any) -> None:
            if event == "bad":
                raise RuntimeError("not yet")

        real = cast(DeadLetters, queue)
        step = handle_dead_letters(
            real, handle=handle, now=clock.now(), deadline=clock.deadline(300), age=Ages().letters
        )
        assert step.counts == {"handled": 1, "faults": 1}
        assert [json.loads(letter.body) for letter in queue.letters] == ["bad", "young"]
