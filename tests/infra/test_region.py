"""Agora writes to the stack's bucket, so the stack has to be in a region that Agora knows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest

from infra.settings import StackSettings
from infra.stack import RecordingInsightsStack
from recording_insights.errors import SettingsInvalid
from sandbox.cloud.location import PROJECT


def stack_in(region: str) -> None:
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    env = cdk.Environment(account="123456789012", region=region)
    RecordingInsightsStack(app, "Stack", settings=StackSettings("dev", "marsview"), env=env)


def test_a_region_without_a_number_is_refused_with_the_list() -> None:
    with pytest.raises(SettingsInvalid, match="cannot write to a bucket in ap-south-2; it can in af-south-1,"):
        stack_in("ap-south-2")


def synthesised(folder: Path, **environment: str) -> str:
    """The template that app.py writes with these variables of the CDK CLI."""
    context = {"stage": "dev", "provider": "transcribe", "aws:cdk:bundling-stacks": []}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    variables = {
        **inherited,
        **environment,
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(folder),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    subprocess.run([sys.executable, "app.py"], cwd=PROJECT, env=variables, capture_output=True, check=True)
    return (folder / "RecordingInsights-dev.template.json").read_text()


def test_a_synth_without_credentials_names_no_region(tmp_path: Path) -> None:
    # Without credentials, the CDK CLI sets this region and no account.
    assert "us-east-1" not in synthesised(tmp_path, CDK_DEFAULT_REGION="us-east-1")


def test_a_synth_with_credentials_is_for_their_region(tmp_path: Path) -> None:
    account = {"CDK_DEFAULT_ACCOUNT": "123456789012", "CDK_DEFAULT_REGION": "eu-central-1"}
    assert ":eu-central-1:123456789012:" in synthesised(tmp_path, **account)


def test_region_number_zero_is_a_region() -> None:
    stack_in("us-east-1")
