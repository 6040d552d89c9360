"""One recording from the API to the insights, and media that was put into the bucket by hand."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import (
    SAMPLE,
    SLOW,
    STAYS,
    all_ended,
    drop,
    executions,
    jobs_paid,
    listed,
    process,
    recording_of,
    states,
    until,
    until_ended,
)


def words(insights: dict[str, Any]) -> set[str]:
    return {word.strip(".,?!").lower() for line in insights["transcript"] for word in line["text"].split()}


def paid(stack: LocalStack) -> dict[str, int]:
    return dict(jobs_paid(stack))


def test_an_agora_recording_becomes_insights(stack: LocalStack) -> None:
    stack.dials(agora={"recording_seconds": None}, hearing={"scripted": False})
    started = stack.call_api("POST", "/recordings", json={"channel": "support call"})
    assert started.status_code == 201
    recording = until_ended(stack, started.json()["recording_id"])

    assert recording["status"] == "done"
    assert recording["sid"] == started.json()["sid"]
    [media] = recording["media"]
    assert media["key"] == f"recordings/{recording['recording_id']}/{recording['sid']}_support call_0.mp4"
    insights = stack.call_api("GET", f"/recordings/{recording['recording_id']}/insights").json()
    assert {"delivery", "table", "picture", "friday"} <= words(insights)
    assert len({line["speaker"] for line in insights["transcript"]}) == 2
    starts = [line["start_ms"] for line in insights["transcript"]]
    assert starts == sorted(starts)
    assert insights["summary"]
    assert insights["topics"]
    assert insights["action_items"]
    assert insights["questions"]
    assert insights["emotions"]
    assert -1 <= insights["sentiment"] <= 1
    assert "missing" not in insights

    entered = states(stack, recording)
    assert entered[:3] == ["Media prepared?", "Submit recording", "Job finished?"]
    assert entered[-1] == "Save insights"
    assert len(entered) <= 10
    assert paid(stack) == {"agora.recordings_started": 1, "marsview.transactions_computed": 1}


@pytest.mark.matrix
def test_the_parts_of_a_recording_are_one_conversation(stack: LocalStack) -> None:
    stack.dials(agora={"parts": 3, "recording_seconds": 18.0})
    started = stack.call_api("POST", "/recordings", json={"channel": "long talk"}).json()
    recording_id = started["recording_id"]
    names = [f"recordings/{recording_id}/{started['sid']}_long talk_{n}.mp4" for n in range(3)]

    recording = all_ended(stack, recording_id, media=3)

    assert recording["status"] == "done", recording
    assert [media["key"] for media in recording["media"]] == names
    insights = stack.call_api("GET", f"/recordings/{recording_id}/insights").json()
    starts = [line["start_ms"] for line in insights["transcript"]]
    assert starts == sorted(starts)
    by_text = {line["text"].split()[0].lower(): line["start_ms"] for line in insights["transcript"]}
    assert abs(by_text["good"] - 990) < 300
    assert abs(by_text["hello"] - 7380) < 300, "spoken in the second part"
    assert paid(stack)["marsview.transactions_computed"] == 3


def test_media_put_into_the_bucket_by_hand_is_processed(stack: LocalStack) -> None:
    recording = process(stack, SAMPLE, f"by hand/{uuid4().hex[:8]}.mp4")
    assert recording["status"] == "done", recording
    insights = stack.call_api("GET", f"/recordings/{recording['recording_id']}/insights").json()
    assert {"delivery", "table", "picture"} <= words(insights)
    assert "channel" not in recording


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with space.mp4", id="space", marks=pytest.mark.matrix),
        pytest.param("a+b.mp4", id="plus", marks=pytest.mark.matrix),
        pytest.param("%41 percent.mp4", id="percent", marks=pytest.mark.matrix),
        pytest.param("grüße + %41/日本語 🎧.MP4", id="all of them"),
        pytest.param("x" * 990 + ".mp4", id="1000 characters", marks=pytest.mark.matrix),
        pytest.param("UPPER.MP4", id="upper case", marks=pytest.mark.matrix),
    ],
)
def test_a_key_is_processed_under_its_exact_name(stack: LocalStack, clip: Path, name: str) -> None:
    key = f"{uuid4().hex[:6]}/{name}"
    recording = process(stack, clip, key)
    assert recording["status"] == "done"
    assert [media["key"] for media in recording["media"]] == [key]


@pytest.mark.parametrize(
    ("key", "body", "logged_by"),
    [
        ("x/slice.ts", b"slice", "rule"),
        ("x/list.m3u8", b"#EXTM3U", "rule"),
        ("x/shot.jpg", b"jpg", "rule"),
        ("x/nothing.mp4", b"", "rule"),
        ("x/folder/", b"", "rule"),
        ("x/text.mp4", b"this is no media, whatever the key says", "function"),
    ],
)
def test_everything_else_is_ignored_with_a_reason(stack: LocalStack, key: str, body: bytes, logged_by: str) -> None:
    before = {recording["recording_id"] for recording in listed(stack)}
    drop(stack, body, key)
    group = stack.outputs["IgnoredObjectsLogGroup"]
    if logged_by == "function":
        [group] = [
            found["logGroupName"]
            for found in stack.client("logs").describe_log_groups()["logGroups"]
            if "AdmitMedia" in found["logGroupName"]
        ]
    line = logged(stack, group, key)
    assert "ignored" in line
    assert {recording["recording_id"] for recording in listed(stack)} == before


def logged(stack: LocalStack, group: str, text: str) -> str:
    def find() -> str | None:
        pages = stack.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        return next((str(event["message"]) for event in events if text in event["message"]), None)

    return until(find, f"a line about {text} in {group}")


def test_five_deliveries_of_an_object_are_one_execution_and_one_paid_job(stack: LocalStack, clip: Path) -> None:
    key = f"five times/{uuid4().hex[:8]}.mp4"
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: drop(stack, clip, key), range(5)))
    recording = until_ended(stack, recording_of(stack, key))
    assert recording["status"] == "done"
    assert len(executions(stack, recording)) == 1
    assert paid(stack) == {"marsview.transactions_computed": 1}


def test_two_simultaneous_starts_make_one_recording(stack: LocalStack) -> None:
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS)
    channel = f"both at once {uuid4().hex[:8]}"

    def start(_: int) -> Any:
        return stack.call_api("POST", "/recordings", json={"channel": channel})

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(start, range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    [recording_id] = {answer.json()["recording_id"] for answer in answers}
    assert start(2).json()["recording_id"] == recording_id
    assert paid(stack)["agora.recordings_started"] == 1
    assert stack.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
    assert stack.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
    assert until_ended(stack, recording_id)["status"] in ("done", "empty")


def test_agora_refusing_the_credentials_is_a_problem_that_says_so(stack: LocalStack) -> None:
    stack.dials(fail_next=[{"call": "agora.acquire", "status": 401, "body": {"message": "Unauthorized"}, "times": 2}])
    answer = stack.call_api("POST", "/recordings", json={"channel": "refused"})
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert "refused the credentials" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [
        pytest.param("agora.acquire", 429, {"message": "API rate limit exceeded"}, marks=pytest.mark.matrix),
        pytest.param("agora.acquire", 500, {"code": 500, "reason": "internal"}, marks=pytest.mark.matrix),
        ("agora.start", 206, {"code": 65, "reason": "request not completed"}),
        pytest.param("agora.start", 500, {"code": 502, "reason": "no worker"}, marks=pytest.mark.matrix),
        pytest.param("agora.acquire", 504, {"message": "timeout"}, marks=pytest.mark.matrix),
    ],
)
def test_agora_s_passing_faults_are_waited_out(stack: LocalStack, call: str, status: int, body: dict[str, Any]) -> None:
    stack.dials(fail_next=[{"call": call, "status": status, "body": body}])
    answer = stack.call_api("POST", "/recordings", json={"channel": f"fault {call} {uuid4().hex[:8]}"})
    assert answer.status_code == 201
    assert paid(stack)["agora.recordings_started"] == 1
    until_ended(stack, answer.json()["recording_id"])  # the tests after this one count what is paid


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "channel"),
        ({"channel": "x" * 64}, "channel"),
        ({"channel": "emoji 🎧"}, "channel"),
        ({"channel": "c", "uid": 0}, "uid"),
        ({"channel": "c", "uid": "abc"}, "uid"),
        ({"channel": "c", "mode": "video"}, "mode"),
        ({"channel": "c", "provider": "nobody"}, "provider"),
        ({"channel": "c", "chanel": "typo"}, "chanel"),
    ],
)
def test_a_wrong_field_is_named(stack: LocalStack, body: dict[str, Any], field: str) -> None:
    answer = stack.call_api("POST", "/recordings", json=body)
    assert answer.status_code == 400
    assert answer.json()["field"] == field


def test_the_door(stack: LocalStack) -> None:
    assert stack.call_api("POST", "/recordings", json={"channel": "c"}, signed=False).status_code == 403
    assert stack.call_api("POST", "/recordings", data=b"{no json").status_code == 400
    assert stack.call_api("POST", "/recordings", data=b'"' + b"x" * 17_000 + b'"').status_code == 413
    assert stack.call_api("GET", f"/recordings/{'0' * 32}").status_code == 404
    assert stack.call_api("GET", f"/recordings/{'0' * 32}/insights").status_code == 404
    assert stack.call_api("POST", f"/recordings/{'0' * 32}/stop").status_code == 404
    assert stack.call_api("GET", "/recordings?status=lost").status_code == 400
