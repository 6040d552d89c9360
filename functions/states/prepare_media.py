"""State "Prepare media"."""

from typing import Any

from recording_insights.conversion.convert import convert
from recording_insights.hls.remux.remux import remux
from recording_insights.logs import function_logger, with_ids
from recording_insights.processing.file_conversion import FileConversion
from recording_insights.processing.prepare_media import prepare_media
from recording_insights.processing.progress import Progress
from recording_insights.providers.registry import formats_of
from recording_insights.settings import PrepareMediaSettings
from wiring import Wiring, utc_now

logger = function_logger("prepare-media")
wiring = Wiring(PrepareMediaSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, `Progress` out."""
    progress = Progress.enter(event)
    limited = wiring.for_media(progress.recording_id, progress.key)
    progress = prepare_media(
        progress,
        store=limited.media,
        folder=limited.folder,
        remux=remux,
        conversion=FileConversion(limited.folder, limited.s3_media.range_reader, formats_of, convert),
        late_minutes=wiring.settings.late_files_minutes,
        is_running=wiring.is_running,
        now=utc_now,
    )
    logger.info("prepared" if progress.outcome == "submit" else "not prepared", extra=progress.to_state())
    return progress.to_state()
