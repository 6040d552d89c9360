"""Which events follow from which change of a row."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from recording_insights.errors import ChangeUnreadable
from recording_insights.notices.changes import READ_ATTRIBUTES, Change, events_of, trimmed
from recording_insights.notices.events import EVENT_TYPES
from recording_insights.store.keys import MEDIA_PREFIX, RECEIPT, RECORDING
from recording_insights.store.numbers import encode
from recording_insights.store.rows import MediaRow, RecordingRow
from tests.unit.change_stream import record

Row = Mapping[str, Any]
R = "8f14e45fceea167a5a36dedd4bea2543"
WORDS = {"reference": "ticket 7", "metadata": {"team": "blue"}}
NEW: Row = {}

RUNS, ENDED = {"status": "recording"}, {"status": "stopping", "ended_by": "stop"}
INSIGHTS = {"insight_counts": {"transcript": 2, "topic": 3, "summary": 1}}
DONE = {"status": "done", "version": 9, "ended_by": "stop", **INSIGHTS}
PARTIAL, EMPTY, FAILED = ({**DONE, "status": status} for status in ("partial", "empty", "failed"))
AT_WORK = {**DONE, "status": "processing"}
READY = ["recording.completed", "transcript.ready", "insights.ready"]

OF_A_RECORDING: Mapping[str, tuple[Row, Row, list[str]]] = {
    "it was asked for": (NEW, {"status": "starting"}, []),
    "it was put by hand": (NEW, {"status": "processing"}, []),
    "the recorder runs": ({"status": "starting"}, RUNS, ["recording.started"]),
    "a file came before the watch": ({"status": "starting"}, {"status": "processing"}, ["recording.started"]),
    "the start failed": ({"status": "starting"}, {"status": "failed"}, ["recording.failed"]),
    "it is asked for again": ({"status": "failed"}, {"status": "starting"}, []),
    "the stop is withdrawn": ({"status": "stopping"}, RUNS, []),
    "a stop waits for proof": (RUNS, {"status": "stopping"}, []),
    "it was stopped": (RUNS, ENDED, ["recording.ended"]),
    "it was stopped at its start": ({"status": "starting"}, ENDED, ["recording.ended"]),
    "it was stopped while files are processed": ({"status": "processing"}, AT_WORK, ["recording.ended"]),
    "stopped for good after proof": ({"status": "stopping"}, ENDED, ["recording.ended"]),
    "nothing was recorded": (RUNS, EMPTY, ["recording.ended", "recording.completed"]),
    "given up without an end": (RUNS, {"status": "failed"}, ["recording.ended", "recording.failed"]),
    "no file came": (ENDED, {**ENDED, "status": "failed"}, ["recording.failed"]),
    "the first file came": (ENDED, AT_WORK, []),
    "all is done": (AT_WORK, DONE, READY),
    "some of it is": (AT_WORK, PARTIAL, READY),
    "the rest of it is": (PARTIAL, DONE, READY),
    "there is only a transcript": (
        {"status": "processing"},
        {"status": "done", "insight_counts": {"transcript": 1}},
        READY[:2],
    ),
    "there are only insights": (
        {"status": "processing"},
        {"status": "done", "insight_counts": {"topic": 1}},
        READY[::2],
    ),
    "there is neither": ({"status": "processing"}, {"status": "done"}, READY[:1]),
    "nobody spoke": (AT_WORK, EMPTY, READY[:1]),
    "it failed": (AT_WORK, FAILED, ["recording.failed"]),
    "a retry begins": (FAILED, AT_WORK, []),
    "a retry of what was done begins": (DONE, AT_WORK, []),
    "no more files are expected": (DONE, {**DONE, "complete_at": "2026-11-28T12:00:00.000000Z"}, []),
    "somebody leased it": (DONE, {**DONE, "changing_until": 1}, []),
    "its reference changed": (DONE, {**DONE, "reference": "another"}, []),
    "a line was corrected": (DONE, {**DONE, "corrected_at": "now"}, ["insights.updated"]),
    "a line was corrected again": (
        {**DONE, "corrected_at": "then"},
        {**DONE, "corrected_at": "now"},
        ["insights.updated"],
    ),
    "speakers were named": (DONE, {**DONE, "speakers": {"1": "guest"}}, ["insights.updated"]),
    "speakers were named in a row of before": (
        {"status": "done"},
        {"status": "done", "speakers": {"1": "guest"}},
        ["insights.updated"],
    ),
    "names were taken away": ({**DONE, "speakers": {"1": "guest"}}, DONE, ["insights.updated"]),
    "speakers were named before there is anything": (RUNS, {**RUNS, "speakers": {"1": "guest"}}, []),
    "both": (DONE, {**DONE, "speakers": {}, "corrected_at": "now"}, ["insights.updated"] * 2),
    "insights are to be derived": (AT_WORK, {**DONE, "insights": "pending"}, READY),
    "they are derived": ({**DONE, "insights": "pending"}, {**DONE, "insights": "done"}, ["insights.updated"]),
    "some of them are": ({**DONE, "insights": "pending"}, {**DONE, "insights": "partial"}, ["insights.updated"]),
    "the recorder has left, and they are to be derived": (DONE, {**DONE, "insights": "pending"}, ["transcript.ready"]),
    "a retry wants none": ({**DONE, "insights": "done"}, DONE, []),
    "something else changes later": ({**DONE, "insights": "done"}, {**DONE, "insights": "done", "reference": "x"}, []),
    "it is being erased": (DONE, {**DONE, "status": "erasing"}, []),
    "its recorder is stopped by the erase": (
        {**RUNS, "status": "erasing"},
        {**ENDED, "status": "erasing"},
        [],
    ),
    "it is gone": (DONE, {}, []),
}
SUBMITTED = {"status": "submitted", "provider": "marsview", "try_number": 0}
TRY_0 = {"status": "done", "try_number": 0, "shown_try": 0}
RETRY = {"status": "submitted", "try_number": 1, "shown_try": 0}
OF_A_MEDIA_OBJECT: Mapping[str, tuple[Row, Row, list[str]]] = {
    "it arrived": (NEW, {"status": "waiting"}, []),
    "its row lost the status": ({}, {"provider": "marsview"}, []),
    "it is submitted": ({"status": "waiting"}, SUBMITTED, []),
    "it is done": (SUBMITTED, TRY_0, ["media.done"]),
    "it failed": (SUBMITTED, {**SUBMITTED, "status": "failed"}, ["media.failed"]),
    "a copy of it came": (TRY_0, {**TRY_0, "swept_at": "now"}, []),
    "it is tried again": (TRY_0, RETRY, []),
    "the retry is done": (RETRY, {**RETRY, "status": "done", "shown_try": 1}, ["media.done", "insights.updated"]),
    "the retry failed, and the insights of before are shown": (
        RETRY,
        {**RETRY, "status": "done", "reason_code": "rejected"},
        ["media.done"],
    ),
    "a retry of what had failed is done": (
        {"status": "submitted", "try_number": 1},
        {"status": "done", "try_number": 1, "shown_try": 1},
        ["media.done"],
    ),
    "it is gone": (TRY_0, {}, []),
}
OF_A_RECEIPT: Mapping[str, tuple[Row, Row, list[str]]] = {
    "it was erased": (NEW, {"receipt_id": "rcp_1"}, ["recording.erased"]),
    "late files were looked for": ({"receipt_id": "rcp_1"}, {"receipt_id": "rcp_1", "closed_at": "now"}, []),
}
CASES = [
    pytest.param(sort, *case, id=f"{sort.lower()}: {name}")
    for sort, cases in (
        (RECORDING, OF_A_RECORDING),
        (f"{MEDIA_PREFIX}m", OF_A_MEDIA_OBJECT),
        (RECEIPT, OF_A_RECEIPT),
        ("TRY#m#000", {"another row": (NEW, {"status": "done"}, [])}),
    )
    for name, case in cases.items()
]


def told(sort: str, old: Row, new: Row) -> dict[str, Any]:
    """The record of a change; an empty row is none."""

    def wire(row: Row) -> Any:
        keys = {"pk": R, "sk": sort, "recording_id": R, **({"media_id": "m"} if sort.startswith(MEDIA_PREFIX) else {})}
        serialize = TypeSerializer().serialize
        return {name: serialize(encode(value)) for name, value in {**keys, **row}.items()} if row else None

    name = "MODIFY" if old and new else "INSERT" if new else "REMOVE"
    return record(name, wire(old), wire(new))


@pytest.mark.parametrize(("sort", "old", "new", "expected"), CASES)
def test_a_change_tells_of(sort: str, old: Row, new: Row, expected: list[str]) -> None:
    change = told(sort, old, new)
    for seen in (change, json.loads(json.dumps(trimmed(change)))):
        events = events_of(Change.from_record(seen), lambda _: WORDS)

        assert [event.type for event in events] == expected
        assert set(expected) <= set(EVENT_TYPES)
        assert len({event.id for event in events}) == len(events)
        assert {event.recording_id for event in events} <= {R}


def test_the_same_record_has_the_same_ids_and_another_one_has_others() -> None:
    once, again = told(RECORDING, AT_WORK, DONE), told(RECORDING, AT_WORK, DONE)

    def ids(of: dict[str, Any]) -> set[str]:
        return {event.id for event in events_of(Change.from_record(of), lambda _: WORDS)}

    assert ids(once) == ids(once) == ids(trimmed(once))
    assert not ids(once) & ids(again), "a retry that ends again has events of its own"


def test_the_envelope_has_the_words_of_the_caller_and_small_data() -> None:
    change = told(RECORDING, AT_WORK, {**DONE, **WORDS, "media_counts": {"done": 1}, "channel": "team", "url": "x" * 9})
    completed, _, ready = (event.envelope() for event in events_of(Change.from_record(change), lambda _: {}))
    assert completed == {
        "id": completed["id"],
        "type": "recording.completed",
        "version": "1",
        "time": "2026-11-28T12:00:00.000000Z",
        **WORDS,
        "data": {
            "recording_id": R,
            "status": "done",
            "version": 9,
            "ended_by": "stop",
            "media_counts": {"done": 1},
        },
    }
    assert ready["data"] == {
        "recording_id": R,
        "status": "done",
        "version": 9,
        "counts": {"topic": 3, "summary": 1},
    }


def test_an_event_says_how_far_what_is_derived_is() -> None:
    ended = told(RECORDING, AT_WORK, {**DONE, "insights": "pending"})
    assert {event.data["insights"] for event in events_of(Change.from_record(ended), lambda _: {})} == {"pending"}
    partial = {**DONE, "version": 10, "insights": "partial", "insights_code": "insights_unreadable"}
    derived = told(RECORDING, {**DONE, "insights": "pending"}, {**partial, "insights_reason": "words of an answer"})
    [event] = events_of(Change.from_record(derived), lambda _: {})
    why = {"insights": "partial", "insights_code": "insights_unreadable", "cause": "derived"}
    assert event.data == {"recording_id": R, "status": "done", "version": 10, **why}


def test_a_media_object_has_the_words_of_its_recording() -> None:
    change = Change.from_record(told(f"{MEDIA_PREFIX}m", SUBMITTED, TRY_0))
    [event] = events_of(change, {R: WORDS}.__getitem__)
    assert (event.reference, event.metadata) == (WORDS["reference"], WORDS["metadata"])
    [event] = events_of(change, lambda _: {})
    assert event.envelope().keys() == {"id", "type", "version", "time", "data"}
    for erased in ({**WORDS, "status": "erasing"}, None):
        assert events_of(change, {R: erased}.__getitem__) == []


def test_words_are_read_for_changes_that_tell_something_only() -> None:
    assert events_of(Change.from_record(told(f"{MEDIA_PREFIX}m", TRY_0, RETRY)), dict[str, Row]().__getitem__) == []


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"eventID": "1", "dynamodb": None},
        {"eventID": "1", "dynamodb": {"Keys": {"sk": {"S": "RECORDING"}}}},
        {"eventID": "1", "dynamodb": {"Keys": {}, "ApproximateCreationDateTime": 1}},
        {"eventID": "1", "dynamodb": {"Keys": {"sk": {"S": RECORDING}}, "ApproximateCreationDateTime": 1}},
        {"eventID": "1", "dynamodb": {**told(RECORDING, {}, RUNS)["dynamodb"], "ApproximateCreationDateTime": 1e99}},
        {**told(RECORDING, {}, RUNS), "eventID": "1"}
        | {"dynamodb": {**told(RECORDING, {}, RUNS)["dynamodb"], "NewImage": {"status": {"?": 1}}}},
    ],
)
def test_a_record_that_makes_no_sense_is_unreadable_and_can_be_trimmed(broken: dict[str, Any]) -> None:
    with pytest.raises(ChangeUnreadable):
        Change.from_record(broken)
    json.dumps(trimmed(broken))


def test_what_events_follow_from_are_attributes_of_rows() -> None:
    others = {"receipt_id"}
    assert READ_ATTRIBUTES - others - {"corrected_at"} <= {*RecordingRow.__annotations__, *MediaRow.__annotations__}


CAPTURED = {
    "stream_recording_started": ["recording.started"],
    "stream_recording_ended": ["recording.ended"],
    "stream_media_done": ["media.done"],
    "stream_recording_done": READY,
}
"""Records of one recording of the local cloud, as Lambda passes them."""


@pytest.mark.parametrize("name", CAPTURED)
def test_a_captured_record_tells_of(name: str, captured_event: Callable[[str], dict[str, Any]]) -> None:
    captured = captured_event(name)
    for seen in (captured, json.loads(json.dumps(trimmed(captured)))):
        events = events_of(Change.from_record(seen), lambda _: WORDS)
        assert [event.type for event in events] == CAPTURED[name]
        assert {event.recording_id for event in events} == {captured["dynamodb"]["Keys"]["pk"]["S"]}
        assert all(event.reference for event in events)
