"""The state machine that watches recordings: its states, its rights, and the route for Agora's notifications."""

import json
from typing import Any

import pytest

Template = dict[str, Any]
WAIT_BEFORE = {"Check recording": "Wait", "Recover recording": "Wait for files"}
TASKS = list(WAIT_BEFORE)
FUNCTIONS = ["CheckRecording", "RecoverRecording"]


def resources(template: Template, kind: str, prefix: str) -> list[tuple[str, dict[str, Any]]]:
    """Resources of a type whose logical id begins so, as (logical id, properties)."""
    return [
        (name, resource["Properties"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind and name.startswith(prefix)
    ]


@pytest.fixture(scope="session")
def machine(template: Template) -> dict[str, Any]:
    [(_, properties)] = resources(template, "AWS::StepFunctions::StateMachine", "Watch")
    return properties


@pytest.fixture(scope="session")
def definition(machine: dict[str, Any]) -> dict[str, Any]:
    parts = machine["DefinitionString"]["Fn::Join"][1]
    return dict(json.loads("".join(part if isinstance(part, str) else "token" for part in parts)))


def test_the_states_and_their_order(machine: dict[str, Any], definition: dict[str, Any]) -> None:
    assert machine["StateMachineType"] == "STANDARD"
    assert definition["QueryLanguage"] == "JSONata"
    assert definition["StartAt"] == "Wait"
    others = {"Recording over?", "Recording watched", "Wait after unknown outcome"}
    assert set(definition["States"]) == {*WAIT_BEFORE.values(), *TASKS, *others}
    for task, waiting in WAIT_BEFORE.items():
        seconds = "{% $states.input.wait_seconds %}"
        assert definition["States"][waiting] == {"Type": "Wait", "Seconds": seconds, "Next": task}
        assert definition["States"][task]["Next"] == "Recording over?"
    choice = definition["States"]["Recording over?"]
    assert [(c["Condition"], c["Next"]) for c in choice["Choices"]] == [
        ("{% $states.input.outcome = 'over' %}", "Recording watched"),
        ("{% $states.input.outcome = 'ended' %}", "Wait for files"),
        ("{% $states.input.outcome = 'recover' %}", "Recover recording"),
        ("{% $states.input.outcome = 'watching' %}", "Wait"),
    ]
    assert choice["Default"] == "Wait after unknown outcome"
    assert definition["States"][choice["Default"]] == {"Type": "Wait", "Seconds": 300, "Next": "Check recording"}
    assert definition["States"]["Recording watched"]["Type"] == "Succeed"


@pytest.mark.parametrize("task", TASKS)
def test_no_fault_of_aws_ends_the_watch(template: Template, definition: dict[str, Any], task: str) -> None:
    state = definition["States"][task]
    throttled, faults = state["Retry"]
    assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    assert faults["ErrorEquals"] == ["States.ALL"]
    for retry in state["Retry"]:
        assert retry["BackoffRate"] > 1
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxDelaySeconds"]
    [caught] = state["Catch"]
    assert (caught["ErrorEquals"], caught["Next"]) == (["States.ALL"], WAIT_BEFORE[task])
    assert caught["Output"] == "{% $merge([$states.input, {'wait_seconds': 120}]) %}"
    [(_, function)] = resources(template, "AWS::Lambda::Function", f"Watch{task.title().replace(' ', '')}")
    assert state["TimeoutSeconds"] > function["Timeout"]  # which may have to wait for a worker


def test_it_outlives_the_longest_recording_and_its_late_files(definition: dict[str, Any]) -> None:
    assert definition["TimeoutSeconds"] == ((24 + 6) * 60 + 3 * 60) * 60


def test_it_is_traced_and_logs_no_data(machine: dict[str, Any]) -> None:
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_only_a_start_and_a_stop_start_a_watch_and_the_watch_calls_two_functions(template: Template) -> None:
    [(machine, _)] = resources(template, "AWS::StepFunctions::StateMachine", "Watch")
    starts = {
        name
        for name, policy in resources(template, "AWS::IAM::Policy", "")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "states:StartExecution" and statement["Resource"] == {"Ref": machine}
    }
    assert sorted(name[: name.index("Policy")] for name in starts) == [
        "RecordingsStartRecording",
        "RecordingsStopRecording",
    ]
    called = [resources(template, "AWS::Lambda::Function", f"Watch{module}") for module in FUNCTIONS]
    [(_, policy)] = resources(template, "AWS::IAM::Policy", "WatchPolicy")
    calls = [s["Resource"] for s in policy["PolicyDocument"]["Statement"] if s["Action"] == "lambda:InvokeFunction"]
    assert calls == [[{"Fn::GetAtt": [function, "Arn"]} for [(function, _)] in called]]


def test_what_is_recovered_is_processed_like_any_other_media_object(template: Template) -> None:
    [(_, recover)] = resources(template, "AWS::Lambda::Function", "WatchRecoverRecording")
    [(workflow, _)] = resources(template, "AWS::StepFunctions::StateMachine", "Processing")
    assert recover["Environment"]["Variables"]["WORKFLOW_ARN"] == {"Ref": workflow}
    [(_, policy)] = resources(template, "AWS::IAM::Policy", "WatchRecoverRecording")
    [start] = [s for s in policy["PolicyDocument"]["Statement"] if s["Action"] == "states:StartExecution"]
    assert start["Resource"] == {"Ref": workflow}


def test_rows_with_an_expiry_are_deleted(template: Template) -> None:
    [(_, table)] = resources(template, "AWS::DynamoDB::GlobalTable", "")
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_notifications_need_no_signature_of_aws(template: Template) -> None:
    routes = resources(template, "AWS::ApiGatewayV2::Route", "")
    assert [r["AuthorizationType"] for _, r in routes if r["RouteKey"] == "POST /webhooks/agora"] == ["NONE"]
