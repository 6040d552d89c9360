"""Queues between a rule and its function: what fails comes again, and in the end becomes a dead letter."""

import aws_cdk as cdk
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.settings import StackSettings

KEPT = cdk.Duration.days(14)
"""The longest that SQS keeps a message."""


def message_queue(
    scope: Construct,
    name: str,
    settings: StackSettings,
    *,
    key: kms.IKey | None = None,
    timeout: cdk.Duration | None = None,
    dead_letters: sqs.IQueue | None = None,
    receives: int = 0,
) -> sqs.Queue:
    """A queue for a function with this time-out. A message that was received so often becomes a dead letter.

    Without a time-out, no function reads it. The key is the customer's, if messages have the words of callers. Queues
    that a rule fills have none: a gap in the policy of the key would lose events.
    """
    return sqs.Queue(
        scope,
        name,
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        enforce_ssl=not settings.local,
        retention_period=KEPT,
        # AWS advises six times the time-out of the function:
        # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        visibility_timeout=cdk.Duration.seconds(6 * timeout.to_seconds()) if timeout else None,
        dead_letter_queue=(
            sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=receives) if dead_letters else None
        ),
    )


def target_queue(queue: sqs.IQueue, dead_letters: sqs.IQueue) -> targets.SqsQueue:
    """The queue as target of a rule: EventBridge tries for a day, then it uses the other one."""
    return targets.SqsQueue(
        queue, dead_letter_queue=dead_letters, max_event_age=cdk.Duration.hours(24), retry_attempts=185
    )


def receive_messages(*queues: sqs.IQueue, more: tuple[str, ...] = ()) -> iam.PolicyStatement:
    """The rights that Lambda needs for a function which reads these queues, and more of them."""
    return iam.PolicyStatement(
        actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", *more],
        resources=[queue.queue_arn for queue in queues],
    )
