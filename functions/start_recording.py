"""POST /recordings"""

from functools import lru_cache

from aws_lambda_powertools import Logger

from recording_insights import aws
from recording_insights.agora.client import AgoraClient
from recording_insights.http_api import HttpRequest, HttpResponse, http_route
from recording_insights.providers.registry import validate_options
from recording_insights.recording_request import RecordingRequest
from recording_insights.recording_start import RecordingStart
from recording_insights.recordings import public
from recording_insights.settings import FunctionSettings
from recording_insights.store.recordings import RecordingStore

settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


@http_route(Logger(service="start-recording"))
def handler(request: HttpRequest) -> HttpResponse:
    """201 for a recording that this call began, 200 for one that was under way."""
    wanted = RecordingRequest.from_body(
        request.json_object(),
        providers=settings().providers,
        default_provider=settings().provider,
        validate_options=validate_options,
    )
    start = RecordingStart(RecordingStore(aws.table(settings().table_name)), agora(), request.deadline)
    started = start(wanted, idempotency_key=request.headers.get("idempotency-key"))
    location = f"/recordings/{started.recording['recording_id']}"
    return HttpResponse(public(started.recording), 201 if started.new else 200, {"location": location})


@lru_cache(maxsize=1)
def agora() -> AgoraClient:
    """Kept while the worker lives, and with it the connection."""
    return AgoraClient.from_settings(settings(), aws_region=aws.region(settings().table_name))
