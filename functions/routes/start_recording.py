"""POST /recordings"""

import json
from functools import lru_cache

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from recording_insights.agora.client import AgoraClient
from recording_insights.aws import clients
from recording_insights.errors import WatchUnavailable
from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.providers.registry import validate_options
from recording_insights.recordings.read import public
from recording_insights.recordings.request import RecordingRequest
from recording_insights.recordings.start import start_recording
from recording_insights.settings import StartSettings
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow
from recording_insights.watch.progress import Watch, execution_name

settings = lru_cache(maxsize=1)(StartSettings.from_env)


@http_route(Logger(service="start-recording"))
def handler(request: HttpRequest) -> HttpResponse:
    """201 for a recording that this call began, 200 for one that was under way."""
    wanted = RecordingRequest.from_body(
        request.json_object(),
        providers=settings().providers,
        default_provider=settings().provider,
        validate_options=validate_options,
        aws_region=clients.region(settings().table_name),
    )
    started = start_recording(
        wanted,
        store=RecordingStore(clients.table(settings().table_name)),
        agora=agora(),
        deadline=request.deadline,
        watch=start_watch,
        idempotency_key=request.headers.get("idempotency-key"),
    )
    location = f"/recordings/{started.recording['recording_id']}"
    return HttpResponse(public(started.recording), 201 if started.new else 200, {"location": location})


@lru_cache(maxsize=1)
def agora() -> AgoraClient:
    """Kept while the worker lives, and with it the connection."""
    return AgoraClient.from_settings(settings(), aws_region=clients.region(settings().table_name))


def start_watch(recording: RecordingRow) -> None:
    """Start the watch over a recording.

    Raises:
        WatchUnavailable: AWS did not start it.
    """
    client = clients.step_functions()
    state = json.dumps(Watch.begin(recording).to_state())
    try:
        client.start_execution(stateMachineArn=settings().watch_arn, name=execution_name(recording), input=state)
    except client.exceptions.ExecutionAlreadyExists:
        pass  # by an earlier try of this very call
    except (ClientError, BotoCoreError) as error:
        raise WatchUnavailable(f"the watch over the recording was not started ({type(error).__name__})") from error
