"""What a caller sees of a row: the list and the detail, each without what is ours."""

from typing import Any

import pytest

from recording_insights.errors import InvalidRequest
from recording_insights.recordings.list import list_recordings
from recording_insights.recordings.read import describe_recording
from recording_insights.store.keys import media_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock
from tests.unit.recordings.stored import put

R = "a" * 32
LISTED = {"reason": "x", "updated_at": "2027", "complete_at": "2027", "channel": "team", "sid": "s", "mode": "mix"}
LISTED |= {"stage": "result", "reason_code": "job_failed"}
DETAIL = {"uid": "7", "stopped_at": "2027", "ended_by": "stop", "speakers": {"7": "Ada"}}
DETAIL |= {"consent": "Told by announcement"}
INTERNAL = {"resource_id": "r", "fingerprint": "f", "counted_fail_overs": {"n"}, "changing_until": 5}


def test_a_list_shows_the_attributes_that_a_list_needs(store: RecordingStore, table: Any) -> None:
    media = {"b": {"key": "2", "status": "failed", "reason": "y"}, "a": {"key": "1", "status": "done"}}
    put(table, R, "done", "2026", **LISTED, **DETAIL, **INTERNAL, media=media)

    (listed,) = list_recordings({}, store=store)["recordings"]

    assert listed == {
        "recording_id": R,
        "status": "done",
        "created_at": "2026",
        "version": 1,
        "provider": "marsview",
        **LISTED,
        "insights": "off",
        "retryable": True,
        "media": [{"media_id": "b", **media["b"], "retryable": True}, {"media_id": "a", **media["a"]}],
        "media_counts": {"done": 1, "failed": 1},
    }


def test_the_detail_hides_what_is_ours(store: RecordingStore, table: Any, agora: Any, clock: FakeClock) -> None:
    put(table, R, "done", "2026", **LISTED, **DETAIL, **INTERNAL)
    shown = {"media_id": "m", "key": "k", "status": "submitted", "provider": "symbl", "callback_at": "2027"}
    ours = dict.fromkeys(
        ("callback_job", "task_token", "delivery", "unconfirmed", "asking", "being_made", "went_on"), "ours"
    )
    counts = dict.fromkeys(("transitions", "calls", "transitions_before", "calls_before", "other_calls"), 1)
    row = {"recording_id": R, "job": {"job_id": 7, "name": "ours"}, **shown, **ours, **counts}
    table.put_item(Item={**media_key(R, "m"), **row})

    found = describe_recording(R, {}, store=store, agora=lambda: agora, deadline=clock.deadline())

    cost = {"aws": 0.000051, "provider": 0.0, "transitions": 2, "calls": 3, "provider_seconds": 0.0}
    assert found.pop("media") == [{**shown, "job_id": "7", "cost": cost}]
    assert found.pop("cost")["aws"] == 0.000051
    always = {"recording_id": R, "status": "done", "created_at": "2026", "version": 1, "provider": "marsview"}
    assert found == always | LISTED | DETAIL | {"insights": "off"}


@pytest.mark.parametrize(
    ("status", "code", "media", "retryable"),
    [
        ("failed", "no_result", {"status": "failed"}, True),
        ("failed", "not_media", {"status": "failed"}, True),
        ("failed", None, {"status": "failed"}, True),
        ("partial", "job_failed", {"status": "failed"}, True),
        ("failed", "start_failed", None, False),
        ("failed", None, None, False),
        ("processing", "provider_busy", {"status": "waiting"}, None),
        ("done", None, {"status": "done"}, None),
    ],
)
def test_a_failed_recording_says_whether_a_retry_may_help(
    store: RecordingStore,
    table: Any,
    agora: Any,
    clock: FakeClock,
    status: str,
    code: str | None,
    media: dict[str, str] | None,
    retryable: bool | None,
) -> None:
    why = {"reason_code": code} if code else {}
    summaries = {"m": {"key": "k", **media, **why}} if media else {}
    put(table, R, status, "2026", **why, media=summaries)
    if media:
        row = {"recording_id": R, "media_id": "m", "key": "k", "provider": "symbl", **media, **why}
        table.put_item(Item={**media_key(R, "m"), **row})

    (listed,) = list_recordings({}, store=store)["recordings"]
    shown = describe_recording(R, {}, store=store, agora=lambda: agora, deadline=clock.deadline())

    for answer in (listed, shown):
        assert answer.get("retryable") is retryable
        assert answer.get("reason_code") == code
        for each in answer["media"]:
            assert each.get("retryable") is (True if each["status"] == "failed" else None)


@pytest.mark.parametrize("job", ["txn-1", {"job_id": None}, {}])
def test_a_job_without_an_id_shows_none(
    store: RecordingStore, table: Any, agora: Any, clock: FakeClock, job: Any
) -> None:
    put(table, R, "processing", "2026")
    row = {"recording_id": R, "media_id": "m", "key": "k", "status": "submitted", "provider": "symbl", "job": job}
    table.put_item(Item={**media_key(R, "m"), **row})

    (media,) = describe_recording(R, {}, store=store, agora=lambda: agora, deadline=clock.deadline())["media"]

    assert "job_id" not in media


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
