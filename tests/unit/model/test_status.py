from typing import Any, Literal, cast

import pytest

from recording_insights.model.media_object import MediaObject
from recording_insights.model.parts import newer_versions, newest_per_key
from recording_insights.model.status import derive_status, settled
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow, RecordingRow
from tests.unit.conftest import MakeMedia

SID = "b1946ac92492d2347c6235b4d2611184"
FOLDER = "5eb63bbbe01eeed093cb22bb8f5acdc3"
R = FOLDER


def admit(store: MediaStore, media: MediaObject, recording_id: str = R) -> str:
    store.admit(recording_id, media, providers=["marsview"], duration_ms=61_000)
    return media.media_id


def item(key: str, status: str, *, second: int = 0, **values: Any) -> MediaRow:
    row: Any = {"key": key, "status": status, "arrived_at": f"2026-03-12T00:00:{second:02}.000000Z", **values}
    return cast(MediaRow, row)


@pytest.fixture
def store(media_store: MediaStore) -> MediaStore:
    return media_store


class TestStatus:
    @pytest.mark.matrix
    @pytest.mark.parametrize(
        ("media", "status", "reason"),
        [
            ([], "stopping", None),
            ([item("a", "waiting")], "processing", None),
            ([item("a", "submitted", reason="Marsview is busy")], "processing", "a: Marsview is busy"),
            ([item("a", "preparing"), item("b", "done")], "processing", None),
            ([item("a", "failed", reason="x"), item("b", "submitted")], "processing", "a: x"),
            ([item("a", "done")], "done", None),
            ([item("a", "done"), item("b", "done")], "done", None),
            ([item("a", "done", missing=[])], "done", None),
            ([item("a", "done", missing=["emotion: x"])], "partial", None),
            ([item("a", "done", incomplete="slice 7 never came")], "partial", "a: slice 7 never came"),
            ([item("a", "done", empty=True, reason="no slice")], "empty", "a: no slice"),
            ([item("a", "done", empty=True, reason="no slice"), item("b", "done")], "done", "a: no slice"),
            ([item("a", "done", empty=True), item("b", "failed", reason="x")], "failed", "b: x"),
            ([item("a", "done", empty=True), item("b", "preparing")], "processing", None),
            ([item("a", "failed", reason="x"), item("b", "done")], "partial", "a: x"),
            ([item("a", "failed", reason="x")], "failed", "a: x"),
            ([item("a", "failed", reason="x"), item("b", "failed", reason="y")], "failed", "a: x; b: y"),
            ([item("a", "failed", reason="x"), item("a", "done", second=1)], "done", None),
            ([item("a", "done", second=1), item("a", "failed", reason="x")], "done", None),
            ([item("a", "done"), item("a", "failed", reason="x", second=1)], "partial", "a: x"),
            ([item("a", "done"), item("a", "failed", reason="x", second=1), item("b", "done")], "partial", "a: x"),
            ([item("a", "failed", reason="x"), item("a", "failed", reason="y", second=1)], "failed", "a: y"),
            ([item("a", "done"), item("a", "waiting", second=1)], "processing", None),
        ],
    )
    def test_it_follows_from_the_newest_media_object_of_each_key(
        self, media: list[MediaRow], status: str, reason: str | None
    ) -> None:
        assert derive_status("stopping", media) == (status, reason)
        assert derive_status("stopping", media[::-1])[0] == status

    def test_of_a_recording_only_what_changes_is_written(self) -> None:
        media = [item("a", "failed", media_id="m-1", reason="x"), item("b", "done", media_id="m-2")]
        summaries = {"m-1": {"key": "a", "status": "failed", "reason": "x"}, "m-2": {"key": "b", "status": "done"}}
        of_media: Any = {"media": summaries, "media_counts": {"failed": 1, "done": 1}}

        first = settled({"status": "processing"}, media, sid=SID)

        assert first == {"status": "partial", "reason": "a: x", **of_media, "sid": SID}
        assert settled({"status": "done", "sid": "another", "media": {}}, media, sid=SID) == {
            "status": "partial",
            "reason": "a: x",
            **of_media,
        }
        assert settled(cast(RecordingRow, first), media, sid=SID) == {}

    def test_a_thousand_reasons_are_cut(self) -> None:
        _, reason = derive_status("", [item(f"part {n}", "failed", reason="r" * 400) for n in range(1000)])

        assert reason is not None
        assert len(reason) == 2000

    def test_within_a_second_s3s_sequencer_tells_which_came_last(self) -> None:
        early, late = (item("a", "failed", sequencer=f"0055AED6DCD90281E{last}") for last in (5, 6))

        assert newest_per_key([early, late]) == newest_per_key([late, early]) == [late]

    def test_newest_per_key_is_in_the_order_of_the_keys(self) -> None:
        media = [item("b", "done", second=5), item("a", "done", second=9), item("b", "done", second=30)]

        assert newest_per_key(media) == [media[1], media[2]]

    @pytest.mark.parametrize("status", ["waiting", "submitted", "failed"])
    def test_a_newer_version_counts_once_it_is_done(self, status: str) -> None:
        older, newest = item("a", "done", second=5), item("a", status, second=9)
        earlier = item("a", "failed", second=1)

        assert newest_per_key([newest, older, earlier]) == [older]
        assert newer_versions([newest, older, earlier]) == [newest]
        assert newest_per_key([newest, earlier]) == [newest]
        assert newer_versions([newest, earlier]) == []

    @pytest.mark.parametrize("status", ["done", "failed"])
    def test_the_end_of_the_last_part_is_the_recordings(
        self, store: MediaStore, make_media: MakeMedia, status: Literal["done", "failed"]
    ) -> None:
        first, second = admit(store, make_media("0.mp4")), admit(store, make_media("1.mp4"))
        store.finish(R, first, status, reason=None if status == "done" else "no")
        assert store.recordings.get(R)["status"] == "processing"

        store.finish(R, second, status, reason=None if status == "done" else "no")

        recording = store.recordings.get(R)
        assert recording["status"] == status
        assert {part["status"] for part in recording["media"].values()} == {status}

    def test_a_new_version_of_a_finished_key_is_processed_and_counts(
        self, store: MediaStore, make_media: MakeMedia
    ) -> None:
        store.finish(R, admit(store, make_media()), "failed", reason="broken file")
        assert store.recordings.get(R)["reason"] == "talk.mp4: broken file"

        again = admit(store, make_media(etag="etag-2", second=30))
        assert store.recordings.get(R)["status"] == "processing"
        store.finish(R, again, "done", reason=None)

        assert store.recordings.get(R)["status"] == "done"
        assert "reason" not in store.recordings.get(R)
