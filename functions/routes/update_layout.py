"""PUT /recordings/{recording_id}/layout"""

from functools import lru_cache

from aws_lambda_powertools import Logger

from recording_insights.agora.client import AgoraClient
from recording_insights.agora_wiring import agora_client
from recording_insights.aws import clients
from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.recordings.change import update_layout
from recording_insights.recordings.read import public
from recording_insights.settings import FunctionSettings
from recording_insights.store.recordings import RecordingStore

settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


@http_route(Logger(service="update-layout"))
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the row, when Agora has taken the layout."""
    recording = update_layout(
        request.recording_id,
        request.json_object(),
        store=RecordingStore(clients.table(settings().table_name)),
        agora=agora(),
        deadline=request.deadline,
    )
    return HttpResponse(public(recording))


@lru_cache(maxsize=1)
def agora() -> AgoraClient:
    """Kept while the worker lives, and with it the connection."""
    return agora_client(settings(), aws_region=clients.region(settings().table_name))
