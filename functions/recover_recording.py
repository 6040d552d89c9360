"""State "Recover recording"."""

from functools import lru_cache, partial
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights import aws
from recording_insights.settings import RecoverySettings
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.track_files import S3TrackFolder
from recording_insights.workflow.recover_recording import recover_recording
from recording_insights.workflow.watch_progress import Watch

logger = Logger(service="recover-recording")
settings = lru_cache(maxsize=1)(RecoverySettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Watch` in, `Watch` out."""
    table = aws.table(settings().table_name)
    watch = recover_recording(
        Watch.from_state(event),
        store=RecordingStore(table),
        media_store=MediaStore(table),
        folder=S3TrackFolder(aws.s3(), settings().recordings_bucket),
        bucket=settings().recordings_bucket,
        start_execution=partial(aws.start_execution, settings().workflow_arn),
    )
    logger.info("recovered", extra=watch.to_state())
    return watch.to_state()
