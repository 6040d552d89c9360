"""POST /webhooks/agora"""

from functools import lru_cache

from aws_lambda_powertools import Logger

from recording_insights.agora.notifications import SECRET_KEY, Notification, check_signature
from recording_insights.aws import clients
from recording_insights.aws.secrets import read_secret
from recording_insights.errors import NotFound, SecretUnusable
from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.recordings.notifications import process_notification
from recording_insights.settings import FunctionSettings
from recording_insights.store.notices import NoticeStore
from recording_insights.store.recordings import RecordingStore

LARGEST_NOTIFICATION = 256 * 1024
"""A list of files that is longer would be new."""

logger = Logger(service="receive-notification")
settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


@http_route(logger, largest_body=LARGEST_NOTIFICATION)
def handler(request: HttpRequest) -> HttpResponse:
    """200 for every authentic notification, whether or not anything follows from it: Agora repeats any other."""
    try:
        secret = read_secret(settings().secret_name("agora"), (SECRET_KEY,))[SECRET_KEY]
    except SecretUnusable as unusable:
        raise NotFound(f"notifications are not set up: {unusable}") from unusable
    check_signature(request.body, request.headers, secret)
    notice = Notification.from_body(request.json_object())
    table = clients.table(settings().table_name)
    ignored = process_notification(notice, store=RecordingStore(table), notices=NoticeStore(table))
    logger.info(
        "ignored" if ignored else "taken in",
        extra={"notice_id": notice.notice_id, "event_type": notice.event, "sid": notice.sid, "reason": ignored},
    )
    return HttpResponse({"ok": True})
