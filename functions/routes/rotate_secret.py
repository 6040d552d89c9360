"""POST /subscriptions/{subscription_id}/rotate"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.subscriptions import rotate_secret
from recording_insights.settings import RotateSecretSettings
from wiring import Wiring

wiring = Wiring(RotateSecretSettings)


@http_route(function_logger("rotate-secret"))
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the subscription with its new secret."""
    subscription_id = request.path.get("subscription_id", "")
    return HttpResponse(rotate_secret(subscription_id, store=wiring.subscriptions, who=request.who))
