"""Slots, pauses and cancellations through the API, on the deployed stack."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import HELD, drop, jobs_paid, read, recording_of, until, until_ended, until_waits, waits_at

NEVER_ENDS = {"marsview": {"job_never_ends": True}}


def change(stack: LocalStack, **body: Any) -> dict[str, Any]:
    answer = stack.call_api("PUT", "/providers/marsview", json=body)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def test_who_cancels_gives_the_slot_to_the_next_and_what_was_cancelled_can_be_retried(
    stack: LocalStack, clip: Path
) -> None:
    change(stack, slots=1)
    try:
        with waits_at(stack, HELD):
            stack.dials(**NEVER_ENDS)
            names = [f"{uuid4().hex[:8]}-{number}.mp4" for number in range(3)]
            first = recording_of(stack, drop(stack, clip, names[0]))
            until(lambda: read(stack, first)["media"][0]["status"] == "submitted", "the first job")
            others = [recording_of(stack, drop(stack, clip, name)) for name in names[1:]]
            waiting = [until_waits(stack, recording_id, "queued") for recording_id in others]
            assert [media["queue_position"] for media in waiting] == [1, 2]
            assert {"expected_turn_at"} <= waiting[0].keys()
            seen = stack.call_api("GET", "/providers").json()["providers"]
            [marsview] = [provider for provider in seen if provider["provider"] == "marsview"]
            assert (marsview["slots"], marsview["slots_used"], marsview["queued"]) == (1, 1, 2)

            stack.dials(marsview={"job_never_ends": False})
            for recording_id in (others[0], first):  # one that waits, and the one whose slot it waits for
                cancelled = stack.call_api("POST", f"/recordings/{recording_id}/cancel").json()
                assert (cancelled["status"], cancelled["reason_code"]) == ("failed", "cancelled")
        assert until_ended(stack, others[1])["status"] == "done"
        assert jobs_paid(stack) == {"marsview.transactions_computed": 2}

        assert stack.call_api("POST", f"/recordings/{others[0]}/retry", json={}).status_code == 202
        assert until_ended(stack, others[0])["status"] == "done"
    finally:
        assert change(stack, slots=None)["slots"] is None


def test_a_pause_holds_back_what_comes_and_lets_it_go_on_untouched(stack: LocalStack, clip: Path) -> None:
    assert change(stack, paused=True)["paused"]
    try:
        waiting = [recording_of(stack, drop(stack, clip, f"{uuid4().hex[:8]}.mp4")) for _ in range(2)]
        for recording_id in waiting:
            until_waits(stack, recording_id, "provider_paused")
        assert jobs_paid(stack) == {}
    finally:
        assert not change(stack, paused=False)["paused"]
    assert [until_ended(stack, recording_id)["status"] for recording_id in waiting] == ["done", "done"]
