"""GET /recordings"""

from aws_lambda_powertools import Logger

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.recordings.read import list_recordings
from recording_insights.settings import ListRecordingsSettings
from wiring import Wiring

wiring = Wiring(ListRecordingsSettings)


@http_route(Logger(service="list-recordings"))
def handler(request: HttpRequest) -> HttpResponse:
    """200: a page of recordings, newest first."""
    return HttpResponse(list_recordings(request.query, store=wiring.recordings))
