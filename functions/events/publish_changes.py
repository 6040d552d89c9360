"""The table's stream, and the queue of what could not be published: events for the bus of the stage."""

from collections.abc import Mapping
from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.notices.publish import message_of, publish, publish_again
from recording_insights.settings import PublishChangesSettings
from wiring import Wiring

logger = function_logger("publish-changes")
wiring = Wiring(PublishChangesSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> Mapping[str, Any]:
    """Publish the events of a batch. The queue gets each record that fails, and keeps each message that does.

    It raises only if that queue takes no messages: then the stream repeats the whole batch.
    """
    records = event["Records"]
    if records and records[0].get("eventSource") == "aws:sqs":
        bodies = [message["body"] for message in records]
        failed = publish_again(bodies, bus=wiring.bus, find=wiring.recordings.find, lost=wiring.change_stream.read)
        return {"batchItemFailures": [{"itemIdentifier": records[place]["messageId"]} for place in failed]}
    for place in publish(records, bus=wiring.bus, find=wiring.recordings.find):
        wiring.unpublished.send(message_of(records[place]))
    return {"batchItemFailures": []}
