"""GET /subscriptions/{subscription_id}/deliveries"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.deliveries import DELIVERY_PARAMETERS, list_deliveries
from recording_insights.settings import ListDeliveriesSettings
from wiring import Wiring

wiring = Wiring(ListDeliveriesSettings)


@http_route(function_logger("list-deliveries"), parameters=DELIVERY_PARAMETERS)
def handler(request: HttpRequest) -> HttpResponse:
    """200: a page of deliveries, newest first."""
    subscription_id = request.path.get("subscription_id", "")
    found = list_deliveries(
        subscription_id, request.query, subscriptions=wiring.subscriptions, store=wiring.delivery_store
    )
    return HttpResponse(found)
