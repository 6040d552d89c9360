"""POST /recordings/{recording_id}/stop"""

from functools import lru_cache

from aws_lambda_powertools import Logger

from recording_insights.agora.client import AgoraClient
from recording_insights.aws import clients
from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.recordings.stop import stop_recording
from recording_insights.settings import FunctionSettings
from recording_insights.store.recordings import RecordingStore

settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


@http_route(Logger(service="stop-recording"))
def handler(request: HttpRequest) -> HttpResponse:
    """202 and the status, also when there is nothing left to stop."""
    recording = stop_recording(
        request.recording_id,
        store=RecordingStore(clients.table(settings().table_name)),
        agora=agora(),
        deadline=request.deadline,
    )
    content = {name: recording[name] for name in ("recording_id", "status", "reason") if name in recording}
    return HttpResponse(content, 202)


@lru_cache(maxsize=1)
def agora() -> AgoraClient:
    """Kept while the worker lives, and with it the connection."""
    return AgoraClient.from_settings(settings(), aws_region=clients.region(settings().table_name))
