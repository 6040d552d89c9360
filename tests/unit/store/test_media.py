from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any, Literal

import pytest
from botocore.exceptions import ClientError

from recording_insights.errors import MediaMissing, StatusContended
from recording_insights.model.media_object import MediaObject
from recording_insights.store.keys import STATUS_INDEX, TIME_INDEX, recording_key
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock

SID = "b1946ac92492d2347c6235b4d2611184"
FOLDER = "5eb63bbbe01eeed093cb22bb8f5acdc3"
R = FOLDER

Ended = Literal["done", "failed"]


@pytest.fixture
def table(either_table: Any) -> Any:
    return either_table


@pytest.fixture
def store(media_store: MediaStore) -> MediaStore:
    return media_store


def admit(store: MediaStore, media: MediaObject, recording_id: str = R) -> str:
    store.admit(recording_id, media, providers=["marsview"], duration_ms=61_000)
    return media.media_id


class TestAdmission:
    def test_it_writes_the_recording_and_the_media_object(self, store: MediaStore, make_media: MakeMedia) -> None:
        media = make_media(f"{SID}_team_0.mp4", size=77, second=9)

        store.admit(SID, media, providers=["marsview"], duration_ms=61_000)

        recording = store.recordings.get(SID)
        assert {name: recording[name] for name in ("recording_id", "status", "created_at", "provider", "sid")} == {
            "recording_id": SID,
            "status": "processing",
            "created_at": "2026-03-12T00:00:09.000000Z",
            "provider": "marsview",
            "sid": SID,
        }
        assert recording["media"] == {media.media_id: {"key": media.key, "status": "waiting"}}
        item = store.get(SID, media.media_id)
        assert {name: item[name] for name in ("bucket", "key", "etag", "size", "status", "format", "duration_ms")} == {
            "bucket": "recordings-bucket",
            "key": media.key,
            "etag": "etag-1",
            "size": 77,
            "status": "waiting",
            "format": "mp4",
            "duration_ms": 61_000,
        }
        assert item["arrived_at"] == "2026-03-12T00:00:09.000000Z"

    def test_an_unknown_length_is_absent(self, store: MediaStore, make_media: MakeMedia) -> None:
        media = make_media()

        store.admit(R, media, providers=["marsview"], duration_ms=None)

        assert "duration_ms" not in store.get(R, media.media_id)

    def test_a_second_time_changes_nothing(
        self, store: MediaStore, make_media: MakeMedia, clock: FakeClock, table: Any
    ) -> None:
        media_id = admit(store, make_media())
        store.submitted(R, media_id, job={"transaction_id": "txn-1"}, provider="marsview")
        before = table.scan()["Items"]
        clock.elapsed = 500

        store.admit(R, make_media(), providers=["another"], duration_ms=1)

        assert table.scan()["Items"] == before

    def test_an_api_started_recording_keeps_its_own_and_gets_its_sid(
        self, store: MediaStore, make_media: MakeMedia, table: Any
    ) -> None:
        table.put_item(
            Item={
                **recording_key(R),
                "recording_id": R,
                "status": "stopping",
                "created_at": "2026-03-11T00:00:00.000000Z",
                "version": 4,
                "provider": "another",
                "channel": "team",
            }
        )

        admit(store, make_media(f"recordings/{R}/{SID}_team_0.mp4"))

        recording = store.recordings.get(R)
        assert (recording["provider"], recording["channel"], recording["sid"]) == ("another", "team", SID)
        assert recording["created_at"] == "2026-03-11T00:00:00.000000Z"
        assert recording["status"] == "processing"
        assert recording["version"] == 5

    @pytest.mark.parametrize("index", [STATUS_INDEX, TIME_INDEX])
    def test_only_recordings_are_in_an_index(
        self, store: MediaStore, make_media: MakeMedia, table: Any, index: str
    ) -> None:
        admit(store, make_media())

        (item,) = table.scan(IndexName=index)["Items"]
        assert item["sk"] == "RECORDING"

    def test_a_media_object_that_is_not_there_is_said_so(self, store: MediaStore) -> None:
        with pytest.raises(MediaMissing, match="media object m of recording r"):
            store.get("r", "m")


class TestFindRecording:
    KEY = f"recordings/{FOLDER}/{SID}_team_0.mp4"

    def test_a_folder_that_a_recording_of_ours_is_named_after_is_its(
        self, store: MediaStore, make_media: MakeMedia, table: Any
    ) -> None:
        ours = {"recording_id": FOLDER, "status": "recording", "prefix": f"recordings/{FOLDER}/"}
        table.put_item(Item={**recording_key(FOLDER), **ours})

        assert store.recordings.recording_of(make_media(self.KEY)) == FOLDER

    def test_any_other_folder_is_not(self, store: MediaStore, make_media: MakeMedia) -> None:
        media = make_media(self.KEY)

        assert store.recordings.recording_of(media) == media.own_recording_id

    def test_a_key_of_no_known_form_has_an_id_of_its_own(self, store: MediaStore, make_media: MakeMedia) -> None:
        media = make_media("by hand.mp4")

        assert store.recordings.recording_of(media) == media.own_recording_id


