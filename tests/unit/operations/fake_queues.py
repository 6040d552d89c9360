"""SQS without a network: queues of messages, which are hidden as SQS hides them, and tasks that move them."""

from collections.abc import Mapping, Sequence
from typing import Any

Message = tuple[str, int, Mapping[str, str]]
"""A body, when it was sent in Unix seconds, and its attributes."""


class FakeSqs:
    """`queues` has messages by the name of a queue. `statuses` are those of a move task, look by look."""

    def __init__(
        self,
        queues: Mapping[str, Sequence[Message]] | None = None,
        *,
        statuses: Sequence[str] = ("COMPLETED",),
        is_moving: bool = False,
    ) -> None:
        self.queues = {name: [*messages] for name, messages in (queues or {}).items()}
        self.statuses, self.is_moving = [*statuses], is_moving
        self.hidden: set[str] = set()
        self.moves: list[tuple[str, str | None]] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"http://sqs.test/{QueueName}"}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: Sequence[str]) -> dict[str, Any]:
        number = len(self._of(QueueUrl))
        counts = {"ApproximateNumberOfMessages": number, "ApproximateNumberOfMessagesNotVisible": 0}
        return {"Attributes": {name: str(counts[name]) for name in AttributeNames}}

    def receive_message(self, QueueUrl: str, **given: Any) -> dict[str, Any]:
        messages: list[dict[str, Any]] = []
        for number, (body, sent, attributes) in enumerate(self._of(QueueUrl)):
            name = f"{QueueUrl}/{number}"
            if name in self.hidden or len(messages) == given["MaxNumberOfMessages"]:
                continue
            if given["VisibilityTimeout"]:
                self.hidden.add(name)
            said = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
            system = {"SentTimestamp": str(sent * 1000), "ApproximateReceiveCount": "3"}
            message = {"MessageId": name, "ReceiptHandle": name, "Body": body, "Attributes": system}
            messages.append({**message, **({"MessageAttributes": said} if said else {})})
        return {"Messages": messages} if messages else {}

    def change_message_visibility(self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        assert VisibilityTimeout == 0
        self.hidden.remove(ReceiptHandle)

    def start_message_move_task(self, SourceArn: str, DestinationArn: str | None = None) -> dict[str, str]:
        self.moves.append((SourceArn, DestinationArn))
        return {"TaskHandle": "t"}

    def list_message_move_tasks(self, SourceArn: str) -> dict[str, Any]:
        if not (self.moves or self.is_moving):
            return {}
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        moved = len(self._of(SourceArn.replace(":", "/")))
        failed = {"FailureReason": "AccessDenied"} if status == "FAILED" else {}
        return {"Results": [{"Status": status, "ApproximateNumberOfMessagesMoved": moved, **failed}]}

    def _of(self, name: str) -> list[Message]:
        return self.queues.get(name.rpartition("/")[2], [])
