"""Media without a row are admitted once, by a list and the rows of their recordings alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.model.media_object import MediaObject
from recording_insights.store.keys import recording_key
from recording_insights.store.media import MediaStore
from recording_insights.sweep.media_without_row import admit_media_without_row
from recording_insights.sweep.step import Step
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock

DAY = timedelta(days=1)
SID = "b1946ac92492d2347c6235b4d2611184"


class Bucket:
    """What lies in the bucket; admission writes the row, as the intake does. `refused` are keys that fail."""

    def __init__(self, table: FakeTable, clock: FakeClock) -> None:
        self.clock = clock
        self.store = MediaStore(cast(Any, table), clock.now, clock.sleep)
        self.files: list[StoredFile] = []
        self.admitted: list[str] = []
        self.refused: set[str] = set()
        self.slow = 0.0

    def put(self, key: str, *, age: timedelta = timedelta(0), size: int = 9) -> MediaObject:
        at = self.clock.now() - age
        self.files = sorted([*self.files, StoredFile(key, at, "etag", size)], key=lambda file: file.key)
        return MediaObject("bucket", key, "etag", size, at)

    def admit(self, media: MediaObject) -> Mapping[str, Any]:
        if media.key in self.refused:
            raise RuntimeError("the table is away")
        self.clock.elapsed += self.slow
        self.admitted.append(media.key)
        self.store.admit(media.own_recording_id, media, providers=["marsview"])
        return {"execution": "name"}

    def sweep(self, *, after: str = "", since: datetime | None = None, seconds: float = 300) -> Step:
        return admit_media_without_row(
            [file for file in self.files if file.key > after],
            bucket="bucket",
            store=self.store.recordings,
            admit=self.admit,
            modified_since=(since or self.clock.now()) - 2 * DAY,
            sweeping_since=since or self.clock.now() - DAY,
            deadline=self.clock.deadline(seconds),
        )


@pytest.fixture
def bucket(table: FakeTable, clock: FakeClock) -> Bucket:
    return Bucket(table, clock)


def test_what_no_event_announced_is_admitted_and_only_once(bucket: Bucket) -> None:
    for key in ("a/one.mp4", "b.wav", "a/notes.txt", "prepared/x.mp4", "folder/"):
        bucket.put(key)
    bucket.put("empty.mp4", size=0)

    first, second = bucket.sweep(), bucket.sweep()

    assert bucket.admitted == ["a/one.mp4", "b.wav"]
    assert (first.counts, first.cursor) == ({"admitted": 2}, None)
    assert (second.counts, second.cursor) == ({}, None)


def test_what_was_there_before_the_first_sweep_is_counted_and_left_alone(bucket: Bucket) -> None:
    bucket.put("history.mp4", age=timedelta(hours=1))
    step = bucket.sweep(since=bucket.clock.now())
    assert step.counts == {"left_alone": 1}
    assert bucket.admitted == []


def test_what_earlier_sweeps_have_seen_is_not_looked_at(bucket: Bucket) -> None:
    bucket.put("old.mp4", age=3 * DAY)
    assert bucket.sweep().counts == {}


def test_a_copy_that_a_row_names_is_not_examined_again(bucket: Bucket) -> None:
    media = bucket.put("call.mp4")
    bucket.store.admit(media.own_recording_id, media, providers=["marsview"])
    bucket.store.add_copy(media.own_recording_id, media.media_id, "call.mp4")
    bucket.files = [StoredFile("call.mp4", bucket.clock.now(), "another etag", 9)]
    assert bucket.sweep().counts == {}


def test_the_playlists_of_a_track_are_one_media_object(bucket: Bucket) -> None:
    for number in ("", "1", "2"):
        bucket.put(f"f/{SID}_team__uid_s_1001__uid_e_audio{number}.m3u8")
    assert bucket.sweep().counts == {"admitted": 1}
    assert bucket.sweep().counts == {}


def test_it_ends_before_its_time_and_goes_on_at_its_cursor(bucket: Bucket) -> None:
    for number in range(4):
        bucket.put(f"{number}.mp4")
    bucket.slow = 100

    step = bucket.sweep(seconds=150)
    assert (step.counts, step.cursor) == ({"admitted": 2}, "1.mp4")

    bucket.slow = 0
    assert bucket.sweep(after="1.mp4").counts == {"admitted": 2}
    assert bucket.admitted == ["0.mp4", "1.mp4", "2.mp4", "3.mp4"]


def test_one_bad_object_keeps_no_other_from_being_admitted(bucket: Bucket) -> None:
    bucket.put("a.mp4")
    bucket.put("b.mp4")
    bucket.refused = {"a.mp4"}
    assert bucket.sweep().counts == {"faults": 1, "admitted": 1}
    bucket.refused = set()
    assert bucket.sweep().counts == {"admitted": 1}


def test_a_file_in_a_foreign_folder_of_a_recording_is_not_examined_at_each_sweep(bucket: Bucket) -> None:
    a, b = "a" * 32, "b" * 32
    for recording_id in (a, b):
        row = {"recording_id": recording_id, "status": "done", "prefix": f"recordings/{recording_id}/"}
        bucket.store.table.put_item(Item={**recording_key(recording_id), **row})
    for key in (f"recordings/{a}/{b}/x.mp4", f"recordings/{a}/z/x.mp4", f"uploads/{b}/x.mp4"):
        bucket.put(key)
    bucket.put(f"recordings/{a}/{SID}_team__uid_s_1__uid_e_audio.m3u8")

    assert bucket.sweep().counts == {}
    assert bucket.admitted == []


def test_files_of_a_recording_that_an_earlier_version_named_after_the_sid_have_rows(bucket: Bucket) -> None:
    media = bucket.put(f"f/{SID}_team_0.mp4")
    bucket.store.admit(SID, media, providers=["marsview"])
    assert bucket.sweep().counts == {}
