"""The watch over recordings and Agora's notifications, on the deployed stack."""

import hmac
import json
import time
from typing import Any
from uuid import uuid4

import pytest

from recording_insights.model.status import ENDED
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import FAST, HELD, SLOW, STAYS, history, jobs_paid, read, until, until_ended, until_row, waits_at
from tests.workflow.aws_faults import throttled, without_grants, without_rule

SECRET = b"notification-secret"
WATCH = "WatchArn"
IN_PROGRESS = 5


def started(stack: LocalStack, channel: str, **options: Any) -> dict[str, Any]:
    answer = stack.call_api("POST", "/recordings", json={"channel": f"{channel} {uuid4().hex[:8]}", **options})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def until_status(stack: LocalStack, recording_id: str, *statuses: str) -> Any:
    return until_row(stack, recording_id, lambda row: row["status"] in statuses, " or ".join(statuses))


def until_complete(stack: LocalStack, recording_id: str) -> Any:
    return until_row(stack, recording_id, lambda row: "complete_at" in row, "the completeness")


def stop(stack: LocalStack, recording_id: str) -> None:
    """Stop a recording and see it through: the tests after this one count what is paid."""
    assert stack.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
    until_status(stack, recording_id, *ENDED)


def watch_of(stack: LocalStack, recording_id: str) -> list[dict[str, Any]]:
    """The events of a recording's watch."""
    arn = stack.outputs[WATCH].replace(":stateMachine:", ":execution:") + f":{recording_id}-1"
    return history(stack, arn)


def until_watched(stack: LocalStack, recording_id: str) -> None:
    until(lambda: watch_of(stack, recording_id)[-1]["type"] == "ExecutionSucceeded", "the end of the watch")


def failures(stack: LocalStack, recording_id: str) -> list[str]:
    return [e["taskFailedEventDetails"]["error"] for e in watch_of(stack, recording_id) if e["type"] == "TaskFailed"]


def waits(stack: LocalStack, recording_id: str) -> list[int]:
    """The seconds of each wait."""
    entered = [event for event in watch_of(stack, recording_id) if event["type"] == "WaitStateEntered"]
    return [json.loads(event["stateEnteredEventDetails"]["input"])["wait_seconds"] for event in entered]


def await_failures(stack: LocalStack, recording_id: str, count: int = 1) -> set[str]:
    def find() -> set[str] | None:
        met = failures(stack, recording_id)
        return set(met) if len(met) >= count else None

    return until(find, f"{count} failed tasks")


def calls(stack: LocalStack) -> list[str]:
    return [line["call"] for line in stack.ledger()["lines"]]


def states_told(stack: LocalStack) -> list[int]:
    """The states of the recorder that Agora has told to those who asked."""
    return [line["state"] for line in stack.ledger()["lines"] if line["call"] == "agora.query" and "state" in line]


def test_a_start_is_verified_and_an_end_noticed_until_the_recording_is_complete(stack: LocalStack) -> None:
    recording = started(stack, "watched")
    recording_id = recording["recording_id"]
    # Nobody stops it: the recorder leaves the empty channel, and Agora says so to those who ask.
    complete = until_complete(stack, recording_id)
    until_watched(stack, recording_id)
    assert until_ended(stack, recording_id)["status"] == "done"
    row = read(stack, recording_id)
    assert row["ended_by"] == "recorder"
    assert row["stopped_at"] < row["complete_at"] == complete["complete_at"]
    assert IN_PROGRESS in states_told(stack)
    assert "agora.stop" not in calls(stack)
    assert jobs_paid(stack)["agora.recordings_started"] == 1
    again = stack.call_api("POST", "/recordings", json={"channel": row["channel"]})
    assert again.status_code == 201, "the channel is free"
    stop(stack, again.json()["recording_id"])


@pytest.mark.matrix
def test_a_recorder_that_never_starts_is_a_failure_with_agora_s_last_word(stack: LocalStack) -> None:
    stack.dials(agora={"never_starts": True, "joins_at_query": 1_000_000, **STAYS})
    recording_id = started(stack, "never")["recording_id"]
    failed = until_status(stack, recording_id, *ENDED)
    assert (failed["status"], failed["reason"]) == (
        "failed",
        "Agora did not report the recorder as started within 90 s; last: some components ready",
    )
    until_watched(stack, recording_id)
    assert calls(stack).count("agora.stop") == 1
    assert calls(stack).count("agora.query") <= 8


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["mix", pytest.param("individual", marks=pytest.mark.matrix)])
def test_files_whose_events_were_lost_are_found_before_a_recording_ends(stack: LocalStack, mode: str) -> None:
    with without_rule(stack, "Media objects that are not empty go to the queue of the intake"):
        recording_id = started(stack, "unannounced", mode=mode)["recording_id"]
        until_row(stack, recording_id, lambda row: row.get("media"), "a media object")
    assert until_ended(stack, recording_id)["status"] == "done"
    until_watched(stack, recording_id)


