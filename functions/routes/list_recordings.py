"""GET /recordings"""

from functools import lru_cache

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.recordings.read import list_recordings
from recording_insights.settings import FunctionSettings
from recording_insights.store.recordings import RecordingStore

settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


@http_route(Logger(service="list-recordings"))
def handler(request: HttpRequest) -> HttpResponse:
    """200: a page of recordings, newest first."""
    return HttpResponse(list_recordings(request.query, store=RecordingStore(clients.table(settings().table_name))))
