"""Every branch of "Job finished?", and every fault of the provider, through the deployed state machine."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import SLOW, drop, jobs_paid, process, recording_of, states, until_ended, until_waits

COMPUTED = "marsview.transactions_computed"


def paid(stack: LocalStack) -> int:
    return int(jobs_paid(stack).get(COMPUTED, 0))


def calls(stack: LocalStack, call: str) -> int:
    return sum(line["call"] == call for line in stack.ledger()["lines"])


def test_running_then_succeeded(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"unknown_state": "processing", "unknown_state_polls": 2})
    recording = process(stack, clip)
    assert recording["status"] == "done", recording
    entered = states(stack, recording)
    turn = ["Wait", "Poll job", "Job finished?"]
    turns = (len(entered) - 4) // 3
    assert turns >= 3
    assert entered == ["Media prepared?", "Submit recording", "Job finished?", *turn * turns, "Save insights"]


def test_failed(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"job_fails": "the audio has no speech"})
    recording = process(stack, clip)
    assert recording["status"] == "failed"
    assert "the audio has no speech" in recording["media"][0]["reason"]
    assert states(stack, recording)[-3:] == ["Job finished?", "Report failure", "Recording failed"]


@pytest.mark.matrix
def test_busy_provider_is_waited_for_and_the_recording_submitted_again(stack: LocalStack, clip: Path) -> None:
    busy = {"status": 429, "body": {"message": "slow down"}, "headers": {"Retry-After": "30"}, "times": 2}
    stack.dials(fail_next=[{"call": "marsview.save_file_link", **busy}])
    recording = process(stack, clip)
    assert recording["status"] == "done", recording
    assert states(stack, recording).count("Submit recording") == 3
    assert paid(stack) == 1


@pytest.mark.parametrize(
    "in_reply",
    [pytest.param(False, id="state says it"), pytest.param(True, id="compute says it", marks=pytest.mark.matrix)],
)
def test_expired_link_leads_to_a_new_one_in_a_new_transaction(stack: LocalStack, clip: Path, in_reply: bool) -> None:
    stack.dials(marsview={"link_expired_next": 2, "link_expired_in_reply": in_reply})
    recording = process(stack, clip)
    assert recording["status"] == "done", recording
    assert states(stack, recording).count("Submit recording") == 3
    assert calls(stack, "marsview.save_file_link") == 3


@pytest.mark.matrix
def test_a_third_expired_link_is_a_failure(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"link_expired_next": 3})
    recording = process(stack, clip)
    assert recording["status"] == "failed"
    assert "AIRDOW002" in recording["media"][0]["reason"]


def test_a_job_that_never_ends_reaches_the_ceiling(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"job_never_ends": True})
    recording = process(stack, clip)
    assert recording["status"] == "failed"
    assert "no result within 20 minutes" in recording["media"][0]["reason"]


@pytest.mark.matrix
def test_a_partial_result_is_kept_and_what_is_missing_is_named(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"model_errors": {"sentiment_analysis": "model crashed"}})
    recording = process(stack, clip)
    assert recording["status"] == "partial"
    insights = stack.call_api("GET", f"/recordings/{recording['recording_id']}/insights").json()
    assert insights["transcript"]
    assert insights["missing"] == ["sentiment_analysis: AIRMOD001 model crashed"]


@pytest.mark.matrix
def test_an_empty_model_list_is_a_failure(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"empty_models": True})
    recording = process(stack, clip)
    assert recording["status"] == "failed"
    assert "nothing was computed" in recording["media"][0]["reason"]


@pytest.mark.matrix
def test_an_unknown_state_word_means_still_running(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"unknown_state": "pondering", "unknown_state_polls": 2})
    assert process(stack, clip)["status"] == "done"


FAULTS: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "body": {"status": False, "message": "oops"}},
    "504": {"status": 504, "body": "<html>gateway timeout</html>"},
    "429": {"status": 429, "body": {"message": "slow down"}},
    "connection dropped": {"drop_connection": True},
    "not JSON": {"status": 200, "body": "<html>maintenance</html>"},
    "without the field": {"status": 200, "body": {"status": True, "data": {}}},
    "answer lost": {"drop_connection": True, "after": True},
}
CALLS = ["save_file_link", "compute", "get_txn", "fetch_metadata"]


PAIRS = [(call, fault) for fault in FAULTS for call in CALLS]
EVERY_RUN = [*zip(CALLS, ("500", "answer lost", "429", "connection dropped"), strict=True)]
"""Each call once. The conformance suite has each fault in process."""


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("call", "fault"), [pytest.param(*pair, marks=[] if pair in EVERY_RUN else [pytest.mark.matrix]) for pair in PAIRS]
)
def test_a_passing_fault_of_the_provider_loses_nothing_and_pays_nothing_twice(
    stack: LocalStack, clip: Path, call: str, fault: str
) -> None:
    stack.dials(fail_next=[{"call": f"marsview.{call}", **FAULTS[fault]}])
    recording = process(stack, clip)
    assert recording["status"] == "done", recording["media"]
    assert paid(stack) == 1


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("call", "status"), [pytest.param("save_file_link", 401, marks=pytest.mark.matrix), ("get_txn", 403)]
)
def test_a_refused_token_is_renewed(stack: LocalStack, clip: Path, call: str, status: int) -> None:
    refusal = {"status": False, "error": {"name": "JsonWebTokenError"}, "message": "jwt expired"}
    assert process(stack, clip)["status"] == "done", "from now on the functions hold a token"
    stack.reset_ledger()
    stack.dials(fail_next=[{"call": f"marsview.{call}", "status": status, "body": refusal}])
    assert process(stack, clip)["status"] == "done"
    assert calls(stack, "marsview.create_access_token") == 1


def test_a_wrong_secret_is_waited_for_and_the_row_says_so(stack: LocalStack, clip: Path) -> None:
    wrong = {"status": False, "error": "NJSCFE001", "message": "Invalid API key"}
    stack.set_wait_scale(SLOW)
    stack.dials(
        fail_next=[
            {"call": "marsview.save_file_link", "status": 403, "body": {"status": False, "message": "jwt expired"}},
            {"call": "marsview.create_access_token", "status": 401, "body": wrong, "times": 8},
        ]
    )
    recording_id = recording_of(stack, drop(stack, clip))
    reason = until_waits(stack, recording_id, "credentials_refused")["reason"]
    assert "Marsview refused the credentials of its secret: NJSCFE001" in reason
    recording = until_ended(stack, recording_id)
    assert recording["status"] == "done"
    assert "Await turn" in states(stack, recording)