@pytest.mark.matrix
def test_a_recording_that_nobody_spoke_in_is_empty(stack: LocalStack) -> None:
    stack.dials(agora={"recording_seconds": 0.0})
    recording_id = started(stack, "silence")["recording_id"]
    ended = until_status(stack, recording_id, *ENDED)
    assert ended["status"] == "empty"
    assert ended["reason"].startswith("the recorder left by itself (")
    assert ended["reason"].endswith("no file came within 5 minutes of the end")
    assert "complete_at" in ended


@pytest.mark.matrix
def test_files_that_agora_named_and_that_never_came_are_a_failure(stack: LocalStack) -> None:
    state = {"status": 5, "fileListMode": "json", "fileList": [{"fileName": "x_lost.m3u8"}]}
    answer = {"call": "agora.query", "status": 200, "body": {"serverResponse": state}}
    stack.dials(agora={"recording_seconds": 0.0}, fail_next=[answer])
    recording_id = started(stack, "lost files")["recording_id"]
    ended = until_status(stack, recording_id, *ENDED)
    assert (ended["status"], ended["reason"]) == (
        "failed",
        "Agora recorded, but no file came within 5 minutes of the end",
    )


def test_what_a_recorder_writes_its_files_with_is_renewed_every_hour(stack: LocalStack) -> None:
    # After 40 of its 50 seconds the conversation stands still until the recorder gets other credentials.
    stack.dials(agora={"recording_seconds": 50.0, "storage_seconds": 44.0, "stands_at_seconds": 40.0})
    recording_id = started(stack, "for hours")["recording_id"]
    complete = until_complete(stack, recording_id)
    assert until_ended(stack, recording_id)["status"] == "done"
    row = read(stack, recording_id)
    assert row["created_at"] < row["credentials_renewed_at"] < complete["complete_at"]
    assert "watch_reason" not in row
    assert calls(stack).count("agora.update") == 1
    assert "agora.upload" not in calls(stack), "the bucket has refused nothing"


@pytest.mark.matrix
def test_agora_being_away_is_waited_out(stack: LocalStack) -> None:
    away = {"call": "agora.query", "status": 500, "body": {"code": 1}, "times": 3}
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS, fail_next=[away])
    recording_id = started(stack, "away")["recording_id"]
    until_status(stack, recording_id, "recording")
    assert calls(stack).count("agora.query") >= 4
    stop(stack, recording_id)
    assert "watch_reason" not in read(stack, recording_id)


@pytest.mark.matrix
def test_a_throttled_look_is_tried_again(stack: LocalStack) -> None:
    stack.dials(agora=STAYS)
    with waits_at(stack, SLOW), throttled(stack, "Check recording", WATCH):
        recording_id = started(stack, "throttled")["recording_id"]
        assert await_failures(stack, recording_id) == {"Lambda.TooManyRequestsException"}
    until_status(stack, recording_id, "recording")
    stop(stack, recording_id)


def test_a_passing_fault_of_aws_is_tried_again_and_a_lasting_one_waited_out(stack: LocalStack) -> None:
    stack.dials(agora=STAYS)
    with without_grants(stack, "Check recording", WATCH):
        recording_id = started(stack, "no grants")["recording_id"]
        assert await_failures(stack, recording_id, count=8) == {"ClientError"}
        assert waits(stack, recording_id)[:2] == [7, 120]
    until_status(stack, recording_id, "recording")
    stop(stack, recording_id)


@pytest.mark.matrix
def test_slices_are_looked_at_once_aws_lets_it(stack: LocalStack) -> None:
    with waits_at(stack, SLOW), throttled(stack, "Recover recording", WATCH):
        recording_id = started(stack, "recovered at last")["recording_id"]
        assert await_failures(stack, recording_id) == {"Lambda.TooManyRequestsException"}
    until_watched(stack, recording_id)
    assert until_ended(stack, recording_id)["status"] == "done"


@pytest.mark.matrix
def test_slices_that_cannot_be_looked_at_are_waited_for(stack: LocalStack) -> None:
    with without_grants(stack, "Recover recording", WATCH):
        recording_id = started(stack, "no grants to recover")["recording_id"]
        assert await_failures(stack, recording_id, count=8) == {"ClientError"}
        assert waits(stack, recording_id)[-1] == 120
    until_watched(stack, recording_id)


