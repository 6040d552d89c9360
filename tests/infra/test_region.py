"""Agora writes to the stack's bucket, so the stack has to be in a region that Agora knows."""

import aws_cdk as cdk
import pytest

from infra.settings import StackSettings
from infra.stack import RecordingInsightsStack
from recording_insights.errors import SettingsInvalid


def stack_in(region: str) -> None:
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    env = cdk.Environment(account="123456789012", region=region)
    RecordingInsightsStack(app, "Stack", settings=StackSettings("dev", "marsview"), env=env)


def test_a_region_without_a_number_is_refused_with_the_list() -> None:
    with pytest.raises(SettingsInvalid, match="cannot write to a bucket in ap-south-2; it can in af-south-1,"):
        stack_in("ap-south-2")


def test_region_number_zero_is_a_region() -> None:
    stack_in("us-east-1")
