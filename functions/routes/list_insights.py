"""GET /insights"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.sync import SYNC_PARAMETERS, Sync
from recording_insights.settings import ListInsightsSettings
from wiring import Wiring

wiring = Wiring(ListInsightsSettings)


@http_route(function_logger("list-insights"), parameters=SYNC_PARAMETERS)
def handler(request: HttpRequest) -> HttpResponse:
    """200: a page of recordings with their insights, in the order of their changes."""
    return HttpResponse(Sync(wiring.recordings, wiring.insights, request.deadline).page(request.query))
