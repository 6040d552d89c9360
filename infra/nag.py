"""cdk-nag's AwsSolutions rules over the stack. A finding that is not acknowledged here makes the synth fail."""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from infra.buckets import RECORDINGS_PREFIX
from infra.bundling.packages import RUNTIME_VERSION
from infra.model_name import ModelName
from infra.stack import RecordingInsightsStack
from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES, DERIVED, OUTPUTS, WORDS
from recording_insights.model.media_object import PREPARED, UPLOADS
from recording_insights.providers.registry import capabilities_of


def add_security_checks(app: cdk.App, stack: RecordingInsightsStack) -> None:
    """Run the rules at synth, and acknowledge each intended finding with its reason."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    _acknowledge_media(stack)
    _acknowledge_replies(stack)
    _acknowledge_webhooks(stack)
    _acknowledge_jobs(stack)
    _acknowledge_buckets(stack)
    _acknowledge_executions(stack)
    _acknowledge_erases(stack)
    _acknowledge_model(stack)
    derives = [stack.derivation] if stack.derivation else []
    for machine in (stack.workflow, stack.watch, stack.retries, stack.erases, *derives):
        _acknowledge(machine, "IAM5[Resource::*]", "log delivery and tracing offer no resources to name")
    table = stack.get_logical_id(cast(cdk.CfnElement, stack.table.table.node.default_child))
    streams = "a stream's name is the moment of its creation; one action, on the streams of this table"
    _acknowledge(stack.events.publish, f"IAM5[Resource::<{table}.Arn>/stream/*]", streams)
    _acknowledge(stack, "L1", f"the tests run the functions under Python {RUNTIME_VERSION}, and under nothing newer")
    if stack.settings.local:
        reason = "the local cloud uses plain http on loopback"
        _acknowledge(stack.buckets, "S10", reason)
        for queue in (stack.arrival.queue, stack.arrival.unadmitted, stack.arrival.dead_letters):
            _acknowledge(queue, "SQS4", reason)
        for queue in (stack.subscriptions.events, stack.subscriptions.deliveries, stack.subscriptions.undelivered):
            _acknowledge(queue, "SQS4", reason)
        for queue in (stack.events.unpublished, stack.events.dead_letters):
            _acknowledge(queue, "SQS4", reason)
        for queue in (queue for each in derives for queue in (each.queue, each.dead_letters)):
            _acknowledge(queue, "SQS4", reason)
        _acknowledge(stack.monitoring.topic, "SNS3", reason)


def _acknowledge_media(stack: RecordingInsightsStack) -> None:
    recordings = _arn(stack, stack.buckets.recordings)
    any_media = "media objects may have any key; this is the right to read, in this bucket only"
    for function in (
        stack.arrival.admit,
        stack.sweep.function,
        stack.watch.recover,
        stack.retry_routes["admit_object"],
        stack.api.functions["get_media"],
        stack.workflow.submit,
    ):
        _acknowledge(function, f"IAM5[Resource::{recordings}/*]", any_media)
    one_file = "each link names one file in the folder of one recording; the function has no right to read"
    _acknowledge(stack.api.functions["open_upload"], f"IAM5[Resource::{recordings}/{UPLOADS}*]", one_file)
    one_recording = "a role for sessions, each of which names one recording"
    for resource in ("*", f"{PREPARED}*"):
        _acknowledge(stack.workflow.session_policy, f"IAM5[Resource::{recordings}/{resource}]", one_recording)


def _acknowledge_replies(stack: RecordingInsightsStack) -> None:
    replies = _arn(stack, stack.buckets.replies)
    any_reply = "replies are keyed by recording id; one action, in this bucket only"
    for prefix in (DELIVERIES, OUTPUTS):
        _acknowledge(stack.workflow.submit, f"IAM5[Resource::{replies}/{prefix}*]", any_reply)
    for prefix in (DELIVERIES, OUTPUTS, *(f"{CALLBACKS}{name}/" for name in stack.settings.providers)):
        _acknowledge(stack.workflow.poll, f"IAM5[Resource::{replies}/{prefix}*]", any_reply)
    for name in stack.settings.providers:
        _acknowledge(stack.webhooks, f"IAM5[Resource::{replies}/{CALLBACKS}{name}/*]", any_reply)
    for function in (stack.workflow.poll, stack.workflow.save):
        _acknowledge(function, f"IAM5[Resource::{replies}/*]", any_reply)
    for function in (stack.workflow.save, stack.api.functions["get_insights"]):
        _acknowledge(function, f"IAM5[Resource::{replies}/*{WORDS}]", any_reply)
    _acknowledge(stack.sweep.function, f"IAM5[Resource::{replies}/{CALLBACKS}*]", any_reply)


def _acknowledge_webhooks(stack: RecordingInsightsStack) -> None:
    _acknowledge(
        stack.webhooks,
        "SMG4",
        "`make webhook-key` rotates it once no running job has a token of the key before the present one",
    )
    for route in stack.api.api.node.children:
        if "webhooks" in route.node.id:
            reason = "vendors have no AWS credentials: each one signs its callbacks or shows a token"
            _acknowledge(route, "APIG4", reason)


def _acknowledge_jobs(stack: RecordingInsightsStack) -> None:
    _acknowledge(stack.workflow.submit, "IAM5[Resource::*]", "the right to start a job names no resource")
    for service in (capabilities_of(name).aws_service for name in stack.settings.providers):
        if service:
            jobs = f"arn:<AWS::Partition>:{service.name}:{_region(stack)}:{_account(stack)}:{service.job_resource}/*"
            reason = "polls jobs of the release before, too, whose names do not begin with the stage"
            _acknowledge(stack.workflow.poll, f"IAM5[Resource::{jobs}]", reason)


def _acknowledge_executions(stack: RecordingInsightsStack) -> None:
    routes = (stack.retry_routes[name] for name in ("retry_recording", "admit_object"))
    machines: Mapping[sfn.StateMachine, Sequence[IConstruct]] = {
        stack.workflow.state_machine: (
            *(stack.arrival.admit, stack.sweep.function, stack.watch.recover, stack.workflow, stack.webhooks),
            *(stack.retries.page, stack.erases.page, *routes),
        ),
        stack.erases.state_machine: (stack.erase_route, stack.sweep.function),
        stack.retries.state_machine: (stack.retry_routes["retry_many"],),
        **({stack.derivation.state_machine: (stack.erases.page,)} if stack.derivation else {}),
    }
    reason = "executions are named after media objects or retries; one action, on one state machine's executions"
    for machine, parts in machines.items():
        name = stack.get_logical_id(cast(cdk.CfnElement, machine.node.default_child))
        executions = f"arn:<AWS::Partition>:states:{_region(stack)}:{_account(stack)}:execution:<{name}.Name>:*"
        for part in parts:
            _acknowledge(part, f"IAM5[Resource::{executions}]", reason)


def _acknowledge_model(stack: RecordingInsightsStack) -> None:
    if stack.derivation is None:
        return
    replies = _arn(stack, stack.buckets.replies)
    for function in (stack.derivation.begin, stack.derivation.derive):
        of_recording = "objects of derivations are keyed by recording id; under this prefix only"
        _acknowledge(function, f"IAM5[Resource::{replies}/{DERIVED}*]", of_recording)
    model = ModelName.of(str(stack.settings.insights_model))
    for resource in model.models("<AWS::Partition>") if model.is_profile else ():
        reason = "which regions a profile calls changes; a condition allows the model through this profile alone"
        _acknowledge(stack.derivation.derive, f"IAM5[Resource::{resource}]", reason)


def _acknowledge_erases(stack: RecordingInsightsStack) -> None:
    for bucket in (stack.buckets.recordings, stack.buckets.replies):
        reason = "an erased recording may have any key; this is the right to delete, and no other function has it"
        _acknowledge(stack.erases.page, f"IAM5[Resource::{_arn(stack, bucket)}/*]", reason)
    for service in (capabilities_of(name).aws_service for name in stack.settings.providers):
        if service:
            jobs = f"arn:<AWS::Partition>:{service.name}:{_region(stack)}:{_account(stack)}:{service.job_resource}/*"
            reason = "deletes jobs of the release before, too, whose names do not begin with the stage"
            _acknowledge(stack.erases.page, f"IAM5[Resource::{jobs}]", reason)


def _acknowledge_buckets(stack: RecordingInsightsStack) -> None:
    recordings = _arn(stack, stack.buckets.recordings)
    _acknowledge(
        stack.buckets,
        f"IAM5[Resource::{recordings}/{RECORDINGS_PREFIX}/*/*]",
        "the session policy of each token names the folder of one recording; the user may write nowhere else",
    )
    _acknowledge(stack.buckets, "IAM5[Resource::*]", "a user can make federation tokens only of itself")
    _acknowledge(
        stack.buckets,
        "S1",
        "every object's arrival is an event, and three functions make every link; server access logs would double the "
        "number of objects, and nothing would read them",
    )


def _acknowledge(scope: IConstruct, rule: str, reason: str) -> None:
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))


def _arn(stack: cdk.Stack, bucket: s3.Bucket) -> str:
    """The bucket's ARN in the form that the findings use."""
    return f"<{stack.get_logical_id(cast(s3.CfnBucket, bucket.node.default_child))}.Arn>"


def _region(stack: cdk.Stack) -> str:
    """The stack's region in the form that the findings use."""
    return "<AWS::Region>" if cdk.Token.is_unresolved(stack.region) else str(stack.region)


def _account(stack: cdk.Stack) -> str:
    """The stack's account in the form that the findings use."""
    return "<AWS::AccountId>" if cdk.Token.is_unresolved(stack.account) else str(stack.account)
