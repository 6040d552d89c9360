"""A dead-letter queue: how old its messages are, and how they come back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SECONDS_HIDDEN = 300
"""How long a message stays hidden that is being handled; longer than a sweep takes."""


@dataclass(frozen=True)
class DeadLetter:
    """A message: `receipt` is for its deletion, `sent_at` the moment at which the event was put into a queue."""

    body: str
    receipt: str
    sent_at: datetime


@dataclass(frozen=True)
class DeadLetters:
    """One queue, with boto3's client of SQS. Raises botocore's `ClientError` for faults of SQS."""

    sqs: Any
    url: str

    def receive(self, most: int, *, hidden: bool = True) -> Iterator[DeadLetter]:
        """Yield up to so many messages. Without `hidden`, they stay visible to others."""
        while most > 0:
            reply = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(most, 10),
                VisibilityTimeout=SECONDS_HIDDEN if hidden else 0,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            messages = reply.get("Messages", [])
            for message in messages:
                sent = int(message["Attributes"]["SentTimestamp"]) / 1000
                yield DeadLetter(message["Body"], message["ReceiptHandle"], datetime.fromtimestamp(sent, UTC))
            if not messages:
                return
            most -= len(messages)

    def delete(self, letter: DeadLetter) -> None:
        """Delete a message that was handled."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)

    def move_to(self, queue_arn: str) -> None:
        """Have SQS move all messages to a queue, unless it does so already.

        Without a destination, a task fails at a message that a rule of EventBridge put here: it has no source queue.
        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
        """
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        tasks = self.sqs.list_message_move_tasks(SourceArn=arn)["Results"]
        if not any(task.get("Status") == "RUNNING" for task in tasks):
            self.sqs.start_message_move_task(SourceArn=arn, DestinationArn=queue_arn)
