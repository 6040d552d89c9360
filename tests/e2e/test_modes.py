"""Modes and changes of a recording through the deployed API."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import SLOW, STAYS, all_ended, until_ended, until_recording


@pytest.fixture(autouse=True)
def time_to_change_it(fresh_stand_ins: None, stack: LocalStack) -> None:
    stack.set_wait_scale(SLOW)


def recording(stack: LocalStack, **body: Any) -> dict[str, Any]:
    answer = stack.call_api("POST", "/recordings", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_web_page_is_recorded_and_becomes_insights(stack: LocalStack) -> None:
    stack.dials(agora=STAYS)
    page = {"url": "https://talk.example.com/room?key=s3cret", "rtmp_url": "rtmps://live.example.com/app/s3cret"}
    started = recording(stack, mode="web", channel="all hands", **page)
    until_recording(stack, started["recording_id"])
    elsewhere = {"rtmp_url": "rtmp://other.example.com/app/s3cret"}
    moved = stack.call_api("PATCH", f"/recordings/{started['recording_id']}", json=elsewhere)
    assert (moved.status_code, moved.json()["rtmp_url"]) == (200, "rtmp://other.example.com")
    assert stack.call_api("POST", f"/recordings/{started['recording_id']}/stop").status_code == 202

    ended = until_ended(stack, started["recording_id"])
    assert ended["status"] == "done", ended
    assert ended["url"] == "https://talk.example.com/room"
    insights = stack.call_api("GET", f"/recordings/{ended['recording_id']}/insights").json()
    assert "help you" in " ".join(line["text"] for line in insights["transcript"]).lower()


def test_a_recording_is_changed_while_it_runs_and_not_afterwards(stack: LocalStack) -> None:
    stack.dials(agora=STAYS)
    path = f"/recordings/{recording(stack, channel=f'to be changed {uuid4().hex[:8]}')['recording_id']}"
    until_recording(stack, path.removeprefix("/recordings/"))

    changed = stack.call_api("PATCH", path, json={"subscribe_audio_uids": ["7", "8"]})
    assert changed.status_code == 200, changed.text
    assert changed.json()["subscribe_audio_uids"] == ["7", "8"]
    laid_out = stack.call_api("PUT", f"{path}/layout", json={"layout": "best_fit"})
    assert laid_out.status_code == 200, laid_out.text
    typo = stack.call_api("PATCH", path, json={"subscribe_audio_uid": ["7"]})
    assert (typo.status_code, typo.json()["field"]) == (400, "subscribe_audio_uid")

    assert stack.call_api("POST", f"{path}/stop").status_code == 202
    assert stack.call_api("PATCH", path, json={"subscribe_audio_uids": "all"}).status_code == 409
    until_ended(stack, path.removeprefix("/recordings/"))
    calls = [line["call"] for line in stack.ledger()["lines"]]
    assert calls.count("agora.update") == calls.count("agora.updateLayout") == 1


@pytest.mark.matrix
def test_of_two_changes_at_once_one_builds_upon_the_other(stack: LocalStack) -> None:
    stack.dials(
        agora=STAYS,
        fail_next=[{"call": "agora.update", "status": 200, "body": {}, "after": True, "delay_seconds": 1.0}],
    )
    path = f"/recordings/{recording(stack, channel=f'changed twice {uuid4().hex[:8]}')['recording_id']}"
    until_recording(stack, path.removeprefix("/recordings/"))
    changes = {"subscribe_audio_uids": ["7"]}, {"subscribe_video_uids": ["9"]}
    with ThreadPoolExecutor() as both:
        answers = list(both.map(lambda change: stack.call_api("PATCH", path, json=change), changes))
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]

    row = stack.call_api("GET", path).json()
    assert (row["subscribe_audio_uids"], row["subscribe_video_uids"]) == (["7"], ["9"])
    assert stack.call_api("POST", f"{path}/stop").status_code == 202
    until_ended(stack, path.removeprefix("/recordings/"))


@pytest.mark.matrix
def test_an_area_that_the_bucket_is_not_in_is_refused_at_the_door(stack: LocalStack) -> None:
    before = len(stack.ledger()["lines"])
    refused = stack.call_api("POST", "/recordings", json={"channel": "elsewhere", "region": "EU"})
    assert (refused.status_code, refused.json()["field"]) == (400, "region")
    assert "must be NA or left out" in refused.json()["detail"]
    assert len(stack.ledger()["lines"]) == before


@pytest.mark.matrix
def test_who_is_listened_to_later_speaks_at_the_true_time(stack: LocalStack) -> None:
    # After five of ten seconds the conversation stands still until others are listened to.
    stack.dials(agora={"recording_seconds": 10.0, "slice_seconds": 2.0, "stands_at_seconds": 5.0})
    individual = {"mode": "individual", "channel": f"taking turns {uuid4().hex[:8]}", "subscribe_audio_uids": ["1001"]}
    recording_id = recording(stack, **individual)["recording_id"]
    path = f"/recordings/{recording_id}"
    assert stack.call_api("PATCH", path, json={"speakers": {"1002": "Caller"}}).status_code == 200
    until_recording(stack, recording_id)

    changed = stack.call_api("PATCH", path, json={"subscribe_audio_uids": ["1002"]})
    assert changed.status_code == 200, changed.text

    ended = all_ended(stack, recording_id, media=2)
    assert ended["status"] == "done", ended
    lengths = {media["uid"]: media["duration_ms"] for media in ended["media"]}
    assert all(abs(length - 5_000) < 300 for length in lengths.values()), "one ends where the other begins"
    transcript = stack.call_api("GET", f"{path}/insights").json()["transcript"]
    his, *_ = [line for line in transcript if line["speaker"] == "1002"]
    assert his["speaker_name"] == "Caller"
    assert abs(his["start_ms"] - 7_380) < 300, "counted from the recording's first sound, not from his track's"
