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

# The CDK CLI sets the account only if it has credentials, but without any region it sets us-east-1. A template without
# an account names no region either, and fits any account and region.
account = os.environ.get("CDK_DEFAULT_ACCOUNT")
region = os.environ.get("CDK_DEFAULT_REGION") if account else None
app = cdk.App()
try:
    settings = StackSettings.from_context(app.node.get_all_context())
    stack = RecordingInsightsStack(
        app,
        f"RecordingInsights-{settings.stage}",
        settings=settings,
        env=cdk.Environment(account=account, region=region),
    )
except (ContextError, SettingsInvalid) as error:
    sys.exit(f"The stack's settings are wrong (cdk.json, -c or the region):\n{error}")
add_security_checks(app, stack)
app.synth()
