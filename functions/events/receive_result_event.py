"""EventBridge: a vendor uploaded a result to the replies bucket, or a job ended at a service of AWS."""

from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.processing.receive_result_event import receive_result_event
from recording_insights.settings import ReceiveResultEventSettings
from wiring import Wiring

logger = function_logger("receive-result-event")
wiring = Wiring(ReceiveResultEventSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Returns the outcome. After an exception, Lambda tries again; in the end the dead-letter queue has the event."""
    outcome = receive_result_event(event, callbacks=wiring.callbacks, providers=wiring.settings.providers)
    logger.info("received", extra={"source": event["source"], "outcome": outcome})
    return {"outcome": outcome}
