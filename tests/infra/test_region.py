"""Agora writes to the stack's bucket, so the stack has to be in a region that Agora knows."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from infra.settings import StackSettings
from infra.stack import RecordingInsightsStack
from recording_insights.errors import SettingsInvalid
from tests.infra.conftest import RunApp


def stack_in(region: str | None, **settings: Any) -> RecordingInsightsStack:
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    env = cdk.Environment(account="123456789012", region=region)
    checked = StackSettings.from_context({"stage": "dev", "provider": "transcribe", **settings})
    return RecordingInsightsStack(app, "Stack", settings=checked, env=env)


def test_a_region_without_a_number_is_refused_with_the_list() -> None:
    with pytest.raises(SettingsInvalid, match="cannot write to a bucket in ap-south-2; it can in af-south-1,"):
        stack_in("ap-south-2")


def test_a_synth_without_credentials_names_no_region(run_app: RunApp) -> None:
    # Without credentials, the CDK CLI sets this region and no account.
    assert "us-east-1" not in run_app({"provider": "transcribe"}, CDK_DEFAULT_REGION="us-east-1")


def test_a_synth_with_credentials_is_for_their_region(run_app: RunApp) -> None:
    account = {"CDK_DEFAULT_ACCOUNT": "123456789012", "CDK_DEFAULT_REGION": "eu-central-1"}
    assert ":eu-central-1:123456789012:" in run_app({"provider": "transcribe"}, **account)


def test_region_number_zero_is_a_region() -> None:
    stack_in("us-east-1")


@pytest.mark.parametrize(
    ("residency", "region", "fault"),
    [
        ("EU", "eu-west-2", "the stack is in eu-west-2; regions of EU are eu-central-1, eu-north-1, "),
        ("EU", "us-east-1", "the stack is in us-east-1"),
        ("US", "ca-central-1", "the stack is in ca-central-1; regions of US are us-east-1, "),
        ("US", None, "the region of the stack is unknown"),
    ],
)
def test_a_region_outside_of_the_residency_is_refused(residency: str, region: str | None, fault: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"^residency: {fault}"):
        stack_in(region, residency=residency)


def test_the_functions_that_call_vendors_know_the_residency() -> None:
    stack = stack_in("eu-central-1", residency="EU", failover="deepgram,assemblyai")
    functions = assertions.Template.from_stack(stack).find_resources("AWS::Lambda::Function")
    variables = [function["Properties"].get("Environment", {}).get("Variables", {}) for function in functions.values()]
    of_vendors = [each for each in variables if "BASE_URLS" in each]
    assert of_vendors
    assert {(each.get("RESIDENCY"), each["BASE_URLS"]) for each in of_vendors} == {("EU", "{}")}
