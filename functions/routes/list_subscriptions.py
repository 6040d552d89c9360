"""GET /subscriptions"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.subscriptions import list_subscriptions
from recording_insights.settings import ListSubscriptionsSettings
from wiring import Wiring

wiring = Wiring(ListSubscriptionsSettings)


@http_route(function_logger("list-subscriptions"))
def handler(request: HttpRequest) -> HttpResponse:
    """200: all subscriptions, oldest first."""
    return HttpResponse(list_subscriptions(store=wiring.subscriptions))
