"""POST /retries/{retry_id}/cancel"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.retries.retry_many import cancel_retry
from recording_insights.settings import CancelRetrySettings
from wiring import Wiring

wiring = Wiring(CancelRetrySettings)


@http_route(function_logger("cancel-retry"))
def handler(request: HttpRequest) -> HttpResponse:
    """202 and the retry, which is canceled."""
    retry_id = request.path.get("retry_id", "")
    return HttpResponse(cancel_retry(retry_id, retries=wiring.retries, who=request.who), 202)
