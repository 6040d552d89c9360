"""A queue that messages are put into."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MessageQueue:
    """One queue, with boto3's client of SQS. Raises botocore's errors for faults of SQS."""

    sqs: Any
    url: str

    def send(self, body: str) -> None:
        """Put a message into the queue."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)
