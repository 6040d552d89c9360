"""The queue of deliveries: one message for each delivery of an event to a subscription."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DeliveryQueue:
    """One queue, with boto3's client of SQS. Raises botocore's `ClientError` for faults of SQS."""

    sqs: Any
    url: str

    def put(self, order: Mapping[str, Any], subscription_id: str) -> None:
        """Put a message for a delivery into the queue.

        Its group is the subscription: SQS hands out messages of quiet groups first, so that one subscription's slow
        receiver, or its many events, do not hold up the others.
        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
        """
        self.sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(order), MessageGroupId=subscription_id)

    def hide(self, receipt: str, seconds: int) -> None:
        """Let a received message come again after so many seconds."""
        self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def holds(self, queue_arn: str) -> bool:
        """Whether a message that comes from this ARN comes from this queue."""
        return queue_arn.rpartition(":")[2] == self.url.rpartition("/")[2]
