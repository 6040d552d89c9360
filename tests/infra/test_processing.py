"""The definition of the state machine that processes media objects, state by state."""

import json
import re
from typing import Any

import pytest

from infra.settings import StackSettings
from recording_insights.bounded import LARGEST_REPLY, MOST_BYTES_FOR_A_MARK, MOST_MARKS
from recording_insights.processing.late_files import AWAIT_SECONDS

TASKS = ["Prepare media", "Submit recording", "Poll job", "Save insights", "Report fault", "Report failure"]
UNKNOWN = "Wait after unknown outcome"
LONGEST = {"Prepare media": 15 * 60 + 30}


@pytest.fixture(scope="session")
def definition(template: dict[str, Any]) -> dict[str, Any]:
    [machine] = [
        resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine" and name.startswith("Processing")
    ]
    assert machine["Properties"]["StateMachineType"] == "STANDARD"
    text = machine["Properties"]["DefinitionString"]
    parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
    return dict(json.loads("".join(part if isinstance(part, str) else "token" for part in parts)))


def test_the_states(definition: dict[str, Any]) -> None:
    assert definition["StartAt"] == "Media prepared?"
    waits = {"Wait for files", "Await end of track", "Await turn", "Await callback", "Wait", "Wait for repair", UNKNOWN}
    choices = {"Media prepared?", "Job finished?", "Fault passes?", "Go on where?"}
    ends = {"Nothing was recorded", "Nothing to do", "Recording failed"}
    assert set(definition["States"]) == {*TASKS, *waits, *choices, *ends}
    assert definition["QueryLanguage"] == "JSONata"


def test_the_tasks(definition: dict[str, Any]) -> None:
    tasks = {name for name, state in definition["States"].items() if state["Type"] == "Task"}
    assert tasks == {*TASKS, "Await end of track", "Await callback", "Await turn"}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_ends_retries_and_is_caught(definition: dict[str, Any], name: str) -> None:
    state = definition["States"][name]
    assert 0 < state["TimeoutSeconds"] <= LONGEST.get(name, 300)
    assert [c["ErrorEquals"] for c in state["Catch"]] == [["States.ALL"]]
    throttled, faults = state["Retry"]
    assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    assert throttled["MaxAttempts"] >= 10
    assert faults["ErrorEquals"] == ["States.ALL"]
    for retry in state["Retry"]:
        assert retry["BackoffRate"] > 1
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxDelaySeconds"]


def outcomes(choice: dict[str, Any]) -> dict[str, str]:
    """The next state of a Choice by outcome."""
    form = re.compile(r"{% (?:\$states\.input\.outcome = '(\w+)'|\$not\(\$exists\(\$states\.input\.outcome\)\)) %}")
    return {form.fullmatch(branch["Condition"])[1] or "": branch["Next"] for branch in choice["Choices"]}  # type: ignore[index]


def test_every_fault_is_reported_and_goes_on_where_it_was(definition: dict[str, Any]) -> None:
    states = definition["States"]
    again = {"prepare": "Prepare media", "submit": "Submit recording", "running": "Poll job"}
    again["succeeded"] = "Save insights"
    for outcome, name in again.items():
        [caught] = states[name]["Catch"]
        assert caught["Next"] == "Report fault"
        assert f"'failed_state': '{name}', 'outcome': '{outcome}', 'wait_seconds': 300" in caught["Output"]
    assert states["Report fault"]["Next"] == "Fault passes?"
    assert outcomes(states["Fault passes?"]) == {"failed": "Report failure"}
    assert states["Fault passes?"]["Default"] == "Wait for repair"
    assert states["Wait for repair"]["Next"] == "Go on where?"
    assert outcomes(states["Go on where?"]) == again
    assert states["Go on where?"]["Default"] == "Poll job", "it has waited, and a poll tells the next state"


def test_what_cannot_be_reported_either_waits_for_its_repair_too(definition: dict[str, Any]) -> None:
    [caught] = definition["States"]["Report fault"]["Catch"]
    assert (caught["Next"], caught["Output"]) == ("Wait for repair", "{% $states.input %}")
    assert definition["States"]["Report failure"]["Catch"][0]["Next"] == "Recording failed"
    assert definition["States"]["Report failure"]["Next"] == "Recording failed"


def test_an_outcome_of_another_version_waits_and_polls(definition: dict[str, Any]) -> None:
    assert definition["States"][UNKNOWN] == {"Type": "Wait", "Seconds": 300, "Next": "Poll job"}


