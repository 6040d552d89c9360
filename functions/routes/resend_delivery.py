"""POST /subscriptions/{subscription_id}/deliveries/{delivery_id}/resend"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.deliveries import resend
from recording_insights.settings import ResendDeliverySettings
from wiring import Wiring

wiring = Wiring(ResendDeliverySettings)


@http_route(function_logger("resend-delivery"))
def handler(request: HttpRequest) -> HttpResponse:
    """202 and the delivery, which is tried again."""
    delivery = resend(
        request.path.get("subscription_id", ""),
        request.path.get("delivery_id", ""),
        subscriptions=wiring.subscriptions,
        store=wiring.delivery_store,
        queue=wiring.delivery_queue.put,
    )
    return HttpResponse(delivery, 202)
