"""DELETE /subscriptions/{subscription_id}"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.subscriptions import delete_subscription
from recording_insights.settings import DeleteSubscriptionSettings
from wiring import Wiring

wiring = Wiring(DeleteSubscriptionSettings)


@http_route(function_logger("delete-subscription"))
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the subscription, which is deleted."""
    subscription_id = request.path.get("subscription_id", "")
    return HttpResponse(delete_subscription(subscription_id, store=wiring.subscriptions))
