"""GET /retries"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.retries.retry_many import list_retries
from recording_insights.settings import ListRetriesSettings
from wiring import Wiring

wiring = Wiring(ListRetriesSettings)


@http_route(function_logger("list-retries"))
def handler(request: HttpRequest) -> HttpResponse:
    """200: the last retries, newest first."""
    return HttpResponse(list_retries(retries=wiring.retries))
