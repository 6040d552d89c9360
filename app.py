"""Build the stack of the stage that the CDK context names. It needs no call to AWS and no credentials."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "functions"))

import aws_cdk as cdk

from infra.nag import add_security_checks
from infra.settings import ContextError, StackSettings
from infra.stack import RecordingInsightsStack
from recording_insights.errors import SettingsInvalid

app = cdk.App()
try:
    settings = StackSettings.from_context(app.node.get_all_context())
    stack = RecordingInsightsStack(
        app,
        f"RecordingInsights-{settings.stage}",
        settings=settings,
        # The CDK CLI sets both if it has credentials. Without them, the template fits any account and region.
        env=cdk.Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION")),
    )
except (ContextError, SettingsInvalid) as error:
    sys.exit(f"The stack's settings are wrong (cdk.json, -c or the region):\n{error}")
add_security_checks(app, stack)
app.synth()
