"""State "Erase page"."""

from typing import Any

from recording_insights.deadline import Deadline
from recording_insights.logs import function_logger, with_ids
from recording_insights.settings import ErasePageSettings
from recording_insights.upkeep.erase_page import Erase
from wiring import Wiring

logger = function_logger("erase-page")
wiring = Wiring(ErasePageSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`Erase` in, and out with the outcome and the seconds to wait."""
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    erase = wiring.eraser.page(Erase.from_state(event), deadline)
    logger.info("erased", extra={"phase": erase.phase, "wait_seconds": erase.wait_seconds})
    return erase.to_state()
