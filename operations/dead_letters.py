"""Queues of dead letters: how many messages they hold, what these are, and how they come back."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from operations.deployed_stack import OperationFailed, Report
from recording_insights.redaction import hide_queries_and_stream_keys, redact_links, storable

SEEN_AT_ONCE = 10
HIDDEN_SECONDS = 30
"""So long a message that is shown is hidden from others, if nobody gives it back earlier."""
LONGEST_MOVE_SECONDS = 60
_FAULTS = {
    "ERROR_CODE": "error code",
    "ERROR_MESSAGE": "error",
    "EXHAUSTED_RETRY_CONDITION": "given up by",
    "RETRY_ATTEMPTS": "tries",
    "ErrorCode": "error code",
    "ErrorMessage": "error",
    "RequestID": "request",
}
"""Attributes in which EventBridge and Lambda say why they gave a message up.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""


@dataclass(frozen=True)
class Queue:
    """A queue of dead letters. `output` is the stack's output that names it, `letters` what its messages are.

    SQS moves the messages back: to the queue of the output `back_to`, or to the queue that they came from. Those of a
    queue with `is_swept` are handled by a sweep. `section` is a heading of docs/operate.md or docs/deploy.md.
    """

    name: str
    output: str
    letters: str
    section: str
    back_to: str | None = None
    is_swept: bool = False


QUEUES = (
    Queue(
        "arrivals",
        "UnadmittedArrivalsArn",
        "media objects that were not admitted",
        "deploy.md#bring-back-arrivals-that-failed",
        back_to="ArrivalsArn",
    ),
    Queue(
        "functions",
        "DeadLettersUrl",
        "events that a function failed with",
        "operate.md#there-are-dead-letters",
        is_swept=True,
    ),
    Queue(
        "changes",
        "UnpublishedDeadLettersArn",
        "changes whose events are not on the bus",
        "operate.md#events-do-not-reach-the-bus",
    ),
    Queue(
        "notices",
        "UndeliveredArn",
        "events for subscribers",
        "operate.md#events-for-subscribers-are-dead-letters",
        back_to="NoticesArn",
    ),
    Queue(
        "transcripts",
        "UnderivedArn",
        "transcripts that the model did not get",
        "operate.md#there-are-dead-letters",
        back_to="TranscriptsArn",
    ),
)


@dataclass(frozen=True)
class Standing:
    """A queue as it is. `oldest_at` is when the oldest message was sent, of up to ten that were looked at."""

    queue: Queue
    messages: int
    oldest_at: str | None

    def document(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "queue": self.queue.name,
            "messages": self.messages,
            "oldest_at": self.oldest_at,
            "letters": self.queue.letters,
            "section": self.queue.section,
        }


@dataclass(frozen=True)
class Letter:
    """A message, without secrets. `why` is what the service said that gave it up, by words."""

    message_id: str
    sent_at: str
    received: int
    why: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class DeadLetterQueues:
    """The queues of a stage. `sqs` is boto3's client, `outputs` are the stack's."""

    sqs: Any
    outputs: Mapping[str, str]
    sleep: Callable[[float], None] = field(default=lambda seconds: None)

    @property
    def queues(self) -> list[Queue]:
        """Those that the stage has."""
        return [queue for queue in QUEUES if queue.output in self.outputs]

    def standing(self, queue: Queue) -> Standing:
        """Return how many messages a queue holds, and since when."""
        url = self._url(queue)
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        number = sum(int(found[name]) for name in names)
        seen = self._receive(url, SEEN_AT_ONCE, hidden=0) if number else []
        return Standing(queue, number, min((_sent_at(message) for message in seen), default=None))

    def show(self, queue: Queue, limit: int) -> list[Letter]:
        """Return messages, the oldest first. They stay in the queue, and are hidden meanwhile."""
        url, seen = self._url(queue), dict[str, Any]()
        try:
            while len(seen) < limit:
                messages = self._receive(url, min(limit - len(seen), SEEN_AT_ONCE), hidden=HIDDEN_SECONDS)
                if not messages:
                    break
                seen |= {message["MessageId"]: message for message in messages}
        finally:
            for message in seen.values():
                self.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
        return sorted(map(_letter, seen.values()), key=lambda letter: letter.sent_at)

    def move_back(self, queue: Queue, report: Report) -> int:
        """Have SQS move all messages back, and wait up to a minute; returns how many it has moved so far.

        Without a destination, a task fails at a message that a rule of EventBridge put there: it has no source.
        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html

        Raises:
            OperationFailed: messages are being moved already, or SQS says why it could not move them.
        """
        arn = self.outputs[queue.output]
        if any(task.get("Status") == "RUNNING" for task in self._tasks(arn)):
            raise OperationFailed(f"SQS is moving the messages of {queue.name} already: wait until it has.")
        to = {"DestinationArn": self.outputs[queue.back_to]} if queue.back_to else {}
        self.sqs.start_message_move_task(SourceArn=arn, **to)
        task: Mapping[str, Any] = {}
        for _ in range(LONGEST_MOVE_SECONDS):
            task = next(iter(self._tasks(arn)), {})
            if task.get("Status") != "RUNNING":
                break
            report(f"SQS has moved {task.get('ApproximateNumberOfMessagesMoved', 0)} messages.")
            self.sleep(1)
        if task.get("Status") == "FAILED":
            raise OperationFailed(f"SQS could not move the messages: {task.get('FailureReason', 'it gives no reason')}")
        return int(task.get("ApproximateNumberOfMessagesMoved", 0))

    def _tasks(self, arn: str) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.sqs.list_message_move_tasks(SourceArn=arn).get("Results", [])
        return found

    def _receive(self, url: str, most: int, *, hidden: int) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=hidden,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _url(self, queue: Queue) -> str:
        named = self.outputs[queue.output]
        if "://" in named:
            return named
        return str(self.sqs.get_queue_url(QueueName=named.rpartition(":")[2])["QueueUrl"])


def _letter(message: Mapping[str, Any]) -> Letter:
    given = message.get("MessageAttributes", {})
    why = {
        _FAULTS[name]: _without_secrets(str(given[name].get("StringValue", ""))) for name in _FAULTS if name in given
    }
    received = int(message["Attributes"].get("ApproximateReceiveCount", 0))
    return Letter(message["MessageId"], _sent_at(message), received, why, _body(message["Body"]))


def _body(text: str) -> Any:
    """Return a body as JSON if it is JSON, without secrets."""
    try:
        return json.loads(_without_secrets(json.dumps(storable(json.loads(text)), ensure_ascii=False)))
    except ValueError:
        return _without_secrets(text)


def _without_secrets(text: str) -> str:
    return redact_links(hide_queries_and_stream_keys(text))


def _sent_at(message: Mapping[str, Any]) -> str:
    sent = int(message["Attributes"]["SentTimestamp"]) / 1000
    return datetime.fromtimestamp(sent, UTC).isoformat(timespec="seconds")
