"""GET /subscriptions/{subscription_id}"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.subscriptions import get_subscription
from recording_insights.settings import GetSubscriptionSettings
from wiring import Wiring

wiring = Wiring(GetSubscriptionSettings)


@http_route(function_logger("get-subscription"))
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the subscription."""
    subscription_id = request.path.get("subscription_id", "")
    return HttpResponse(get_subscription(subscription_id, store=wiring.subscriptions))
