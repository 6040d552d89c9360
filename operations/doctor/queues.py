"""Dead letters: messages that failed again and again."""

from collections.abc import Iterator
from dataclasses import dataclass

from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, wrong
from operations.doctor.flow import sweep_at_once
from operations.doctor.patient import Patient, command, side_by_side


@dataclass(frozen=True)
class _Queue:
    """A queue of dead letters: the output that names it, what its messages are, and where they are moved back to.

    Without `moves` the sweep processes the messages. With it, SQS moves them: to the queue of the output `back_to`, or
    to the queue that they came from.
    """

    output: str
    letters: str
    moves: bool = True
    back_to: str | None = None


QUEUES = (
    _Queue("UnadmittedArrivalsArn", "arrivals that were not admitted", back_to="ArrivalsArn"),
    _Queue("DeadLettersUrl", "events that a function failed with", moves=False),
    _Queue("UnpublishedDeadLettersArn", "changes whose events were not published"),
    _Queue("UndeliveredArn", "events for subscribers", back_to="NoticesArn"),
    _Queue("UnderivedArn", "transcripts that the model did not get", back_to="TranscriptsArn"),
)


@check("dead letters", "sqs:GetQueueUrl", "sqs:GetQueueAttributes")
def dead_letters(patient: Patient) -> Iterator[Symptom]:
    """No queue has dead letters."""
    queues = [queue for queue in QUEUES if queue.output in patient.outputs]
    for queue, letters in zip(queues, side_by_side(lambda queue: _letters(patient, queue), queues), strict=True):
        if letters:
            count = f"is {letters} dead letter" if letters == 1 else f"are {letters} dead letters"
            yield wrong(f"There {count}: {queue.letters}.", _bring_back(patient, queue))
        else:
            yield ok(f"There are no dead letters: {queue.letters}.")


def _letters(patient: Patient, queue: _Queue) -> int:
    sqs, named = patient.aws("sqs"), patient.outputs[queue.output]
    url = named if "://" in named else sqs.get_queue_url(QueueName=named.rpartition(":")[2])["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def _bring_back(patient: Patient, queue: _Queue) -> str:
    """Return the command of the runbook, docs/operate.md."""
    if not queue.moves:
        return sweep_at_once(patient)
    target = ("--destination-arn", patient.outputs[queue.back_to]) if queue.back_to else ()
    source = patient.outputs[queue.output]
    return command("aws", "sqs", "start-message-move-task", "--source-arn", source, *target)
