"""POST /subscriptions"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.subscriptions import create_subscription
from recording_insights.settings import CreateSubscriptionSettings
from wiring import Wiring

wiring = Wiring(CreateSubscriptionSettings)


@http_route(function_logger("create-subscription"))
def handler(request: HttpRequest) -> HttpResponse:
    """201 and the subscription with its secret, which no later answer shows."""
    created = create_subscription(
        request.json_object(), store=wiring.subscriptions, check_url=wiring.destination_of, who=request.who
    )
    return HttpResponse(created, 201, {"location": f"/subscriptions/{created['subscription_id']}"})
