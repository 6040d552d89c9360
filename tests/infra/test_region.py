"""Agora writes to the stack's bucket, so the stack has to be in a region that Agora knows."""

import aws_cdk as cdk
import pytest

from infra.settings import StackSettings
from infra.stack import RecordingInsightsStack
from recording_insights.errors import SettingsInvalid
from tests.infra.conftest import RunApp


def stack_in(region: str) -> None:
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    env = cdk.Environment(account="123456789012", region=region)
    RecordingInsightsStack(app, "Stack", settings=StackSettings("dev", "marsview"), env=env)


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
