"""POST /webhooks/<provider>, for each provider whose results come by callback alone: seameet"""

from recording_insights.http.edge import LARGEST_CALLBACK, HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.processing.keep_result import keep_result
from recording_insights.providers.port import CallbackRequest
from recording_insights.settings import KeepResultSettings
from wiring import Wiring

wiring = Wiring(KeepResultSettings)


@http_route(function_logger("keep-result"), largest_body=LARGEST_CALLBACK, is_anonymous=True)
def handler(request: HttpRequest) -> HttpResponse:
    """200 for every authentic callback, once it is stored."""
    provider = wiring.settings.provider
    callback = CallbackRequest(request.body, request.headers, secrets=wiring.signing_keys(provider))
    outcome = keep_result(provider, wiring.result_receiver, callback, replies=wiring.replies)
    return HttpResponse({"outcome": outcome})
