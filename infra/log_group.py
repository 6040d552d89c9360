"""Log groups of the stack, with the retention of its settings."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import StackSettings


def log_group(
    scope: Construct, construct_id: str, settings: StackSettings, *, name: str | None = None
) -> logs.LogGroup:
    """A log group that is deleted with the stack. It has a name only if a service requires one."""
    group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=cdk.RemovalPolicy.DESTROY)
    # The L2 needs an enum by name. CloudFormation and the settings have days.
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = settings.log_retention_days
    return group
