"""cdk-nag's AwsSolutions rules over the stack: a finding that nobody acknowledged makes the synth fail."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from infra.buckets import RECORDINGS_PREFIX
from infra.stack import RecordingInsightsStack
from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES, OUTPUTS
from recording_insights.providers.registry import capabilities_of


def add_security_checks(app: cdk.App, stack: RecordingInsightsStack) -> None:
    """Run the rules at synth, and acknowledge what is meant to be: each finding by itself, with its reason."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    recordings, replies = _arn(stack, stack.buckets.recordings), _arn(stack, stack.buckets.replies)
    any_media = "media objects may have any key; the right is to read, in this bucket only"
    any_reply = "replies are keyed by recording id; one action, in this bucket only"

    _acknowledge(stack.arrival.admit, f"IAM5[Resource::{recordings}/*]", any_media)
    _acknowledge(stack.watch.recover, f"IAM5[Resource::{recordings}/*]", any_media)
    _acknowledge(stack.workflow.submit, f"IAM5[Resource::{recordings}/*]", any_media)
    _acknowledge(stack.workflow.prepare, f"IAM5[Resource::{recordings}/*]", any_media)
    _acknowledge(stack.workflow.prepare, f"IAM5[Resource::{recordings}/prepared/*]", any_media)
    for prefix in (DELIVERIES, OUTPUTS):
        _acknowledge(stack.workflow.submit, f"IAM5[Resource::{replies}/{prefix}*]", any_reply)
    _acknowledge(stack.workflow.submit, "IAM5[Resource::*]", "a service of AWS names no resource for starting a job")
    for service in (capabilities_of(name).aws_service for name in stack.settings.providers):
        if service:
            region = "<AWS::Region>" if cdk.Token.is_unresolved(stack.region) else stack.region
            account = "<AWS::AccountId>" if cdk.Token.is_unresolved(stack.account) else stack.account
            jobs = f"arn:<AWS::Partition>:{service.name}:{region}:{account}:{service.job_resource}/*"
            _acknowledge(stack.workflow.poll, f"IAM5[Resource::{jobs}]", "the jobs' names begin with recording ids")
    _acknowledge(stack.webhooks, f"IAM5[Resource::{replies}/{CALLBACKS}*]", any_reply)
    _acknowledge(stack.webhooks, "SMG4", "a new secret would make every callback under way a forged one")
    for route in stack.api.api.node.children:
        if "webhooks" in route.node.id:
            _acknowledge(route, "APIG4", "vendors have no AWS credentials: each proves itself in its own way")
    _acknowledge(stack.workflow.poll, f"IAM5[Resource::{replies}/*]", any_reply)
    _acknowledge(stack.workflow.save, f"IAM5[Resource::{replies}/*]", any_reply)
    _acknowledge(
        stack.buckets,
        f"IAM5[Resource::{recordings}/{RECORDINGS_PREFIX}/*]",
        "the session policy of each token names the folder of one recording; the user may write nowhere else",
    )
    _acknowledge(stack.buckets, "IAM5[Resource::*]", "a user makes federation tokens of nobody but itself")
    _acknowledge(stack.workflow, "IAM5[Resource::*]", "log delivery and tracing offer no resources to name")
    _acknowledge(stack.watch, "IAM5[Resource::*]", "log delivery and tracing offer no resources to name")
    _acknowledge(
        stack.buckets,
        "S1",
        "every object's arrival is an event and every link is made by one function; server access logs would double "
        "the number of objects for nothing that is read",
    )
    if stack.settings.local:
        reason = "the local cloud speaks plain http on loopback"
        _acknowledge(stack.buckets, "S10", reason)
        _acknowledge(stack.arrival.dead_letters, "SQS4", reason)


def _acknowledge(scope: IConstruct, rule: str, reason: str) -> None:
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))


def _arn(stack: cdk.Stack, bucket: s3.Bucket) -> str:
    """The bucket's ARN as the findings spell it."""
    return f"<{stack.get_logical_id(cast(s3.CfnBucket, bucket.node.default_child))}.Arn>"