class TestFinish:
    @pytest.mark.parametrize(("first", "second"), list(permutations(("done", "failed"))))
    def test_the_first_end_counts(
        self, store: MediaStore, make_media: MakeMedia, clock: FakeClock, table: Any, first: Ended, second: Ended
    ) -> None:
        media_id = admit(store, make_media())
        store.finish(R, media_id, first, reason="the first")
        before = table.scan()["Items"]
        clock.elapsed = 60

        store.finish(R, media_id, second, reason="the second", counts={"topics": 1})
        store.submitted(R, media_id, job={"transaction_id": "late"}, provider="late")
        store.note(R, media_id, status="waiting", reason=None)

        assert table.scan()["Items"] == before
        assert store.get(R, media_id)["reason"] == "the first"

    def test_nothing_is_made_of_what_is_not_there(self, store: MediaStore, table: Any) -> None:
        store.finish(R, "0123456789abcdef0123", "failed", reason="?")

        assert table.scan()["Items"] == []

    def test_none_removes_an_attribute(self, store: MediaStore, make_media: MakeMedia) -> None:
        media_id = admit(store, make_media())
        store.note(R, media_id, reason="busy", job={"transaction_id": "txn-1"})

        store.note(R, media_id, reason=None, polls=3)

        item = store.get(R, media_id)
        assert "reason" not in item
        assert (item["polls"], item["job"]) == (3, {"transaction_id": "txn-1"})

    def test_a_fault_of_dynamodb_is_not_swallowed(self, store: MediaStore, make_media: MakeMedia) -> None:
        media_id = admit(store, make_media())

        key: Any = {"sk": "another key"}
        with pytest.raises(ClientError, match="ValidationException"):
            store.note(R, media_id, **key)


class Interleaved:
    """A table where somebody else writes at one moment: just before the first write that `meets` says."""

    def __init__(self, table: Any, other: Callable[[], None], times: int = 1) -> None:
        self._table = table
        self._other = other
        self._times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def update_item(self, **arguments: Any) -> Any:
        if arguments["Key"]["sk"] == "RECORDING" and self._times:
            self._times -= 1
            self._other()
        return self._table.update_item(**arguments)


def test_the_api_may_write_the_recording_meanwhile(
    store: MediaStore, make_media: MakeMedia, table: Any, clock: FakeClock
) -> None:
    media_id = admit(store, make_media())

    def touch() -> None:
        table.update_item(
            Key=recording_key(R),
            UpdateExpression="SET stopped_at = :now ADD version :one",
            ExpressionAttributeValues={":now": "2026-03-12T00:00:00Z", ":one": 1},
        )

    torn: Any = Interleaved(table, touch, times=3)
    MediaStore(torn, clock.now, clock.sleep).finish(R, media_id, "done", reason=None)

    recording = store.recordings.get(R)
    assert (recording["status"], recording["stopped_at"]) == ("done", "2026-03-12T00:00:00Z")
    assert len(clock.naps) == 3
    assert sum(clock.naps) < 1


class TestTwoAtOnce:
    @pytest.fixture
    def table(self) -> FakeTable:
        """Enough for what follows from the conditions; what they mean is shown above."""
        return FakeTable()

    @pytest.mark.parametrize(
        ("mine", "theirs", "status"),
        [("done", "done", "done"), ("done", "failed", "partial"), ("failed", "failed", "failed")],
    )
    def test_two_parts_that_end_at_the_same_moment_end_the_recording(
        self, store: MediaStore, make_media: MakeMedia, table: Any, mine: Ended, theirs: Ended, status: str
    ) -> None:
        first, second = admit(store, make_media("0.mp4")), admit(store, make_media("1.mp4"))
        torn: Any = Interleaved(table, lambda: store.finish(R, second, theirs, reason="theirs"))

        # The other part ends after this one has read the media objects and before it writes the recording.
        MediaStore(torn, store.now, store.sleep).finish(R, first, mine, reason="mine")

        assert store.recordings.get(R)["status"] == status

    def test_a_row_that_never_rests_is_an_error_and_no_endless_loop(
        self, make_media: MakeMedia, clock: FakeClock
    ) -> None:
        table: Any = FakeTable()
        store = MediaStore(table, clock.now, clock.sleep)
        media_id = admit(store, make_media())

        def touch() -> None:
            recording = store.recordings.get(R)
            table.put_item(Item={**recording, "version": recording["version"] + 1})

        torn: Any = Interleaved(table, touch, times=1000)
        with pytest.raises(StatusContended, match="kept changing"):
            MediaStore(torn, clock.now, clock.sleep).finish(R, media_id, "done", reason=None)

        assert sum(clock.naps) < 10
        # A retry of the state finds the media object finished and the recording to be settled.
        store.finish(R, media_id, "done", reason=None)
        assert store.recordings.get(R)["status"] == "done"


def test_moments_are_written_in_utc_with_microseconds(table: Any, make_media: MakeMedia, clock: FakeClock) -> None:
    clock.start += timedelta(microseconds=120)
    store = MediaStore(table, clock.now)

    media_id = admit(store, make_media())
    store.finish(R, media_id, "done")

    assert store.get(R, media_id)["finished_at"] == "2026-03-12T00:00:00.000120Z"
