"""POST /subscriptions/{subscription_id}/test"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.notices.deliveries import send_test_event
from recording_insights.settings import SendTestEventSettings
from wiring import Wiring

wiring = Wiring(SendTestEventSettings)


@http_route(function_logger("send-test-event"))
def handler(request: HttpRequest) -> HttpResponse:
    """202 and the delivery of the test event."""
    subscription_id = request.path.get("subscription_id", "")
    delivery = send_test_event(
        subscription_id,
        subscriptions=wiring.subscriptions,
        store=wiring.delivery_store,
        queue=wiring.delivery_queue.put,
    )
    return HttpResponse(delivery, 202)
