"""Modes and changes of a recording through the deployed API."""

import time
from typing import Any

from sandbox.local_stack import LocalStack
from tests.deployed import until_ended


def recording(stack: LocalStack, **body: Any) -> dict[str, Any]:
    answer = stack.call_api("POST", "/recordings", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def until_recording(stack: LocalStack, recording_id: str) -> None:
    for _ in range(100):
        if stack.call_api("GET", f"/recordings/{recording_id}").json()["status"] == "recording":
            return
        time.sleep(0.1)
    raise AssertionError("it does not record")


def test_a_web_page_is_recorded_and_becomes_insights(stack: LocalStack) -> None:
    stack.set_wait_scale(0.1)
    stack.dials(agora={"recording_seconds": 6.0, "speed": 12.0})

    started = recording(stack, mode="web", channel="all hands", url="https://talk.example.com/room?key=s3cret")
    # Nobody leaves a page: it is recorded until it is told to stop.
    until_recording(stack, started["recording_id"])
    time.sleep(1)
    assert stack.call_api("POST", f"/recordings/{started['recording_id']}/stop").status_code == 202

    ended = until_ended(stack, started["recording_id"])
    assert ended["status"] == "done", ended
    assert ended["url"] == "https://talk.example.com/room"
    insights = stack.call_api("GET", f"/recordings/{ended['recording_id']}/insights").json()
    assert "help you" in " ".join(line["text"] for line in insights["transcript"]).lower()


def test_a_recording_is_changed_while_it_runs_and_not_afterwards(stack: LocalStack) -> None:
    stack.dials(agora={"speed": 1.0})
    path = f"/recordings/{recording(stack, channel='to be changed')['recording_id']}"
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
