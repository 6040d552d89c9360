"""The customer's key of KMS: what it encrypts, and what the rights of a role need of it.

With S3, DynamoDB, Secrets Manager and SQS, the caller needs rights on the key beside those on the data. They follow
from the other rights of a role, so that no role can have one without the other. Without the setting there are none.
"""

from collections.abc import Iterator, Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import StackSettings

READ, WRITE = ("kms:Decrypt",), ("kms:GenerateDataKey",)
WRITE_PARTS = (*WRITE, *READ)
"""Of an upload in several parts: S3 decrypts the parts to join them."""

_NEEDS: Mapping[str, Sequence[str]] = {
    "s3:GetObject": READ,
    "s3:PutObject": WRITE,
    "s3:AbortMultipartUpload": WRITE_PARTS,
    "secretsmanager:GetSecretValue": READ,
    "secretsmanager:PutSecretValue": WRITE_PARTS,
    "sqs:ReceiveMessage": READ,
    "sqs:SendMessage": WRITE_PARTS,
    # Transcribe checks the key before the job, and then encrypts the transcript with it.
    "transcribe:StartTranscriptionJob": ("kms:DescribeKey", "kms:Encrypt", *WRITE_PARTS),
}
"""Actions on the key that an action on data needs.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html,
https://docs.aws.amazon.com/transcribe/latest/dg/security_iam_id-based-policy-examples.html
"""
_DIRECT = ("transcribe",)
"""Services whose use of the key is granted without a condition: KMS documents no `kms:ViaService` for them."""


def customer_key(scope: Construct, settings: StackSettings) -> kms.IKey | None:
    """The key that encrypts what `scope` stores; None if AWS's own keys do."""
    return kms.Key.from_key_arn(scope, "Key", settings.kms_key_arn) if settings.kms_key_arn else None


def key_rights(
    scope: Construct, settings: StackSettings, statements: Sequence[iam.PolicyStatement]
) -> list[iam.PolicyStatement]:
    """The rights on the key that a role with these statements needs, one statement for each service."""
    needed: dict[str, set[str]] = {}
    for statement in statements:
        for action in statement.actions:
            needed.setdefault(action.partition(":")[0], set()).update(_needs(action))
    return [use for service in sorted(needed) for use in use_key(scope, settings, service, sorted(needed[service]))]


def use_key(
    scope: Construct, settings: StackSettings, service: str, actions: Sequence[str]
) -> Iterator[iam.PolicyStatement]:
    """The right to these actions on the key, only as a part of a call of the service; none without a key."""
    if settings.kms_key_arn and actions:
        # In China the host of a service ends in ".cn".
        via = f"{service}.{cdk.Stack.of(scope).region}.amazonaws.com*"
        yield iam.PolicyStatement(
            actions=list(actions),
            resources=[settings.kms_key_arn],
            conditions=None if service in _DIRECT else {"StringLike": {"kms:ViaService": via}},
        )


def _needs(action: str) -> Sequence[str]:
    # DynamoDB decrypts the table's key for every call, also for writes: https://github.com/aws/aws-cdk/issues/10010
    return READ if action.startswith("dynamodb:") else _NEEDS.get(action, ())
