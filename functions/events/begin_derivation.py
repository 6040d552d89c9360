"""The queue of transcripts that are ready: starts the execution that derives insights from each."""

from collections.abc import Mapping
from typing import Any

from recording_insights.bounded import parse_bounded
from recording_insights.derive.begin_derivation import begin_derivation
from recording_insights.logs import function_logger, with_ids
from recording_insights.settings import BeginDerivationSettings
from wiring import Wiring

logger = function_logger("begin-derivation")
wiring = Wiring(BeginDerivationSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> Mapping[str, Any]:
    """Start executions. Returns the messages that the queue has to keep."""
    failed = [message["messageId"] for message in event["Records"] if not _is_over(message)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_over(message: Mapping[str, Any]) -> bool:
    """Whether a message has done its work. One that has failed comes again after the queue's own time."""
    try:
        recording_id = parse_bounded(message["body"])["detail"]["data"]["recording_id"]
        name = begin_derivation(
            recording_id,
            store=wiring.derivations,
            insights=wiring.insights,
            stage=wiring.stage_brief,
            keep=wiring.replies.put,
            start=wiring.start_derivation,
        )
        logger.info("began" if name else "nothing to derive", extra={"recording_id": recording_id, "execution": name})
        return True
    except Exception:
        logger.exception("failed", extra={"message_id": message["messageId"]})
        return False
