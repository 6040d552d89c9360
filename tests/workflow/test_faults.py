"""Faults of AWS and of a provider: each Retry and each Catch of the state machine, and executions that are stopped."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from _pytest.mark.structures import ParameterSet

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import (
    HELD,
    drop,
    drop_all,
    entered,
    execution_ended,
    executions,
    history,
    hls_of,
    jobs_paid,
    process,
    read,
    recording_of,
    states,
    until,
    until_ended,
    until_waits,
    waits_at,
)
from tests.workflow.aws_faults import throttled, without_grants


def failures(stack: LocalStack, recording: dict[str, Any]) -> list[str]:
    """The errors of tasks that an execution has met so far."""
    [execution] = executions(stack, recording)
    events = history(stack, execution["executionArn"])
    return [event["taskFailedEventDetails"]["error"] for event in events if event["type"] == "TaskFailed"]


def await_failure(stack: LocalStack, recording_id: str) -> set[str]:
    """The errors of tasks, when there are some."""

    def find() -> set[str] | None:
        recording = read(stack, recording_id)
        return set(failures(stack, recording)) if executions(stack, recording) else None

    return until(find, "a failed task")


def tasks(representative: str) -> list[ParameterSet]:
    """The states that run a function: one in every run, all in `make test-all`. One construct gives them the retries
    and the catch."""
    return [pytest.param(state, marks=[] if state == representative else [pytest.mark.matrix]) for state in TASKS]


TASKS = ["Prepare media", "Submit recording", "Poll job", "Save insights"]


@pytest.fixture
def track(clip: Path, tmp_path: Path) -> list[Path]:
    """What Agora writes of one uid."""
    return hls_of(clip, tmp_path, f"{uuid4().hex}_team__uid_s_1001__uid_e_audio")


def drop_for(stack: LocalStack, state: str, clip: Path, track: list[Path]) -> str:
    """What goes through this state: only tracks must be prepared."""
    return drop_all(stack, track, "tracks") if state == "Prepare media" else drop(stack, clip)


@pytest.mark.parametrize("state", tasks("Prepare media"))
def test_a_throttled_function_is_tried_again(stack: LocalStack, clip: Path, track: list[Path], state: str) -> None:
    with waits_at(stack, HELD), throttled(stack, state):
        recording_id = recording_of(stack, drop_for(stack, state, clip, track))
        assert await_failure(stack, recording_id) == {"Lambda.TooManyRequestsException"}
    assert until_ended(stack, recording_id)["status"] == "done"


def test_a_throttled_report_is_tried_again(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"job_fails": "no speech"})
    with waits_at(stack, HELD), throttled(stack, "Report failure"):
        recording_id = recording_of(stack, drop(stack, clip))
        assert await_failure(stack, recording_id) == {"Lambda.TooManyRequestsException"}
    recording = until_ended(stack, recording_id)
    assert recording["status"] == "failed"
    assert "no speech" in recording["media"][0]["reason"]


@pytest.mark.parametrize("state", tasks("Submit recording"))
def test_a_passing_fault_of_aws_is_tried_again(stack: LocalStack, clip: Path, track: list[Path], state: str) -> None:
    with waits_at(stack, HELD), without_grants(stack, state):
        recording_id = recording_of(stack, drop_for(stack, state, clip, track))
        assert await_failure(stack, recording_id) == {"ClientError"}
    assert until_ended(stack, recording_id)["status"] == "done"


@pytest.mark.parametrize("state", tasks("Save insights"))
def test_a_lasting_fault_is_waited_out_until_it_is_mended(
    stack: LocalStack, clip: Path, track: list[Path], state: str
) -> None:
    with without_grants(stack, state):
        recording_id = recording_of(stack, drop_for(stack, state, clip, track))
        media = until_waits(stack, recording_id, "aws_denied")
        assert media["reason"] == "AWS denied a right to a function"
    recording = until_ended(stack, recording_id)
    assert recording["status"] == "done", recording["media"]
    assert not recording["media"][0].keys() & {"reason", "reason_code", "stage"}
    entered = states(stack, recording)
    place = entered.index("Report fault")
    assert entered[place - 1 : place + 5] == [
        *(state, "Report fault", "Fault passes?", "Wait for repair", "Go on where?", state)
    ]


def test_a_fault_that_cannot_be_reported_is_waited_out_too(stack: LocalStack, clip: Path) -> None:
    with without_grants(stack, "Save insights"), without_grants(stack, "Report fault"):
        recording_id = recording_of(stack, drop(stack, clip))
        [execution] = until(lambda: executions(stack, read(stack, recording_id)), "the execution")
        until(lambda: "Wait for repair" in entered(stack, execution), "the wait for repair")
    assert until_ended(stack, recording_id)["status"] == "done"


@pytest.mark.matrix
def test_a_failure_that_cannot_be_reported_still_reaches_the_row(stack: LocalStack, clip: Path) -> None:
    stack.dials(marsview={"job_fails": "no speech"})
    with without_grants(stack, "Report failure"):
        recording = until_ended(stack, recording_of(stack, drop(stack, clip)))
    assert recording["status"] == "failed"
    assert "could not be reported" in recording["media"][0]["reason"]
    assert execution_ended(stack, recording)["status"] == "FAILED"


def test_an_execution_aborted_at_the_console_leaves_its_reason(stack: LocalStack, clip: Path) -> None:
    stack.set_wait_scale(HELD)
    stack.dials(marsview={"job_never_ends": True})
    recording_id = recording_of(stack, drop(stack, clip))
    [execution] = until(lambda: executions(stack, read(stack, recording_id)), "the execution")
    stack.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    recording = until_ended(stack, recording_id)
    assert recording["status"] == "failed"
    assert "aborted" in recording["media"][0]["reason"]


@pytest.mark.matrix
def test_a_fault_that_the_provider_calls_its_own_gets_one_more_job(stack: LocalStack, clip: Path) -> None:
    stack.dials(assemblyai={"own_fault_next": 1})
    recording = process(stack, clip, f"via/assemblyai/{uuid4().hex[:8]}.mp4")
    assert recording["status"] == "done", recording["media"]
    assert jobs_paid(stack) == {"assemblyai.jobs": 2}
    assert states(stack, recording).count("Submit recording") == 2
    [given_up] = recording["media"][0]["given_up"]
    assert "Internal server error" in given_up["reason"]


def test_an_execution_that_is_started_by_hand_processes_a_failed_media_object_again(
    stack: LocalStack, clip: Path
) -> None:
    stack.dials(marsview={"job_fails": "no speech"})
    failed = process(stack, clip)
    assert failed["media"][0]["reason_code"] == "job_failed"
    stack.dials(marsview={"job_fails": None})
    [execution] = executions(stack, failed)
    client = stack.client("stepfunctions")
    given = client.describe_execution(executionArn=execution["executionArn"])["input"]

    names = [f"by-hand-{uuid4().hex[:8]}" for _ in range(2)]

    for name in names:
        client.start_execution(stateMachineArn=stack.outputs["WorkflowArn"], name=name, input=given)

    recording = until(
        lambda: (found := read(stack, failed["recording_id"]))["status"] == "done" and found, "the finished recording"
    )
    [media] = recording["media"]
    assert media["execution"] in names
    [earlier] = media["tries"]
    assert (earlier["status"], earlier["reason_code"]) == ("failed", "job_failed")
    assert "no speech" in earlier["reason"]
    assert sum(jobs_paid(stack).values()) == 2, "one job for each try, although two executions were started"
