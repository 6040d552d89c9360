"""What every capability stands on: settings, buckets, table; the environment and the grants that follow from them."""

import json
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.buckets import Buckets
from infra.settings import StackSettings
from infra.table import InsightsTable
from recording_insights.model.media_object import PREPARED
from recording_insights.providers.registry import PROVIDERS


@dataclass(frozen=True)
class Foundation:
    """Hands out the common environment and statements of exactly the actions named."""

    scope: Construct
    settings: StackSettings
    buckets: Buckets
    table: InsightsTable

    def environment(self) -> dict[str, str]:
        """The variables of `FunctionSettings`."""
        settings = self.settings
        return {
            "STAGE": settings.stage,
            "TABLE_NAME": self.table.table.table_name,
            "RECORDINGS_BUCKET": self.buckets.recordings.bucket_name,
            "REPLIES_BUCKET": self.buckets.replies.bucket_name,
            "PROVIDER": settings.provider,
            "PROVIDERS": json.dumps(settings.providers),
            "FAILOVER": json.dumps(list(settings.failover)),
            "PROVIDER_OPTIONS": json.dumps(settings.provider_options),
            "BASE_URLS": json.dumps(settings.base_urls),
            "SUBMIT_CEILING_MINUTES": str(settings.submit_ceiling_minutes),
            "POLL_CEILING_MINUTES": str(settings.poll_ceiling_minutes),
            "LATE_FILES_MINUTES": str(settings.late_files_minutes),
            "FAILOVER_MINUTES": str(settings.failover_minutes),
            "LINK_MINUTES": str(settings.link_minutes),
        }

    def on_table(self, *actions: str) -> iam.PolicyStatement:
        """DynamoDB actions on the table's items, without its index."""
        return iam.PolicyStatement(
            actions=[f"dynamodb:{action}" for action in actions], resources=[self.table.table.table_arn]
        )

    def on_index(self, *actions: str) -> iam.PolicyStatement:
        """DynamoDB actions on the index by status."""
        return iam.PolicyStatement(
            actions=[f"dynamodb:{action}" for action in actions], resources=[self.table.index_arn]
        )

    def read_recordings(self) -> iam.PolicyStatement:
        """Read any media object; a presigned link carries the same right."""
        return iam.PolicyStatement(actions=["s3:GetObject"], resources=[self.buckets.recordings.arn_for_objects("*")])

    def list_recordings(self) -> iam.PolicyStatement:
        """Learn which media objects there are."""
        return iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.buckets.recordings.bucket_arn])

    def write_prepared(self) -> iam.PolicyStatement:
        """Keep files that were made of tracks, in several parts where they are large."""
        return iam.PolicyStatement(
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[self.buckets.recordings.arn_for_objects(f"{PREPARED}*")],
        )

    def on_replies(self, *actions: str, prefix: str = "") -> iam.PolicyStatement:
        """S3 actions on the kept replies, or on those under a prefix."""
        return iam.PolicyStatement(
            actions=[f"s3:{action}" for action in actions],
            resources=[self.buckets.replies.arn_for_objects(f"{prefix}*")],
        )

    def read_provider_secrets(self) -> list[iam.PolicyStatement]:
        """The credentials of every provider of the stack; services of AWS have none."""
        return [self.read_secret(name) for name in self.settings.providers if PROVIDERS[name].secret_keys]

    def read_secret(self, vendor: str) -> iam.PolicyStatement:
        """The credentials of one vendor; the secret is made outside the stack, so that no template holds it."""
        secret = cdk.Stack.of(self.scope).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"recording-insights/{self.settings.stage}/{vendor}",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        # A secret's ARN ends in six characters of its own. One that does not exist has none: without its bare name
        # here, AWS would answer "access denied" where "not found" is the truth.
        return iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret, f"{secret}-??????"])
