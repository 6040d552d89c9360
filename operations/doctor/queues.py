"""Dead letters: messages that failed again and again."""

from collections.abc import Iterator

from operations.dead_letters import QUEUES, Queue
from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, wrong
from operations.doctor.flow import sweep_at_once
from operations.doctor.patient import Patient, recordings, side_by_side


@check("dead letters", "sqs:GetQueueUrl", "sqs:GetQueueAttributes")
def dead_letters(patient: Patient) -> Iterator[Symptom]:
    """No queue has dead letters."""
    queues = [queue for queue in QUEUES if queue.output in patient.outputs]
    for queue, letters in zip(queues, side_by_side(lambda queue: _letters(patient, queue), queues), strict=True):
        if letters:
            count = f"is {letters} dead letter" if letters == 1 else f"are {letters} dead letters"
            mend = sweep_at_once(patient) if queue.is_swept else recordings(patient, "redrive", "send", queue.name)
            yield wrong(f"There {count}: {queue.letters}.", mend)
        else:
            yield ok(f"There are no dead letters: {queue.letters}.")


def _letters(patient: Patient, queue: Queue) -> int:
    sqs, named = patient.aws("sqs"), patient.outputs[queue.output]
    url = named if "://" in named else sqs.get_queue_url(QueueName=named.rpartition(":")[2])["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)
