"""The recordings bucket, which Agora writes to, and the replies bucket, which keeps the replies of providers."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.customer_key import WRITE_PARTS, customer_key, use_key
from infra.settings import RESULT_DAYS, StackSettings
from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES, OUTPUTS

RECORDINGS_PREFIX = "recordings"
OLD_VERSIONS = cdk.Duration.days(7)
"""How long a bucket keeps old versions of objects. Agora replaces a playlist after each segment."""


class Buckets(Construct):
    """Private, encrypted buckets. They accept TLS only, except on the local stage, whose cloud uses plain http."""

    def __init__(self, scope: Construct, construct_id: str, settings: StackSettings) -> None:
        super().__init__(scope, construct_id)
        self._key = customer_key(self, settings)
        self.recordings = self._bucket("Recordings", settings)
        if settings.cors_origins:
            # A page plays recordings and uploads them. Without the right headers no link takes its file.
            self.recordings.add_cors_rule(
                allowed_origins=list(settings.cors_origins),
                allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD, s3.HttpMethods.PUT],
                allowed_headers=["content-type", "if-none-match", "range", "x-amz-checksum-sha256"],
                exposed_headers=["content-range", "etag"],
                max_age=3600,
            )
        # Replies have their own bucket. In the recordings bucket they would start executions.
        self.replies = self._bucket("Replies", settings)
        # By then, the result is kept as the reply of its media object.
        for prefix in (CALLBACKS, DELIVERIES, OUTPUTS):
            self.replies.add_lifecycle_rule(prefix=prefix, expiration=cdk.Duration.days(RESULT_DAYS))
        if settings.replies_days:
            # Under any prefix. Of two rules, the one with fewer days holds.
            self.replies.add_lifecycle_rule(id="Replies", expiration=cdk.Duration.days(settings.replies_days))
        self.uploader = self._uploader(settings)

    def _bucket(self, construct_id: str, settings: StackSettings) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.KMS if self._key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self._key,
            # S3 asks KMS for a key of the bucket now and then, instead of one key for each of thousands of segments.
            bucket_key_enabled=True if self._key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=not settings.local,
            removal_policy=cdk.RemovalPolicy.RETAIN if settings.retain_data else cdk.RemovalPolicy.DESTROY,
            versioned=settings.protects_data,
            lifecycle_rules=[
                s3.LifecycleRule(id="AbandonedUploads", abort_incomplete_multipart_upload_after=cdk.Duration.days(3))
            ],
        )
        bucket.add_to_resource_policy(_end_links(bucket, settings.link_minutes))
        if settings.protects_data:
            bucket.add_lifecycle_rule(id="OldVersions", noncurrent_version_expiration=OLD_VERSIONS)
        # The L2 switch for EventBridge adds a hidden function that sets this property. The property is enough.
        cfn = bucket.node.default_child
        assert isinstance(cfn, s3.CfnBucket)  # noqa: S101 - for the type checker
        cfn.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        return bucket

    def _uploader(self, settings: StackSettings) -> iam.User:
        """The user whose federation tokens Agora uploads with.

        Agora needs credentials that last for at least four hours. A role that a function assumes cannot give them,
        but a user can. A token has the rights that both the user and the request allow. So the user may write into the
        folders of recordings, and nothing else. A `*` stands for slashes too, so what lies deeper is denied.
        `make agora-key` makes its key, never a template. The key alone may write nothing: only a token has a time of
        issue.
        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        user = iam.User(self, "AgoraUploader")
        files = self.recordings.arn_for_objects(f"{RECORDINGS_PREFIX}/*/*")
        policy = iam.Policy(
            self,
            "AgoraUploaderPolicy",
            statements=[
                iam.PolicyStatement(
                    actions=["s3:PutObject"],
                    resources=[files],
                    conditions={"Null": {"aws:TokenIssueTime": "false"}},
                ),
                iam.PolicyStatement(effect=iam.Effect.DENY, actions=["s3:PutObject"], resources=[f"{files}/*"]),
                # A user can make tokens only of itself.
                iam.PolicyStatement(actions=["sts:GetFederationToken"], resources=["*"]),
                *use_key(self, settings, "s3", WRITE_PARTS),
            ],
        )
        policy.attach_to_user(user)
        return user


def _end_links(bucket: s3.Bucket, minutes: int) -> iam.PolicyStatement:
    """Deny what a presigned link asks for once the link is older than so many minutes, whoever signed it for longer.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["s3:*"],
        resources=[bucket.arn_for_objects("*")],
        conditions={"NumericGreaterThan": {"s3:signatureAge": minutes * 60_000}},
    )
