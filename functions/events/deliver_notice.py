"""The queue of events from the bus, and the queue of deliveries: sends events to those who subscribed to them."""

from collections.abc import Mapping
from typing import Any

from recording_insights.bounded import parse_bounded
from recording_insights.logs import function_logger, with_ids
from recording_insights.notices.deliveries import Order
from recording_insights.settings import DeliverNoticeSettings
from wiring import Wiring

logger = function_logger("deliver-notice")
wiring = Wiring(DeliverNoticeSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> Mapping[str, Any]:
    """Make deliveries of events, or try one delivery. Returns the messages that the queue has to keep."""
    failed = [message["messageId"] for message in event["Records"] if not _is_over(message)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_over(message: Mapping[str, Any]) -> bool:
    """Whether a message has done its work. One that has failed comes again after the queue's own time."""
    try:
        content = parse_bounded(message["body"])
        if "detail" in content:
            made = wiring.deliveries.fan_out(content["detail"])
            logger.info("fanned out", extra={"event_id": content["detail"]["id"], "deliveries": made})
            return True
        order = Order(**content)
        if wiring.delivery_queue.holds(message["eventSourceARN"]):
            return _try(order, message["receiptHandle"])
        # An operator moves all dead letters back to the queue of events.
        order.put_into(wiring.delivery_queue.put)
        return True
    except Exception:
        logger.exception("failed", extra={"message_id": message["messageId"]})
        return False


def _try(order: Order, receipt: str) -> bool:
    seconds = wiring.deliveries.deliver(order)
    fields = {"subscription_id": order.subscription_id, "delivery_id": order.delivery_id}
    logger.info("tried", extra={**fields, "next_try_after_seconds": seconds})
    if seconds is None:
        return True
    wiring.delivery_queue.hide(receipt, seconds)
    return False
