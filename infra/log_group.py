"""Log groups that are the stack's own, with the retention that the settings ask for."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import StackSettings


def log_group(
    scope: Construct, construct_id: str, settings: StackSettings, *, name: str | None = None
) -> logs.LogGroup:
    """A log group that goes with the stack; unnamed unless a service insists on a name."""
    group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=cdk.RemovalPolicy.DESTROY)
    # The L2 wants an enum by name; CloudFormation and the settings have days.
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = settings.log_retention_days
    return group
