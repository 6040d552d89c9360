"""The sweep's schedule calls one function, and its role may do nothing else."""

from typing import Any


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: row["Properties"] for name, row in template["Resources"].items() if row["Type"] == kind}


def test_the_schedule_calls_the_function_every_quarter_of_an_hour(template: dict[str, Any]) -> None:
    [schedule] = of_type(template, "AWS::Scheduler::Schedule").values()
    [group] = of_type(template, "AWS::Scheduler::ScheduleGroup")
    assert schedule["ScheduleExpression"] == "rate(15 minutes)"
    assert schedule["GroupName"] == {"Ref": group}

    policies = of_type(template, "AWS::IAM::Policy")
    [[statement]] = [
        policy["PolicyDocument"]["Statement"]
        for policy in policies.values()
        if policy.get("Roles") == [{"Ref": schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]}]
    ]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == schedule["Target"]["Arn"]
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 900
