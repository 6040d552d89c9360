"""State "Submit recording"."""

from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.processing.progress import Progress
from recording_insights.processing.submit_recording import Patience, submit_recording
from recording_insights.settings import SubmitRecordingSettings
from wiring import Wiring, utc_now

logger = function_logger("submit-recording")
wiring = Wiring(SubmitRecordingSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, `Progress` out."""
    progress = submit_recording(
        Progress.enter(event),
        store=wiring.media,
        providers=wiring.provider_choice,
        links=wiring.links,
        turns=wiring.turns,
        caps=wiring.caps,
        patience=Patience(
            give_up_hours=wiring.settings.give_up_hours,
            queue_days=wiring.settings.queue_days,
            failover_minutes=wiring.settings.failover_minutes,
        ),
        is_running=wiring.is_running,
        now=utc_now,
    )
    is_submitted = progress.outcome in ("running", "awaiting")
    logger.info("submitted" if is_submitted else "not submitted", extra=progress.to_state())
    return progress.to_state()
