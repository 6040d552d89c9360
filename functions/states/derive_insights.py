"""State "Derive insights"."""

from typing import Any

from recording_insights.derive.derive_insights import Patience, Step, derive_insights
from recording_insights.logs import function_logger, with_ids
from recording_insights.settings import DeriveInsightsSettings
from wiring import Wiring, utc_now

logger = function_logger("derive-insights")
wiring = Wiring(DeriveInsightsSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Step` in, `Step` out."""
    step = derive_insights(
        Step.from_state(event),
        store=wiring.derivations,
        turns=wiring.turns,
        objects=wiring.replies,
        model=wiring.model,
        patience=Patience(wiring.settings.give_up_hours, wiring.settings.queue_days),
        now=utc_now(),
    )
    logger.info("derived" if step.outcome == "over" else "deriving", extra=step.to_state())
    return step.to_state()