@pytest.mark.matrix
def test_a_stop_that_found_no_recorder_is_repeated_by_a_watch_of_its_own(stack: LocalStack) -> None:
    moving = {"call": "agora.stop", "status": 404, "body": {"code": 404, "reason": "failed to find worker"}}
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS)
    recording_id = started(stack, "moves at its stop")["recording_id"]
    until_status(stack, recording_id, "recording", "processing")
    stack.dials(fail_next=[moving])
    assert stack.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
    ended = until_row(stack, recording_id, lambda row: "stopped_at" in row, "the end")
    assert ended["ended_by"] == "stop"
    assert calls(stack).count("agora.stop") == 2
    machine = stack.outputs[WATCH]
    pages = stack.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
    names = [e["name"] for page in pages for e in page["executions"] if e["name"].startswith(recording_id)]
    [own] = [name for name in names if "-stop-" in name]
    execution = machine.replace(":stateMachine:", ":execution:") + f":{own}"
    until(lambda: history(stack, execution)[-1]["type"] == "ExecutionSucceeded", "the end of the watch over the stop")
    stack.set_wait_scale(FAST)
    until_watched(stack, recording_id)


@pytest.mark.matrix
def test_reads_ask_nobody_and_show_what_the_watch_has_learned(stack: LocalStack) -> None:
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS)
    recording_id = started(stack, "read often")["recording_id"]
    until_status(stack, recording_id, "recording")
    stack.set_wait_scale(HELD)
    asked = calls(stack).count("agora.query")
    reads = [stack.call_api("GET", f"/recordings/{recording_id}?fresh={fresh}") for fresh in ("false", "true") * 3]
    assert {answer.json()["live"]["status"] for answer in reads} == {IN_PROGRESS}
    assert len({answer.json()["live"]["as_of"] for answer in reads}) == 1
    assert calls(stack).count("agora.query") == asked
    assert stack.call_api("GET", f"/recordings/{recording_id}?fresh=1").json()["field"] == "fresh"
    stack.set_wait_scale(FAST)
    stop(stack, recording_id)


def notify(stack: LocalStack, body: bytes, *, secret: bytes = SECRET, header: str = "Agora-Signature-V2") -> Any:
    algorithm = "sha256" if header.endswith("V2") else "sha1"
    headers = {header: hmac.new(secret, body, algorithm).hexdigest()}
    return stack.call_api("POST", "/webhooks/agora", data=body, headers=headers, signed=False)


def notice(sid: str, event: int, **details: Any) -> bytes:
    payload = {"cname": "c", "uid": "1", "sid": sid, "details": details}
    sent_ms = int(time.time() * 1000)
    told = {"noticeId": uuid4().hex, "productId": 3, "eventType": event, "notifyMs": sent_ms, "payload": payload}
    return json.dumps(told).encode()


def test_notifications_tell_of_an_end_early_and_forged_ones_of_nothing(stack: LocalStack) -> None:
    stack.set_wait_scale(HELD)
    stack.dials(agora=STAYS)
    recording = started(stack, "notified")
    recording_id, sid = recording["recording_id"], recording["sid"]

    assert notify(stack, notice(sid, 11, exitStatus=1), secret=b"guessed").status_code == 401
    assert stack.call_api("POST", "/webhooks/agora", data=notice(sid, 11), signed=False).status_code == 401
    assert notify(stack, notice("0" * 32, 11, exitStatus=1)).json() == {"ok": True}
    assert read(stack, recording_id)["status"] in ("starting", "recording")

    fail_over = notice(sid, 12, newUid=7)
    for _ in range(2):
        assert notify(stack, fail_over).json() == {"ok": True}
    assert read(stack, recording_id)["fail_overs"] == 1

    left = notice(sid, 11, exitStatus=1)
    for header in ("Agora-Signature", "Agora-Signature-V2"):
        assert notify(stack, left, header=header).json() == {"ok": True}
    ended = read(stack, recording_id)
    assert (ended["status"], ended["reason"]) == ("stopping", "the recorder left by itself (exited abnormally)")
    assert "complete_at" not in ended
    assert notify(stack, notice(sid, 31, status=0, fileList=[])).status_code == 200
    assert read(stack, recording_id)["complete_at"]
    stack.set_wait_scale(FAST)
    until_status(stack, recording_id, *ENDED)


@pytest.mark.matrix
def test_with_agora_s_notifications_a_recording_is_complete_at_once(stack: LocalStack) -> None:
    """The watch asks nothing meanwhile: its waits stand still."""
    stack.set_wait_scale(HELD)
    url = f"{stack.api_url}/webhooks/agora"
    in_time = {"joins_at_query": 0, "joining_seconds": 0.0, "leaves_at_query": 0}
    stack.dials(agora={**in_time, "notifications_url": url, "notify_twice": True})
    recording_id = started(stack, "told")["recording_id"]
    complete = until_complete(stack, recording_id)
    told = [line["status"] for line in stack.ledger()["lines"] if line["call"] == "agora.notification"]
    assert len(told) >= 4
    assert set(told) == {200}
    assert complete["status"] in ("stopping", "processing", "done")
    stack.set_wait_scale(FAST)
    row = read(stack, recording_id)
    assert (row["ended_by"], row["complete_at"]) == ("recorder", complete["complete_at"])
    until_status(stack, recording_id, *ENDED)
