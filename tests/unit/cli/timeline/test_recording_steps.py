"""The steps of a recording, from its row: what has happened, what goes on, and when it has ended."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.timeline import recording_steps
from cli.timeline.recording_steps import has_ended, recorder_may_run, steps_of_media, steps_of_recording
from cli.timeline.step import Step
from recording_insights.model import status

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
STARTED: dict[str, Any] = {
    "recording_id": "a" * 32,
    "status": "recording",
    "insights": "pending",
    "created_at": "2026-11-21T12:00:00.000000Z",
    "updated_at": "2026-11-21T12:00:29.000000Z",
    "channel": "room",
    "sid": "s1",
    "media": [],
}
LEFT = {"stopped_at": "2026-11-21T12:00:10.000000Z", "ended_by": "recorder"}
MEDIA: dict[str, Any] = {
    "media_id": "m1",
    "key": "recordings/a_0.mp4",
    "status": "done",
    "provider": "symbl",
    "arrived_at": "2026-11-21T12:00:11.000000Z",
    "submitted_at": "2026-11-21T12:00:13.000000Z",
    "finished_at": "2026-11-21T12:00:20.000000Z",
    "counts": {"transcript": 1, "action_items": 2},
}


def shown(row: dict[str, Any]) -> list[tuple[str, str, float, str]]:
    return [(step.name, step.state, step.seconds, step.detail) for step in steps_of_recording(row, {}, NOW)]


def test_the_statuses_are_those_of_the_pipeline() -> None:
    assert (recording_steps.ENDED, recording_steps.READY) == (status.ENDED, status.READY)


def test_a_recorder_is_followed_until_it_has_left() -> None:
    start = ("Start recording", "done", 0.0, "POST /recordings → sid s1")
    assert shown(STARTED) == [start, ("Record", "running", 30.0, "recording")]
    live = {**STARTED, "live": {"meaning": "in progress"}}
    assert shown(live)[1] == ("Record", "running", 30.0, "Agora: in progress")
    assert shown({**STARTED, **LEFT})[1] == ("Record", "done", 10.0, "the recorder left by itself")
    stopped = {**STARTED, **LEFT, "ended_by": "stop"}
    assert shown(stopped)[1] == ("Record", "done", 10.0, "stopped by a call of the API")
    unnamed = {name: value for name, value in STARTED.items() if name != "sid"}
    assert shown({**unnamed, "status": "starting"}) == [("Start recording", "running", 30.0, "")]
    refused = {**unnamed, "status": "failed", "stage": "recorder", "reason": "refused"}
    assert shown(refused)[0] == ("Start recording", "failed", 30.0, "refused")


def test_files_that_have_come_do_not_prove_that_the_recorder_left() -> None:
    ready = {**STARTED, "status": "done", "media": [MEDIA]}
    record, arrive, *_, derive = shown(ready)[1:]
    assert record[1:] == ("running", 30.0, "the stack has not noticed yet whether the recorder has left")
    assert arrive == ("Arrive in S3", "done", 0.0, MEDIA["key"])
    assert derive[1:] == ("running", 10.0, "waits until the stack notices that the recorder has left")
    assert shown({**ready, **LEFT})[-1][-1] == "by the model in Bedrock"
    assert shown({**ready, **LEFT, "insights": "done"})[-1] == ("Derive insights", "done", 9.0, "done")
    assert "Derive insights" not in str(shown({**ready, **LEFT, "insights": "off"}))


def test_an_upload_waits_for_its_file() -> None:
    upload: dict[str, Any] = {name: value for name, value in STARTED.items() if name not in ("channel", "sid")}
    upload |= {"file": {"name": "a.mp3", "size": 9}, "upload_expires_at": "12:15", "status": "starting"}
    assert shown(upload) == [("Upload", "running", 30.0, "waits for a.mp3, until 12:15")]
    assert shown({**upload, "media": [MEDIA]})[0] == ("Upload", "done", 11.0, "a.mp3, 9 bytes")
    ended = {**upload, "status": "failed", "reason": "no media"}
    assert shown(ended)[0][1::2] == ("failed", "no media")


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ({"status": "waiting", "reason": "queued"}, [("Submit recording", "running", "queued")]),
        ({"status": "preparing"}, [("Prepare media", "running", "")]),
        ({"status": "submitted"}, [("Submit recording", "done", "accepted by symbl"), ("Await result", "running", "")]),
        (
            {"status": "done"},
            [
                ("Submit recording", "done", "accepted by symbl"),
                ("Save insights", "done", "2 action items, 1 page of transcript"),
            ],
        ),
        (
            {"status": "failed", "reason": "refused", "submitted_at": None},
            [("Report failure", "failed", "refused")],
        ),
    ],
)
def test_a_row_alone_tells_of_steps_too(row: dict[str, Any], names: list[tuple[str, str, str]]) -> None:
    steps = steps_of_media({**MEDIA, **row}, NOW)
    assert [(step.name, step.state, step.detail) for step in steps] == names


def test_steps_of_several_media_objects_are_told_apart() -> None:
    media = [{**MEDIA, "part": 0}, {**MEDIA, "media_id": "m2", "uid": "7"}, {**MEDIA, "media_id": "m3", "key": "a/b"}]
    steps = steps_of_recording({**STARTED, "media": media}, {}, NOW)
    assert list(dict.fromkeys(step.of for step in steps if step.of)) == ["part 0", "uid 7", "b"]
    assert Step("Arrive in S3", "done", 0.0, "recordings/a_0.mp4 and 2 more") in steps


@pytest.mark.parametrize(
    ("changes", "ended"),
    [
        ({"status": "processing"}, False),
        ({"status": "done", "insights": "off"}, False),
        ({"status": "done", "insights": "off", **LEFT}, True),
        ({"status": "done", "insights": "pending", **LEFT}, False),
        ({"status": "failed", "insights": "off", "stage": "recorder"}, True),
        ({"status": "failed", "insights": "off", "stage": "result"}, False),
        ({"status": "empty", "insights": "off", "complete_at": "x"}, True),
    ],
)
def test_it_has_ended_when_nothing_more_is_expected(changes: dict[str, Any], ended: bool) -> None:
    assert has_ended({**STARTED, **changes}) is ended


def test_a_file_that_was_put_by_hand_has_no_recorder() -> None:
    row = {name: value for name, value in STARTED.items() if name not in ("channel", "sid")}
    assert not recorder_may_run(row)
    assert has_ended({**row, "status": "done", "insights": "off"})
    assert shown({**row, "media": [MEDIA]})[0][0] == "Arrive in S3"