def test_media_goes_where_its_outcome_says(definition: dict[str, Any]) -> None:
    choice = definition["States"]["Media prepared?"]
    assert outcomes(choice) == {
        "prepare": "Prepare media",
        "running": "Wait for files",
        "awaiting": "Await end of track",
        "failed": "Report failure",
        "empty": "Nothing was recorded",
        "over": "Nothing to do",
        "submit": "Submit recording",
        "": "Submit recording",
    }
    assert choice["Default"] == UNKNOWN
    assert definition["States"]["Wait for files"]["Seconds"] == "{% $states.input.wait_seconds %}"
    assert definition["States"]["Wait for files"]["Next"] == "Prepare media"
    assert definition["States"]["Prepare media"]["Next"] == "Media prepared?"
    assert definition["States"]["Nothing was recorded"]["Type"] == "Succeed"


def test_the_loop_is_decided_by_data(definition: dict[str, Any]) -> None:
    choice = definition["States"]["Job finished?"]
    assert outcomes(choice) == {
        "awaiting": "Await callback",
        "running": "Wait",
        "succeeded": "Save insights",
        "parked": "Await turn",
        "submit": "Submit recording",
        "prepare": "Prepare media",
        "over": "Nothing to do",
        "failed": "Report failure",
    }
    assert choice["Default"] == UNKNOWN
    assert definition["States"]["Nothing to do"]["Type"] == "Succeed"
    assert definition["States"]["Wait"]["Seconds"] == "{% $states.input.wait_seconds %}"
    assert definition["States"]["Wait"]["Next"] == "Poll job"


@pytest.mark.parametrize(
    ("name", "arrived", "seconds", "then", "caught"),
    [
        (
            "Await callback",
            "callback_at",
            StackSettings("dev", "marsview").callback_wait_seconds,
            "Poll job",
            {"States.ALL": "Poll job"},
        ),
        (
            "Await end of track",
            "went_on",
            AWAIT_SECONDS,
            "Prepare media",
            {"States.Timeout": "Prepare media", "States.ALL": "Wait for files"},
        ),
    ],
)
def test_a_task_token_that_comes_back_and_its_time_out_lead_on(
    definition: dict[str, Any], name: str, arrived: str, seconds: int, then: str, caught: dict[str, str]
) -> None:
    state = definition["States"][name]
    assert state["Resource"].endswith(":states:::aws-sdk:dynamodb:updateItem.waitForTaskToken")
    assert state["TimeoutSeconds"] == seconds
    assert state["Next"] == then
    assert [(c["ErrorEquals"], c["Next"], c["Output"]) for c in state["Catch"]] == [
        ([error], following, "{% $states.input %}") for error, following in caught.items()
    ]
    assert state["Arguments"]["UpdateExpression"] == "SET task_token = :token"
    assert state["Arguments"]["ConditionExpression"] == f"attribute_exists(pk) AND attribute_not_exists({arrived})"


def test_after_its_turn_or_a_time_out_a_media_object_is_submitted(definition: dict[str, Any]) -> None:
    state = definition["States"]["Await turn"]
    assert state["Resource"].endswith(":states:::aws-sdk:dynamodb:updateItem.waitForTaskToken")
    assert state["TimeoutSeconds"] == "{% $states.input.wait_seconds %}"
    assert state["Next"] == "Submit recording"
    assert [(c["ErrorEquals"], c["Next"], c["Output"]) for c in state["Catch"]] == [
        (["States.Timeout"], "Submit recording", "{% $merge([$states.input, {'timed_out': true}]) %}"),
        (["States.ALL"], "Submit recording", "{% $states.input %}"),
    ]
    key = state["Arguments"]["Key"]
    assert key == {"pk": {"S": "{% $states.input.queue %}"}, "sk": {"S": "{% $states.input.place %}"}}
    condition = state["Arguments"]["ConditionExpression"]
    assert condition == "attribute_exists(pk) AND attribute_not_exists(called_at)"


def test_the_reply_of_a_day_and_the_worst_reply_fit_into_memory(template: dict[str, Any]) -> None:
    memory = {
        resource["Properties"]["Handler"].split(".")[1]: resource["Properties"]["MemorySize"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert memory["poll_job"] >= 2 * 461, "twice the MB that Deepgram's reply of 24 hours takes"
    assert memory["save_insights"] >= 1.5 * 532
    parsed = MOST_MARKS * MOST_BYTES_FOR_A_MARK + 5 * LARGEST_REPLY >> 20
    for name in ("submit_recording", "poll_job"):
        assert memory[name] >= parsed + 128, "the bytes, a text with four bytes for each, and what is parsed of it"
    assert memory["save_insights"] >= 2 * parsed + 128, "the utterances as well"


def test_the_machine_has_a_ceiling_above_the_ones_in_the_loop(definition: dict[str, Any]) -> None:
    recorded_then_silent_then_late = 24 * 60 + 24 * 60 + 60
    queued_then_tried_then_polled = 14 * 24 * 60 + 72 * 60 + 240
    whole = 4 * queued_then_tried_then_polled + recorded_then_silent_then_late + 60
    assert definition["TimeoutSeconds"] == whole * 60
