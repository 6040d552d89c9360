"""GET /recordings"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.list import LIST_PARAMETERS, list_recordings
from recording_insights.settings import ListRecordingsSettings
from wiring import Wiring

wiring = Wiring(ListRecordingsSettings)


@http_route(function_logger("list-recordings"), parameters=LIST_PARAMETERS)
def handler(request: HttpRequest) -> HttpResponse:
    """200: a page of recordings, newest first."""
    return HttpResponse(list_recordings(request.query, store=wiring.recordings))
