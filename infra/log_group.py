"""Log groups of the stack, with the retention of its settings."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import StackSettings


def log_group(
    scope: Construct, construct_id: str, settings: StackSettings, *, name: str | None = None
) -> logs.LogGroup:
    """A log group that is deleted with the stack. It has a name only if a service needs a certain prefix."""
    group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=cdk.RemovalPolicy.DESTROY)
    # The L2 needs an enum by name. CloudFormation and the settings have days.
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = settings.log_retention_days
    return group


def delivered_log_group(scope: Construct, construct_id: str, settings: StackSettings, *, source: str) -> logs.LogGroup:
    """A log group that a service of AWS writes to; `source` becomes the end of its name.

    For a group without this prefix, AWS adds the name to a policy that all log deliveries of the account share. Once
    the policy has 5,120 characters, AWS refuses the deployment.
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
    """
    name = f"/aws/vendedlogs/recording-insights-{settings.stage}-{source}"
    return log_group(scope, construct_id, settings, name=name)
