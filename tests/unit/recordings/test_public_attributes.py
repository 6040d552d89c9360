"""What a caller sees of a row: the list and the detail, each without what is ours."""

from typing import Any

import pytest

from recording_insights.errors import InvalidRequest
from recording_insights.recordings.read import describe_recording, list_recordings
from recording_insights.store.keys import media_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock
from tests.unit.recordings.stored import put

R = "a" * 32
LISTED = {"reason": "x", "updated_at": "2027", "complete_at": "2027", "channel": "team", "sid": "s"}
LISTED |= {"stage": "result", "reason_code": "job_failed"}
DETAIL = {"uid": "7", "mode": "mix", "stopped_at": "2027", "ended_by": "stop", "speakers": {"7": "Ada"}}
INTERNAL = {"resource_id": "r", "fingerprint": "f", "counted_fail_overs": {"n"}, "changing_until": 5}


def test_a_list_shows_the_attributes_that_a_list_needs(store: RecordingStore, table: Any) -> None:
    media = {"b": {"key": "2", "status": "failed", "reason": "y"}, "a": {"key": "1", "status": "done"}}
    put(table, R, "done", "2026", **LISTED, **DETAIL, **INTERNAL, media=media)

    (listed,) = list_recordings({}, store=store)["recordings"]

    assert listed == {
        "recording_id": R,
        "status": "done",
        "created_at": "2026",
        "provider": "marsview",
        **LISTED,
        "media": [{"media_id": "b", **media["b"]}, {"media_id": "a", **media["a"]}],
        "media_counts": {"done": 1, "failed": 1},
    }


def test_the_detail_hides_what_is_ours(store: RecordingStore, table: Any, agora: Any, clock: FakeClock) -> None:
    put(table, R, "done", "2026", **LISTED, **DETAIL, **INTERNAL)
    shown = {"media_id": "m", "key": "k", "status": "submitted", "provider": "symbl", "callback_at": "2027"}
    ours = dict.fromkeys(
        ("callback_job", "task_token", "delivery", "unconfirmed", "asking", "being_made", "went_on"), "ours"
    )
    table.put_item(Item={**media_key(R, "m"), "recording_id": R, "job": {"id": "1"}, **shown, **ours})

    found = describe_recording(R, {}, store=store, agora=lambda: agora, deadline=clock.deadline())

    assert found.pop("media") == [shown]
    assert (
        found == {"recording_id": R, "status": "done", "created_at": "2026", "provider": "marsview"} | LISTED | DETAIL
    )


@pytest.mark.parametrize(("query", "count"), [({}, 20), ({"limit": "100"}, 100), ({"limit": "1"}, 1)])
def test_a_page_has_20_recordings_unless_the_caller_says_so(
    store: RecordingStore, table: Any, query: dict[str, str], count: int
) -> None:
    for number in range(101):
        put(table, f"{number:032}", "done", "2026")

    page = list_recordings(query, store=store)

    assert len(page["recordings"]) == count
    assert "cursor" in page


def test_no_page_has_more_than_100_recordings(store: RecordingStore) -> None:
    with pytest.raises(InvalidRequest):
        list_recordings({"limit": "101"}, store=store)


def test_a_recorder_without_an_id_is_not_queried(
    store: RecordingStore, table: Any, agora: Any, clock: FakeClock
) -> None:
    put(table, R, "starting", "2026", channel="team", uid="7")

    assert "live" not in describe_recording(R, {}, store=store, agora=lambda: agora, deadline=clock.deadline())
