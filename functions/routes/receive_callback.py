"""POST /webhooks/{provider}/{job} and …/{provider}/{job}/{token}"""

from recording_insights.http.edge import LARGEST_CALLBACK, HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.providers.port import CallbackRequest
from recording_insights.settings import ReceiveCallbackSettings
from wiring import Wiring

wiring = Wiring(ReceiveCallbackSettings)


@http_route(function_logger("receive-callback"), largest_body=LARGEST_CALLBACK, is_anonymous=True)
def handler(request: HttpRequest) -> HttpResponse:
    """200 for every authentic callback of one of our jobs, even if it changed nothing."""
    provider, job = request.path.get("provider", ""), request.path.get("job", "")
    receiver = wiring.receiver(provider)
    callback = CallbackRequest(
        request.body,
        request.headers,
        path_token=request.path.get("token", ""),
        secrets=wiring.callback_secrets(provider, job),
    )
    return HttpResponse({"outcome": wiring.callbacks.receive_webhook(provider, receiver, callback, name=job)})
