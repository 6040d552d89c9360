"""The queue of arrivals, with EventBridge's "Object Created": starts one execution for each media object."""

from collections.abc import Mapping
from typing import Any

from recording_insights.bounded import parse_bounded
from recording_insights.deadline import Deadline
from recording_insights.logs import function_logger, with_ids
from recording_insights.media.batch import admit_batch
from recording_insights.model.media_object import MediaObject
from recording_insights.settings import AdmitMediaSettings
from wiring import Wiring

logger = function_logger("admit-media")
wiring = Wiring(AdmitMediaSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Admit the media objects of up to ten messages, and return those that failed: the queue keeps them.

    In a pause of the intake the queue keeps all.

    An event may also come without a queue, from the rule of an earlier version; after an exception Lambda tries again.
    """
    if "Records" not in event:
        return _admit(event)
    if pause := wiring.intake.find_pause():
        logger.info("paused", extra={"since": pause["paused_at"], "messages": len(event["Records"])})
        failed = [message["messageId"] for message in event["Records"]]
    else:
        deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
        failed = admit_batch(event["Records"], admit=lambda body: _admit(parse_bounded(body)), deadline=deadline)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _admit(event: Mapping[str, Any]) -> Mapping[str, Any]:
    media = MediaObject.from_event(event)
    outcome = wiring.admit(media)
    logger.info("ignored" if "ignored" in outcome else "admitted", extra={"key": media.key, **outcome})
    return outcome
