"""State "Check recording"."""

from typing import Any

from recording_insights.deadline import Deadline
from recording_insights.http.edge import LambdaContext
from recording_insights.logs import function_logger, with_ids
from recording_insights.settings import CheckRecordingSettings
from recording_insights.watch.check_recording import check_recording
from recording_insights.watch.progress import Watch
from wiring import Wiring

LAST_WRITES_SECONDS = 5.0

logger = function_logger("check-recording")
wiring = Wiring(CheckRecordingSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`Watch` in, `Watch` out."""
    watch = check_recording(
        Watch.from_state(event),
        store=wiring.recordings,
        media_store=wiring.media,
        agora=wiring.agora,
        end_wait=lambda task_token: wiring.end_wait(task_token),  # few checks need its client
        late_minutes=wiring.settings.late_files_minutes,
        deadline=Deadline.after(context.get_remaining_time_in_millis() / 1000 - LAST_WRITES_SECONDS),
    )
    logger.info("checked", extra=watch.to_state())
    return watch.to_state()
