"""POST /webhooks/agora"""

from recording_insights.agora.notifications import Notification, check_signature
from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.notifications import process_notification
from recording_insights.settings import ReceiveNotificationSettings
from wiring import Wiring

LARGEST_NOTIFICATION = 256 * 1024
"""In bytes: far more than the longest list of files that Agora sends."""

logger = function_logger("receive-notification")
wiring = Wiring(ReceiveNotificationSettings)


@http_route(logger, largest_body=LARGEST_NOTIFICATION, is_anonymous=True)
def handler(request: HttpRequest) -> HttpResponse:
    """200 for every authentic notification, even if it changed nothing: Agora repeats any other."""
    check_signature(request.body, request.headers, wiring.notification_secret())
    notice = Notification.from_body(request.json_object())
    ignored = process_notification(notice, store=wiring.recordings, notices=wiring.notices)
    logger.info(
        "ignored" if ignored else "processed",
        extra={"notice_id": notice.notice_id, "event_type": notice.event, "sid": notice.sid, "reason": ignored},
    )
    return HttpResponse({"ok": True})
