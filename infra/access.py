"""What every capability is built on: settings, buckets and table, and the rights to use them."""

from dataclasses import dataclass, fields
from typing import TypeVar

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.buckets import Buckets
from infra.settings import StackSettings
from infra.table import InsightsTable
from recording_insights.aws.reply_bucket import WORDS
from recording_insights.model.media_object import PREPARED, UPLOADS
from recording_insights.providers.registry import PROVIDERS
from recording_insights.settings import FORMER_SECRETS, FunctionSettings, secret_name

F = TypeVar("F", bound=FunctionSettings)


@dataclass(frozen=True)
class Foundation:
    """Gives functions their settings, and policy statements of exactly the named actions."""

    scope: Construct
    settings: StackSettings
    buckets: Buckets
    table: InsightsTable

    def settings_for(self, kind: type[F], **given: str | None) -> F:
        """The settings of one function.

        The values of its fields are the given ones, the names of the table and the buckets, and the stack's settings
        of the same name.
        """
        named = {
            "table_name": self.table.table.table_name,
            "recordings_bucket": self.buckets.recordings.bucket_name,
            "replies_bucket": self.buckets.replies.bucket_name,
        }
        wanted = [field.name for field in fields(kind) if field.name not in given]
        values = {name: named[name] if name in named else getattr(self.settings, name) for name in wanted}
        return kind(**values, **given)

    def on_table(self, *actions: str) -> iam.PolicyStatement:
        """DynamoDB actions on the table's items, without its indexes."""
        return iam.PolicyStatement(
            actions=[f"dynamodb:{action}" for action in actions], resources=[self.table.table.table_arn]
        )

    def on_indexes(self, *actions: str) -> iam.PolicyStatement:
        """DynamoDB actions on the indexes of the table."""
        return iam.PolicyStatement(
            actions=[f"dynamodb:{action}" for action in actions], resources=self.table.index_arns
        )

    def read_recordings(self) -> iam.PolicyStatement:
        """Read any media object. A presigned link has the same right."""
        return iam.PolicyStatement(actions=["s3:GetObject"], resources=[self.buckets.recordings.arn_for_objects("*")])

    def list_recordings(self) -> iam.PolicyStatement:
        """List the media objects."""
        return iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.buckets.recordings.bucket_arn])

    def write_prepared(self) -> iam.PolicyStatement:
        """Store files that were made of tracks, in several parts if they are large."""
        return iam.PolicyStatement(
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[self.buckets.recordings.arn_for_objects(f"{PREPARED}*")],
        )

    def write_uploads(self) -> iam.PolicyStatement:
        """Put files into the folders of recordings whose file a caller uploads."""
        return iam.PolicyStatement(
            actions=["s3:PutObject"], resources=[self.buckets.recordings.arn_for_objects(f"{UPLOADS}*")]
        )

    def on_replies(self, *actions: str, prefix: str = "") -> iam.PolicyStatement:
        """S3 actions on the kept replies, or on those under a prefix."""
        return iam.PolicyStatement(
            actions=[f"s3:{action}" for action in actions],
            resources=[self.buckets.replies.arn_for_objects(f"{prefix}*")],
        )

    def on_words(self, action: str) -> iam.PolicyStatement:
        """An S3 action on the words of transcripts, which lie beside the kept replies."""
        return iam.PolicyStatement(
            actions=[f"s3:{action}"], resources=[self.buckets.replies.arn_for_objects(f"*{WORDS}")]
        )

    def list_replies(self) -> iam.PolicyStatement:
        """List the replies bucket. Without this right, S3 answers "access denied" for an object that is gone.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        return iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.buckets.replies.bucket_arn])

    def read_provider_secrets(self) -> list[iam.PolicyStatement]:
        """Read the credentials of every provider of the stack. Services of AWS have no credentials.

        Where the workers share a vendor's access token, they store it as a version of the vendor's secret.
        """
        names = [name for name in self.settings.providers if PROVIDERS[name].secret_keys]
        share = [
            iam.PolicyStatement(actions=["secretsmanager:PutSecretValue"], resources=[f"{self._secret(name)}-??????"])
            for name in names
            if PROVIDERS[name].shares_token
        ]
        return [*(self.read_secret(name) for name in names), *share]

    def read_secret(self, name: str) -> iam.PolicyStatement:
        """Read one secret, by the last part of its name. An operator makes it, so that no template holds it.

        With the setting `readOldSecrets` also the secret that held its key in earlier releases.
        """
        secrets = [self._secret(name)]
        if self.settings.read_old_secrets and name in FORMER_SECRETS:
            secrets.append(self._secret(FORMER_SECRETS[name]))
        # A secret's ARN ends in six random characters, and a missing secret has no ARN. Without the bare name here,
        # AWS would respond "access denied" instead of "not found".
        resources = [arn for secret in secrets for arn in (secret, f"{secret}-??????")]
        return iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=resources)

    def _secret(self, name: str) -> str:
        """The ARN of a secret without the hyphen and the six characters that AWS adds."""
        arn: str = cdk.Stack.of(self.scope).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=secret_name(self.settings.stage, name),
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return arn
