"""State "Recover recording"."""

from functools import lru_cache, partial
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.aws.recordings_bucket import S3TrackFolder
from recording_insights.settings import RecoverySettings
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.progress import Watch
from recording_insights.watch.recover_recording import recover_recording

logger = Logger(service="recover-recording")
settings = lru_cache(maxsize=1)(RecoverySettings.from_env)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Watch` in, `Watch` out."""
    table = clients.table(settings().table_name)
    watch = recover_recording(
        Watch.from_state(event),
        store=RecordingStore(table),
        media_store=MediaStore(table),
        folder=S3TrackFolder(clients.s3(), settings().recordings_bucket),
        bucket=settings().recordings_bucket,
        start_execution=partial(clients.start_execution, settings().workflow_arn),
    )
    logger.info("recovered", extra=watch.to_state())
    return watch.to_state()
