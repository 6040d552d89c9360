"""State "Prepare media"."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.aws.recordings_bucket import S3TrackFolder
from recording_insights.hls.remux.remux import remux
from recording_insights.processing.prepare_media import prepare_media
from recording_insights.processing.progress import Progress
from recording_insights.settings import FunctionSettings
from recording_insights.store.media import MediaStore

logger = Logger(service="prepare-media")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Progress` in, `Progress` out."""
    progress = prepare_media(
        Progress.from_state(event),
        store=MediaStore(clients.table(settings().table_name)),
        folder=S3TrackFolder(clients.s3(), settings().recordings_bucket),
        remux=remux,
        late_minutes=settings().late_files_minutes,
        now=lambda: datetime.now(UTC),
    )
    logger.info("prepared" if progress.outcome == "submit" else "not prepared", extra=progress.to_state())
    return progress.to_state()
