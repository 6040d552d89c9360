"""The state machine that retries many: its loop, and who may start what."""

import json

import pytest

from tests.infra.test_watch import Template, resources


def test_it_goes_from_page_to_page_with_a_wait_between(template: Template) -> None:
    [(_, machine)] = resources(template, "AWS::StepFunctions::StateMachine", "Retries")
    assert machine["StateMachineType"] == "STANDARD"
    parts = machine["DefinitionString"]["Fn::Join"][1]
    definition = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    states = definition["States"]
    assert (definition["StartAt"], set(states)) == (
        "Retry page",
        {"Retry page", "More to retry?", "Wait", "Wait after unknown outcome", "Retried"},
    )
    assert states["Retry page"]["Next"] == "More to retry?"
    assert [(branch["Condition"], branch["Next"]) for branch in states["More to retry?"]["Choices"]] == [
        ("{% $states.input.outcome = 'more' %}", "Wait"),
        ("{% $states.input.outcome = 'over' %}", "Retried"),
    ]
    assert states["More to retry?"]["Default"] == "Wait after unknown outcome"
    assert states["Wait after unknown outcome"] == {"Type": "Wait", "Seconds": 300, "Next": "Retry page"}
    assert states["Wait"] == {"Type": "Wait", "Seconds": "{% $states.input.wait_seconds %}", "Next": "Retry page"}
    assert [fault["ErrorEquals"] for fault in states["Retry page"]["Retry"]] == [
        ["Lambda.TooManyRequestsException"],
        ["States.ALL"],
    ]


@pytest.mark.parametrize(
    ("function", "machine"),
    [
        ("RetriesRetryPage", "Processing"),
        ("RecordingsRetryRecording", "Processing"),
        ("RecordingsAdmitObject", "Processing"),
        ("RecordingsRetryMany", "Retries"),
    ],
)
def test_each_function_starts_and_sees_executions_of_one_machine(
    template: Template, function: str, machine: str
) -> None:
    [(arn, _)] = resources(template, "AWS::StepFunctions::StateMachine", machine)
    [(_, policy)] = resources(template, "AWS::IAM::Policy", function)
    [start, describe, *others] = [
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if str(statement["Action"]).startswith("states:")
    ]
    assert (start["Action"], start["Resource"]) == ("states:StartExecution", {"Ref": arn})
    assert describe["Action"] == "states:DescribeExecution"
    assert {"Fn::GetAtt": [arn, "Name"]} in describe["Resource"]["Fn::Join"][1]
    # A playlist that is closed ends the wait of its track.
    ends = [("states:SendTaskSuccess", {"Ref": arn})] if function.endswith("AdmitObject") else []
    if function.endswith("AdmitObject"):
        # An object of an erased recording is deleted.
        [(erases, _)] = resources(template, "AWS::StepFunctions::StateMachine", "Erases")
        ends.append(("states:StartExecution", {"Ref": erases}))
    assert [(each["Action"], each["Resource"]) for each in others] == ends


def test_a_page_knows_the_rate_of_the_setting(template: Template) -> None:
    [(_, page)] = resources(template, "AWS::Lambda::Function", "RetriesRetryPage")
    assert page["Environment"]["Variables"]["RETRIES_PER_MINUTE"] == "60"
