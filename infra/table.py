"""The table: an item collection for each recording, and three indexes of recordings: by status, by time, by change."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.settings import StackSettings
from recording_insights.store import keys


class InsightsTable(Construct):
    """An on-demand table with point-in-time recovery and, where data is protected, no way to delete it."""

    def __init__(self, scope: Construct, construct_id: str, settings: StackSettings) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(keys.PARTITION),
            sort_key=_text(keys.SORT),
            time_to_live_attribute=keys.EXPIRES_AT,
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            global_secondary_indexes=[
                _index(keys.STATUS_INDEX, keys.STATUS_INDEX_HASH, keys.STATUS_INDEX_RANGE),
                _index(keys.TIME_INDEX, keys.TIME_INDEX_HASH, keys.TIME_INDEX_RANGE),
                # Each change writes two entries of it: they are small.
                _index(
                    keys.CHANGE_INDEX,
                    keys.CHANGE_INDEX_HASH,
                    keys.CHANGE_INDEX_RANGE,
                    projection=dynamodb.ProjectionType.KEYS_ONLY,
                ),
            ],
            # Both images: which events follow from a change depends on the row before it.
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            deletion_protection=settings.protects_data,
            removal_policy=cdk.RemovalPolicy.RETAIN if settings.retain_data else cdk.RemovalPolicy.DESTROY,
        )
        if settings.kms_key_arn:
            self._encrypt(settings.kms_key_arn)
        self.stream_arn = str(self.table.table_stream_arn)
        indexes = (keys.STATUS_INDEX, keys.TIME_INDEX, keys.CHANGE_INDEX)
        self.index_arns = [f"{self.table.table_arn}/index/{name}" for name in indexes]

    def _encrypt(self, kms_key_arn: str) -> None:
        """Encrypt the table with the customer's key. The L2's own way needs a stack with a fixed region."""
        table = cast(dynamodb.CfnGlobalTable, self.table.node.default_child)
        table.add_property_override("SSESpecification", {"SSEEnabled": True, "SSEType": "KMS"})
        table.add_property_override("Replicas.0.SSESpecification.KMSMasterKeyId", kms_key_arn)


def _index(
    name: str, hash_key: str, range_key: str, projection: dynamodb.ProjectionType = dynamodb.ProjectionType.ALL
) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name, partition_key=_text(hash_key), sort_key=_text(range_key), projection_type=projection
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
