"""State "Check recording"."""

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.agora.client import AgoraClient
from recording_insights.agora_wiring import agora_client
from recording_insights.aws import clients
from recording_insights.deadline import Deadline
from recording_insights.http.edge import LambdaContext
from recording_insights.settings import FunctionSettings
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.check_recording import check_recording
from recording_insights.watch.progress import Watch

LAST_WRITES_SECONDS = 5.0

logger = Logger(service="check-recording")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`Watch` in, `Watch` out."""
    watch = check_recording(
        Watch.from_state(event),
        store=RecordingStore(clients.table(settings().table_name)),
        agora=agora(),
        late_minutes=settings().late_files_minutes,
        deadline=Deadline.after(context.get_remaining_time_in_millis() / 1000 - LAST_WRITES_SECONDS),
    )
    logger.info("checked", extra=watch.to_state())
    return watch.to_state()


@lru_cache(maxsize=1)
def agora() -> AgoraClient:
    """Kept while the worker lives, and with it the connection."""
    return agora_client(settings(), aws_region=clients.region(settings().table_name))
