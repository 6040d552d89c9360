"""The definition of the state machine that processes media objects, state by state."""

import json
from typing import Any

import pytest

from infra.settings import StackSettings
from recording_insights.processing.late_files import AWAIT_SECONDS

TASKS = ["Prepare media", "Submit recording", "Poll job", "Save insights", "Report failure"]
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
    waits = {"Wait for files", "Await end of track", "Await callback", "Wait", "Job finished?"}
    others = {*waits, "Nothing was recorded", "Nothing to do", "Recording failed"}
    assert set(definition["States"]) == {*TASKS, "Media prepared?", *others}
    assert definition["QueryLanguage"] == "JSONata"


def test_the_tasks(definition: dict[str, Any]) -> None:
    tasks = {name for name, state in definition["States"].items() if state["Type"] == "Task"}
    assert tasks == {*TASKS, "Await end of track", "Await callback"}


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


def test_every_failure_is_reported(definition: dict[str, Any]) -> None:
    for name in TASKS[:-1]:
        [caught] = definition["States"][name]["Catch"]
        assert caught["Next"] == "Report failure"
        assert f"'failed_state': '{name}'" in caught["Output"]
    assert definition["States"]["Report failure"]["Catch"][0]["Next"] == "Recording failed"
    assert definition["States"]["Report failure"]["Next"] == "Recording failed"


def test_media_is_submitted_unless_its_outcome_says_otherwise(definition: dict[str, Any]) -> None:
    choice = definition["States"]["Media prepared?"]
    assert {c["Condition"]: c["Next"] for c in choice["Choices"]} == {
        "{% $states.input.outcome = 'prepare' %}": "Prepare media",
        "{% $states.input.outcome = 'running' %}": "Wait for files",
        "{% $states.input.outcome = 'awaiting' %}": "Await end of track",
        "{% $states.input.outcome = 'failed' %}": "Report failure",
        "{% $states.input.outcome = 'empty' %}": "Nothing was recorded",
        "{% $states.input.outcome = 'over' %}": "Nothing to do",
    }
    assert choice["Default"] == "Submit recording"
    assert definition["States"]["Wait for files"]["Seconds"] == "{% $states.input.wait_seconds %}"
    assert definition["States"]["Wait for files"]["Next"] == "Prepare media"
    assert definition["States"]["Prepare media"]["Next"] == "Media prepared?"
    assert definition["States"]["Nothing was recorded"]["Type"] == "Succeed"


def test_the_loop_is_decided_by_data(definition: dict[str, Any]) -> None:
    choice = definition["States"]["Job finished?"]
    branches = {c["Condition"]: c["Next"] for c in choice["Choices"]}
    assert branches == {
        "{% $states.input.outcome = 'awaiting' %}": "Await callback",
        "{% $states.input.outcome = 'running' %}": "Wait",
        "{% $states.input.outcome = 'succeeded' %}": "Save insights",
        "{% $states.input.outcome = 'submit' %}": "Submit recording",
        "{% $states.input.outcome = 'prepare' %}": "Prepare media",
        "{% $states.input.outcome = 'over' %}": "Nothing to do",
    }
    assert choice["Default"] == "Report failure"
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


def test_the_reply_of_a_day_fits_into_memory(template: dict[str, Any]) -> None:
    memory = {
        resource["Properties"]["Handler"].split(".")[1]: resource["Properties"]["MemorySize"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert memory["poll_job"] >= 2 * 461, "twice the MB that Deepgram's reply of 24 hours takes"
    assert memory["save_insights"] >= 1.5 * 532


def test_the_machine_has_a_ceiling_above_the_ones_in_the_loop(definition: dict[str, Any]) -> None:
    recorded_then_silent_then_late = 24 * 60 + 24 * 60 + 60
    assert definition["TimeoutSeconds"] == (4 * (60 + 240) + recorded_then_silent_then_late + 60) * 60
