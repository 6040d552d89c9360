"""GET /retries/{retry_id}"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.retries.retry_many import get_retry
from recording_insights.settings import GetRetrySettings
from wiring import Wiring

wiring = Wiring(GetRetrySettings)


@http_route(function_logger("get-retry"))
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the retry."""
    return HttpResponse(get_retry(request.path.get("retry_id", ""), retries=wiring.retries))
