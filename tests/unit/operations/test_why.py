"""Why a recording is where it is: a sentence for each state that the code has, and the facts of each kind of wait."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Any, get_args

import pytest

from operations.machine_states import Machines
from operations.waits import BY_CODE, BY_STATUS, BY_STATUS_OF_MEDIA, Wait, wait_of_media, wait_of_recording
from operations.why import MOST_SHOWN, Explainer, Explanation, Part
from recording_insights.model.reasons import INSIGHT_REASONS, REASONS, Stage
from recording_insights.model.status import FINAL, RECORDING_STATUSES
from tests.unit.operations.fake_account import aws_error

ID = "4736218b480a44149a6bac9cd17457c6"
NOON = "2026-11-27T12:00:00.000000Z"
OUTPUTS = {
    name: f"arn:aws:states:eu-central-1:1:stateMachine:{name}"
    for name in ("WorkflowArn", "WatchArn", "ErasesArn", "DerivationArn")
}
DEFINITION = {
    "Submit recording": {"Type": "Task", "TimeoutSeconds": 270, "Arguments": {"FunctionName": "submit"}},
    "Prepare media": {"Type": "Task", "TimeoutSeconds": 930, "Arguments": {"FunctionName": "prepare"}},
    "Await callback": {"Type": "Task", "TimeoutSeconds": 900},
    "Await turn": {"Type": "Task", "TimeoutSeconds": "{% $states.input.wait_seconds %}"},
    "Wait": {"Type": "Wait", "Seconds": "{% $states.input.wait_seconds %}"},
}
ENVIRONMENTS = {
    "submit": {"GIVE_UP_HOURS": "72", "QUEUE_DAYS": "14", "POLL_CEILING_MINUTES": "240"},
    "prepare": {"LATE_FILES_MINUTES": "60"},
}


class FakeStates:
    """Step Functions and Lambda: `states` are the states in which executions are, by their name."""

    class exceptions:
        class ExecutionDoesNotExist(Exception):
            pass

    def __init__(self, states: Mapping[str, str] | None = None, *, seconds: Any = 600, denied: bool = False) -> None:
        self.states, self.seconds, self.denied = dict(states or {}), seconds, denied

    def describe_state_machine(self, stateMachineArn: str) -> dict[str, str]:
        if self.denied:
            raise aws_error("AccessDeniedException", "DescribeStateMachine")
        return {"definition": json.dumps({"States": DEFINITION})}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        return {"Environment": {"Variables": ENVIRONMENTS[FunctionName]}}

    def get_execution_history(self, executionArn: str, **given: Any) -> dict[str, Any]:
        assert given["reverseOrder"]
        state = self.states.get(executionArn.rpartition(":")[2])
        if state is None:
            raise self.exceptions.ExecutionDoesNotExist
        at = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
        if state == "over":
            return {"events": [{"type": "ExecutionSucceeded", "timestamp": at}]}
        entered = {"name": state, "input": json.dumps({"wait_seconds": self.seconds})}
        scheduled = {"type": "TaskScheduled", "timestamp": at, "taskScheduledEventDetails": {}}
        return {
            "events": [scheduled, {"type": "TaskStateEntered", "timestamp": at, "stateEnteredEventDetails": entered}]
        }

    def get_paginator(self, name: str) -> Any:
        class Pages:
            def paginate(_, **given: Any) -> Any:
                assert given["statusFilter"] == "RUNNING"
                yield {"executions": [{"name": name} for name, state in self.states.items() if state != "over"]}

        return Pages()


def explained(
    recording: Mapping[str, Any],
    states: FakeStates | None = None,
    providers: Mapping[str, Mapping[str, Any]] | None = None,
) -> Explanation:
    machines = Machines(states, states, OUTPUTS) if states else None
    explainer = Explainer("dev", providers or {}, machines, lambda arn: f"page of {arn}", lambda error: f"{error}")
    return explainer.explain({"recording_id": ID, "status": "processing", **recording})


def media(**row: Any) -> dict[str, Any]:
    return {
        "media_id": "m",
        "key": "a.mp4",
        "provider": "deepgram",
        "execution": "e",
        "arrived_at": NOON,
        "waiting_since": NOON,
        **row,
    }


def only(explanation: Explanation) -> Part:
    [part] = explanation.parts
    return part


def test_every_status_stage_and_code_has_a_sentence() -> None:
    assert BY_CODE.keys() == REASONS.keys() | INSIGHT_REASONS.keys()
    assert BY_STATUS.keys() == {*RECORDING_STATUSES}
    open_statuses = {status for status, _ in BY_STATUS_OF_MEDIA} - {*FINAL}
    for status, stage, code in product((*open_statuses, *FINAL), (*get_args(Stage), None), (*REASONS, None, "later")):
        wait = wait_of_media(status, stage, code)
        assert wait.ends
        assert wait.is_over == (status in FINAL or (code is not None and code in BY_CODE and BY_CODE[code].is_over)), (
            status,
            stage,
            code,
        )
    for status, code in product(RECORDING_STATUSES, (*REASONS, None, "later")):
        assert wait_of_recording(status, code).ends


@pytest.mark.parametrize("wait", [*BY_CODE.values(), *BY_STATUS.values(), *BY_STATUS_OF_MEDIA.values()])
def test_texts_are_sentences_and_commands_have_known_fields(wait: Wait) -> None:
    assert all(text[0].isupper() and text.endswith(".") for text in (wait.waits_for, wait.ends))
    wait.command.format(id=ID, provider="deepgram", stage="dev")


def test_a_media_object_without_a_slot_knows_its_place_its_provider_and_its_ends() -> None:
    row = media(
        status="waiting",
        stage="submission",
        reason_code="queued",
        reason="all slots",
        queue_position=3,
        expected_turn_at="2026-11-27T12:20:00Z",
    )
    provider = {
        "deepgram": {
            "provider": "deepgram",
            "paused": False,
            "health": "closed",
            "slots": 5,
            "slots_used": 5,
            "queued": 9,
        }
    }
    part = only(explained({"media": [row]}, FakeStates({"e": "Await turn"}, seconds=600), provider))
    assert part.provider_state == "takes jobs, 5 of 5 slots, 9 in the queue"
    assert (part.queue_position, part.expected_at) == (3, "2026-11-27T12:20:00Z")
    assert part.state == "Await turn: It waits for its turn."
    assert part.next_at == "2026-11-27T12:10:00.000000Z"
    assert (part.limit, part.latest_at) == ("queueDays = 14", "2026-12-11T12:00:00.000000Z")
    assert part.command == "recordings providers slots deepgram N"
    assert (part.meaning, part.advice) == (REASONS["queued"].meaning, REASONS["queued"].advice)
    assert part.console == "page of arn:aws:states:eu-central-1:1:execution:WorkflowArn:e"


def test_a_provider_that_takes_nothing_says_since_when_and_its_media_object_gives_up_after_its_first_turn() -> None:
    row = media(status="waiting", stage="submission", reason_code="credentials_refused", first_turn_at=NOON)
    health = {"health": "open", "since": NOON, "reason_code": "credentials_refused", "retry_at": "soon"}
    part = only(explained({"media": [row]}, FakeStates({"e": "Await turn"}), {"deepgram": health}))
    assert part.provider_state == f"takes none since {NOON} (credentials_refused), tried again at soon"
    assert part.latest_at == "2026-11-30T12:00:00.000000Z"
    assert "recording-insights/dev/deepgram" in part.command


def test_a_pause_names_its_operator_and_the_command_that_ends_it() -> None:
    row = media(status="waiting", stage="submission", reason_code="provider_paused")
    part = only(explained({"media": [row]}, None, {"deepgram": {"paused": True, "changed_by": "night shift"}}))
    assert (part.provider_state, part.command) == ("paused by night shift", "recordings providers resume deepgram")


def test_a_job_waits_for_its_callback_until_the_ceiling_and_says_when_it_is_expected() -> None:
    row = media(status="submitted", submitted_at=NOON, expected_seconds=90.0, try_number=2)
    part = only(explained({"media": [row]}, FakeStates({"e": "Await callback"})))
    assert part.next_at == "2026-11-27T12:15:00.000000Z", "it polls then"
    assert part.latest_at == "2026-11-27T16:00:00.000000Z"
    assert (part.expected_at, part.try_number) == ("2026-11-27T12:01:30.000000Z", 2)


def test_what_failed_waits_for_nothing_and_is_named_first() -> None:
    rows = [
        media(status="submitted"),
        media(status="failed", reason_code="queued_too_long", finished_at="f"),
        media(status="done"),
    ]
    first, second = explained({"media": rows}, FakeStates()).parts
    assert (first.status, first.since, first.command) == ("failed", "f", f"recordings retry {ID}")
    assert (first.limit, first.state, second.status) == (None, None, "submitted")


def test_a_recording_of_thousands_of_media_objects_is_short() -> None:
    explanation = explained({"media": [media(status="waiting")] * 30})
    assert (len(explanation.parts), explanation.counts) == (MOST_SHOWN, {"waiting": 30})
    assert explanation.notes == ("10 more media objects wait or have failed.",)


def test_a_recorder_is_watched_and_late_files_are_waited_for_until_a_moment() -> None:
    watch = FakeStates({f"{ID}-1": "Wait", "other-1": "Wait"}, seconds=900)
    running = only(explained({"status": "recording", "channel": "c", "created_at": NOON, "media": []}, watch))
    assert (running.of, running.state) == ("recorder", "Wait: The watch waits for its next look at the recorder.")
    assert running.next_at == "2026-11-27T12:15:00.000000Z"
    ended = {"status": "done", "channel": "c", "stopped_at": NOON, "watch_reason": "no credentials"}
    late = only(explained(ended, FakeStates({f"{ID}-1": "over"})))
    assert (late.limit, late.latest_at, late.reason) == (
        "lateFilesMinutes",
        "2026-11-27T13:00:00.000000Z",
        "no credentials",
    )
    assert explained({**ended, "complete_at": NOON}, watch).parts == []


def test_an_erase_a_derivation_and_an_upload_say_what_they_wait_for() -> None:
    erase = only(explained({"status": "erasing", "erasing_since": NOON}, FakeStates({f"{ID}-erase-0": "Erase page"})))
    assert (erase.of, erase.since, erase.state) == ("erase", NOON, "Erase page: A part is being deleted.")
    pending = {"status": "done", "insights": "pending", "updated_at": NOON}
    derived = only(explained(pending, FakeStates({f"{ID}-0a1b-1": "Derive insights"})))
    assert derived.waits_for == "A model derives insights of its transcript."
    lacking = only(explained({"status": "done", "insights_code": "insights_filtered", "insights_reason": "guardrail"}))
    assert (lacking.code, lacking.reason, lacking.command) == (
        "insights_filtered",
        "guardrail",
        f"recordings retry {ID} --from saved",
    )
    upload = {"status": "starting", "upload_expires_at": "2026-11-28T12:00:00Z", "created_at": NOON}
    assert only(explained(upload)).latest_at == "2026-11-28T12:00:00Z"


def test_without_rights_on_step_functions_the_api_alone_tells_and_a_note_says_so_once() -> None:
    rows = [media(status="waiting", stage="submission", reason_code="queued")] * 2
    explanation = explained({"media": rows}, FakeStates(denied=True))
    assert [part.limit for part in explanation.parts] == ["queueDays"] * 2
    assert len(explanation.notes) == 1
    assert "States of executions are not known" in explanation.notes[0]


def test_an_execution_that_ended_a_moment_ago_or_of_a_later_version_is_no_fault() -> None:
    assert only(explained({"media": [media(status="submitted")]}, FakeStates({"e": "over"}))).state is None
    later = only(explained({"media": [media(status="submitted")]}, FakeStates({"e": "Think"}, seconds="soon")))
    assert (later.state, later.next_at) == ("Think", None)
    edited = media(status="waiting", reason_code="queued", waiting_since="nonsense")
    assert only(explained({"media": [edited]}, FakeStates({"e": "Await turn"}, seconds=None))).latest_at is None


def test_nothing_is_waited_for_in_a_recording_that_is_done() -> None:
    explanation = explained({"status": "done", "media": [media(status="done")]})
    assert explanation.parts == []
    assert explanation.sentence == "It waits for nothing. Everything that came is processed."
    assert explanation.document()["counts"] == {"done": 1}
