"""State "Recover recording"."""

from typing import Any

from recording_insights.logs import function_logger, with_ids
from recording_insights.settings import RecoverRecordingSettings
from recording_insights.watch.progress import Watch
from recording_insights.watch.recover_recording import recover_recording
from wiring import Wiring

logger = function_logger("recover-recording")
wiring = Wiring(RecoverRecordingSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Watch` in, `Watch` out."""
    watch = recover_recording(
        Watch.from_state(event),
        store=wiring.recordings,
        media_store=wiring.media,
        folder=wiring.folder,
        bucket=wiring.settings.recordings_bucket,
        reader=wiring.s3_media.range_reader,
        checksum=wiring.s3_media.checksum,
        start_execution=wiring.start_processing,
        end_wait=wiring.end_wait,
        late_minutes=wiring.settings.late_files_minutes,
    )
    logger.info("recovered", extra=watch.to_state())
    return watch.to_state()
