"""PATCH /subscriptions/{subscription_id}"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.subscriptions import update_subscription
from recording_insights.settings import UpdateSubscriptionSettings
from wiring import Wiring

wiring = Wiring(UpdateSubscriptionSettings)


@http_route(function_logger("update-subscription"))
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the subscription as it is now."""
    subscription_id = request.path.get("subscription_id", "")
    changed = update_subscription(
        subscription_id,
        request.json_object(),
        store=wiring.subscriptions,
        check_url=wiring.destination_of,
        who=request.who,
    )
    return HttpResponse(changed)
