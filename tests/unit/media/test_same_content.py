"""The same content again: written anew under its key, or copied to another key of the recording."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from recording_insights.errors import MediaObjectGone, StatusContended
from recording_insights.media.intake import admit_media
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.submit_recording import media_of
from recording_insights.recordings.read import describe_recording
from recording_insights.store.keys import content_key, recording_key
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow
from tests.unit.crashing_table import Crash, crashes_at_every_write
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock, not_waited
from tests.unit.media.test_intake import wav
from tests.unit.processing.track_scene import FakeFolder

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
FOLDER = f"recordings/{R}/"
SID = "b1946ac92492d2347c6235b4d2611184"
PART = f"{FOLDER}{SID}_team_0.mp4"
COPY = f"{FOLDER}copy of the talk.mp4"
A, B = wav(), wav() + bytes(2)


@dataclass
class Bucket:
    """Objects by key as (content, ETag), and what their arrival starts. S3 has checksums unless `without` is set."""

    table: Any
    without: bool = False
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    executions: dict[str, str] = field(default_factory=dict)
    written: int = 0

    def __post_init__(self) -> None:
        recording = {"recording_id": R, "status": "recording", "version": 1, "channel": "team", "prefix": FOLDER}
        times = {"created_at": "2026-03-12T00:00:00.000000Z", "provider": "marsview"}
        self.table.put_item(Item={**recording_key(R), **recording, **times})

    @property
    def store(self) -> MediaStore:
        return MediaStore(self.table, FakeClock().now, lambda seconds: None)

    @property
    def rows(self) -> dict[str, MediaRow]:
        """The media objects by ETag, in the order of their ETags."""
        return {row["etag"]: row for row in sorted(self.store.recordings.media_rows(R), key=lambda row: row["etag"])}

    def write(self, key: str, content: bytes = A, etag: str = "") -> MediaObject:
        """Put an object; the ETag is another one at each write unless it is given."""
        self.written += 1
        etag = etag or f"etag-{self.written}"
        self.objects[key] = content, etag
        moment = datetime(2026, 3, 12, 0, 0, self.written, tzinfo=UTC)
        return MediaObject("recordings-bucket", key, etag, len(content), moment)

    def announce(self, media: MediaObject) -> Any:
        def read(first: int, last: int) -> bytes:
            return self._version(media)[first : last + 1]

        return admit_media(
            media,
            store=self.store,
            default_provider="marsview",
            prefix_providers={},
            reader=lambda _: read,
            checksum=self._checksum,
            folder=FakeFolder(FakeClock()),
            start_execution=self._start,
            end_wait=not_waited,
        )

    def arrive(self, key: str, content: bytes = A, etag: str = "") -> Any:
        return self.announce(self.write(key, content, etag))

    def finish(self, etag: str, status: Any = "done") -> None:
        self.store.finish(R, self.rows[etag]["media_id"], status)

    def _version(self, media: MediaObject) -> bytes:
        content, etag = self.objects.get(media.key, (b"", "gone"))
        if etag != media.etag:
            raise MediaObjectGone("the object was replaced by another")
        return content

    def _checksum(self, media: MediaObject) -> str | None:
        content = self._version(media)
        return None if self.without else f"SHA256:FULL_OBJECT:{sha256(content).hexdigest()}:{media.size}"

    def _start(self, *, name: str, state: str) -> bool:
        self.executions.setdefault(name, state)
        return True


@pytest.fixture
def bucket(either_table: Any) -> Bucket:
    return Bucket(either_table)


class TestUnderTheSameKey:
    @pytest.mark.parametrize("status", ["waiting", "submitted", "done"])
    def test_a_copy_in_place_is_not_processed_again(self, bucket: Bucket, status: Any) -> None:
        bucket.arrive(PART)
        if status != "waiting":
            bucket.store.submitted(R, bucket.rows["etag-1"]["media_id"], job={"id": "job-1"}, provider="marsview")
        if status == "done":
            bucket.finish("etag-1")
        before = bucket.rows["etag-1"]

        bucket.arrive(PART)

        assert len(bucket.executions) == 1
        [row] = bucket.rows.values()
        assert {**row, "copied_etag": ""} == {**before, "copied_etag": ""}

    def test_a_provider_that_gets_the_object_later_gets_the_version_that_is_there(self, bucket: Bucket) -> None:
        for _ in range(3):
            bucket.arrive(PART)

        [row] = bucket.rows.values()
        assert (row["etag"], media_of(row).etag) == ("etag-1", "etag-3")
        assert len(bucket.executions) == 1

    def test_a_copy_in_place_starts_an_execution_whose_start_was_lost(self, bucket: Bucket) -> None:
        first = bucket.arrive(PART)
        bucket.executions.clear()

        assert bucket.arrive(PART) == first
        assert first["execution"] in bucket.executions

    def test_a_failed_one_is_processed_again(self, bucket: Bucket) -> None:
        bucket.arrive(PART)
        bucket.finish("etag-1", "failed")

        bucket.arrive(PART)
        bucket.arrive(PART)

        assert [row["status"] for row in bucket.rows.values()] == ["failed", "waiting"]
        assert len(bucket.executions) == 2

    @pytest.mark.parametrize("etag", ["etag-1", "another"])
    def test_a_content_that_comes_back_counts_again_and_is_not_paid_again(self, bucket: Bucket, etag: str) -> None:
        bucket.arrive(PART, A)
        bucket.finish("etag-1")
        bucket.arrive(PART, B)
        bucket.finish("etag-2", "failed")
        assert bucket.store.recordings.get(R)["status"] == "partial"

        bucket.arrive(PART, A, etag)

        assert len(bucket.executions) == 2
        assert bucket.store.recordings.get(R)["status"] == "done"

    def test_a_late_repetition_of_an_earlier_event_changes_nothing(self, bucket: Bucket, either_table: Any) -> None:
        first = bucket.write(PART)
        bucket.announce(first)
        bucket.arrive(PART)
        before = either_table.scan()["Items"]

        assert bucket.announce(first) == {"ignored": "the object was replaced by another"}
        assert either_table.scan()["Items"] == before

    @pytest.mark.parametrize("key", [PART, COPY])
    def test_without_a_checksum_it_is_another_content(self, bucket: Bucket, key: str) -> None:
        bucket.without = True
        bucket.arrive(PART)

        bucket.arrive(key)

        assert len(bucket.executions) == 2
        assert all("checksum" not in row for row in bucket.rows.values())


class TestUnderAnotherKey:
    def test_a_copy_is_named_by_the_media_object_that_is_processed(self, bucket: Bucket) -> None:
        media_id = bucket.arrive(PART)["media_id"]

        outcomes = [bucket.arrive(key) for key in (COPY, f"{FOLDER}and another.mp4", COPY)]

        reason = f"media object {media_id} of the recording holds the same content"
        assert outcomes == [{"ignored": reason}] * 3
        assert len(bucket.executions) == 1
        [shown] = describe_recording(R, {}, store=bucket.store.recordings, agora=NO_AGORA, deadline=NO_AGORA)["media"]
        assert (shown["key"], shown["copies"]) == (PART, [f"{FOLDER}and another.mp4", COPY])
        assert not {"checksum", "copied_etag"} & shown.keys()

    def test_of_two_that_arrive_at_once_one_is_processed(self, table: FakeTable) -> None:
        bucket = Bucket(table)
        barrier = threading.Barrier(2)
        read = MeetingReads(table, barrier)
        both = [bucket.write(PART), bucket.write(COPY)]
        racing = Bucket(read, objects=bucket.objects, executions=bucket.executions)

        threads = [threading.Thread(target=racing.announce, args=[media]) for media in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(bucket.executions) == len(bucket.rows) == 1
        [row] = bucket.rows.values()
        assert row["copies"] == {media.key for media in both if media.etag != row["etag"]}

    def test_a_copy_of_a_failed_one_is_processed(self, bucket: Bucket) -> None:
        bucket.arrive(PART)
        bucket.finish("etag-1", "failed")

        bucket.arrive(COPY)
        bucket.arrive(f"{FOLDER}and another.mp4")

        assert list(bucket.rows) == ["etag-1", "etag-2"]
        assert len(bucket.executions) == 2

    def test_a_copy_of_what_was_overwritten_is_processed(self, bucket: Bucket) -> None:
        bucket.arrive(PART, A)
        bucket.arrive(PART, B)

        bucket.arrive(COPY, A)
        bucket.arrive(f"{FOLDER}of B.mp4", B)

        assert list(bucket.rows) == ["etag-1", "etag-2", "etag-3"]

    @pytest.mark.parametrize(("status", "executions"), [("waiting", 2), ("submitted", 1), ("done", 1)])
    def test_an_object_that_is_moved_before_a_provider_got_it_is_processed_where_it_is(
        self, bucket: Bucket, status: str, executions: int
    ) -> None:
        bucket.arrive(PART)
        if status != "waiting":
            bucket.store.submitted(R, bucket.rows["etag-1"]["media_id"], job={"id": "job-1"}, provider="marsview")
        if status == "done":
            bucket.finish("etag-1")

        moved = bucket.write(COPY)
        del bucket.objects[PART]
        bucket.announce(moved)

        assert len(bucket.executions) == executions

    def test_parts_with_the_same_content_are_all_processed_and_each_copy_is_not(self, bucket: Bucket) -> None:
        parts = [f"{FOLDER}{SID}_team_0.mp4", f"{FOLDER}{SID}_team_1.mp4", f"{FOLDER}bak0_{SID}_team_0.mp4"]
        for key in (*parts, *parts, COPY):
            bucket.arrive(key)

        assert {row["key"] for row in bucket.rows.values()} == set(parts)
        assert len(bucket.executions) == 3

    def test_a_copy_in_the_folder_of_another_recording_is_processed(self, bucket: Bucket) -> None:
        bucket.arrive(PART)

        assert bucket.arrive("by hand/the talk.mp4")["recording_id"] != R
        assert len(bucket.executions) == 2

    def test_silent_tracks_of_two_uids_are_both_processed(self, bucket: Bucket, either_table: Any) -> None:
        either_table.put_item(Item={**bucket.store.recordings.get(R), "mode": "individual"})
        for uid in (1001, 1002):
            written = {"key": f"{FOLDER}{SID}_team__uid_s_{uid}__uid_e_audio.m3u8", "etag": "same", "size": 9}
            detail = {"bucket": {"name": "recordings-bucket"}, "object": written}
            bucket.announce(MediaObject.from_event({"time": "2026-03-12T00:00:00Z", "detail": detail}))

        assert len(bucket.executions) == 2

    def test_copies_that_never_stop_arriving_are_a_fault(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(MediaStore, "admit", lambda *args, **named: False)

        with pytest.raises(StatusContended, match="at the same moment"):
            bucket.arrive(PART)


def test_a_crash_at_any_write_and_the_retry_are_one_job() -> None:
    for table in crashes_at_every_write(at_least=4):
        bucket = Bucket(table)
        table.arm()
        for key in (PART, COPY, PART):
            media = bucket.write(key)
            retried(bucket.announce, media)
        [row] = bucket.rows.values()
        assert (row["etag"], row["copied_etag"], row["copies"]) == ("etag-1", "etag-3", {COPY}), str(table)
        assert len(bucket.executions) == 1, str(table)
        [held] = [item for item in table.scan()["Items"] if item["sk"] == content_key(R, row["checksum"])["sk"]]
        assert held["holders"] == {"0": row["media_id"]}
        assert bucket.store.recordings.get(R)["media"] == {row["media_id"]: {"key": PART, "status": "waiting"}}


def test_a_crash_and_a_copy_in_place_before_the_retry_are_one_job() -> None:
    for table in crashes_at_every_write(at_least=3):
        bucket = Bucket(table)
        table.arm()
        first = bucket.write(PART)
        try:
            bucket.announce(first)
        except Crash:
            second = bucket.write(PART)
            assert bucket.announce(first) == {"ignored": "the object was replaced by another"}
            bucket.announce(second)
        [row] = bucket.rows.values()
        assert media_of(row).etag == bucket.objects[PART][1], str(table)
        assert len(bucket.executions) == 1, str(table)


def retried(step: Callable[..., Any], *arguments: Any) -> Any:
    """The patience of Lambda's queue."""
    try:
        return step(*arguments)
    except Crash:
        return step(*arguments)


class MeetingReads(FakeTable):
    """A table in which two callers read a content before either writes it."""

    def __init__(self, table: FakeTable, barrier: threading.Barrier) -> None:
        super().__init__(items=table.items, sizes=table.sizes, lock=table.lock)
        self.barrier = barrier
        self.met = threading.local()

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        reply: dict[str, Any] = super().get_item(**arguments)
        if arguments["Key"]["sk"].startswith("CONTENT#") and not getattr(self.met, "before", False):
            self.met.before = True
            self.barrier.wait(timeout=10)
        return reply


NO_AGORA: Any = None
"""The recording has no recorder that could be asked."""
