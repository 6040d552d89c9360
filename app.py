"""Build the stack of the stage that the CDK context names. It needs no call to AWS and no credentials."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "functions"))

import aws_cdk as cdk

from infra.nag import add_security_checks
from infra.settings import ContextError, StackSettings
from infra.stack import RecordingInsightsStack
from infra.stage_file import STAGES, merged_context, read_stage_file
from recording_insights.errors import SettingsInvalid

CDK_JSON = Path(__file__).with_name("cdk.json")

app = cdk.App()
try:
    context = app.node.get_all_context()
    file = read_stage_file(STAGES, str(context.get("stage")))
    below = json.loads(CDK_JSON.read_text()).get("context", {})
    settings = StackSettings.from_context(merged_context(context, file, below))
    # The CDK CLI sets the account only if it has credentials, but without any region it sets us-east-1. A template
    # without an account names no region either, and fits any account and region. That of a file fits no other.
    account = file.account if file else os.environ.get("CDK_DEFAULT_ACCOUNT")
    region = file.region if file else os.environ.get("CDK_DEFAULT_REGION") if account else None
    stack = RecordingInsightsStack(
        app,
        f"RecordingInsights-{settings.stage}",
        settings=settings,
        env=cdk.Environment(account=account, region=region),
    )
except (ContextError, SettingsInvalid) as error:
    sys.exit(f"The stack's settings are wrong (cdk.json, the stage's file, -c or the region):\n{error}")
add_security_checks(app, stack)
app.synth()
