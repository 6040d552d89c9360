"""State "Retry page": begin new tries of as many failed media objects as one minute may have."""

import logging
from collections import Counter
from collections.abc import Mapping
from math import ceil
from typing import Any

from recording_insights.deadline import Deadline
from recording_insights.errors import Conflict, MediaMissing
from recording_insights.media.executions import begin
from recording_insights.model.status import FINAL
from recording_insights.retries.failed_media import Found, failed_media, has_begun_since
from recording_insights.retries.order import Order, why_refused
from recording_insights.retries.request import order_of
from recording_insights.retries.retry_recording import Executions, Starter, retry
from recording_insights.store.media import MediaStore
from recording_insights.store.retries import UNFINISHED, RetryStore
from recording_insights.store.rows import MediaRow, RetryCursor, RetryRow

RESERVE_SECONDS = 20.0
"""Time that is left for the media object at work and for the row of the retry."""
MOST_PAGES = 2000
"""An execution has 25,000 events at most, and a page has ten.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, MediaMissing)
"""What a row raises that somebody has changed or deleted by hand."""

_logger = logging.getLogger(__name__)


def retry_page(
    state: Mapping[str, Any],
    *,
    store: MediaStore,
    retries: RetryStore,
    executions: Executions,
    per_minute: int,
    deadline: Deadline,
) -> dict[str, Any]:
    """Begin up to `per_minute` new tries, and return `{"retry_id", "outcome": "more" or "over", "wait_seconds"}`.

    A media object that fails again is not retried: only those count that failed before the retry was requested. The
    row keeps how far the retry has come. After a crash, the media objects that have begun since are not begun again,
    and get the execution that they may lack. The retry stops when it is canceled or another one took over.
    """
    retry_id = state["retry_id"]
    row = retries.find(retry_id)
    if row is None or row["status"] not in UNFINISHED or retries.latest() != retry_id:
        return {"retry_id": retry_id, "outcome": "over"}
    page = _Page(row, store, retries, executions)
    for found in failed_media(
        store, row["filters"], until=row["until"], cursor=row.get("cursor"), begun_since=row["requested_at"]
    ):
        page.cursor = found.cursor
        if found.media and not page.work_on(found, per_minute, deadline):
            break
        if deadline.seconds_left < RESERVE_SECONDS:
            break
    else:
        page.note()
        retries.end(retry_id, "done")
        return {"retry_id": retry_id, "outcome": "over"}
    if not page.note(pages=row.get("pages", 0) + 1):
        return {"retry_id": retry_id, "outcome": "over"}
    if row.get("pages", 0) + 1 >= MOST_PAGES:
        retries.end(retry_id, "failed", "more media objects are left than one retry takes: start another one")
        return {"retry_id": retry_id, "outcome": "over"}
    return {"retry_id": retry_id, "outcome": "more", "wait_seconds": max(1, ceil(60 * page.begun / per_minute))}


class _Page:
    """The counts of a retry with those of one page, and how far it has come."""

    def __init__(self, row: RetryRow, store: MediaStore, retries: RetryStore, executions: Executions) -> None:
        self.row, self.store, self.retries, self.executions = row, store, retries, executions
        self.order: Order = order_of(row["filters"])
        self.cursor: RetryCursor | None = row.get("cursor")
        self.seen = self.begun = 0
        self.refused = Counter(row.get("refused", {}))

    def work_on(self, found: Found, per_minute: int, deadline: Deadline) -> bool:
        """Retry the media objects of a recording; return False if the page ends before all of them are.

        The cursor names the recording first: with the first new try, it leaves the list of those that failed. Each
        note also sees whether the retry was canceled.
        """
        for media, behind in found.media:
            if self.begun >= per_minute or deadline.seconds_left < RESERVE_SECONDS or not self.note():
                return False
            try:
                self._retry(media)
            except _MALFORMED:
                _logger.exception("the row %s of recording %s is malformed", media["sk"], media["pk"])
                self.refused["row_malformed"] += 1
            self.cursor = behind
        return True

    def note(self, pages: int | None = None) -> bool:
        """Write how far the retry has come; return False if it has ended."""
        pages = self.row.get("pages") if pages is None else pages
        return self.retries.note(
            self.row["retry_id"],
            status="running",
            cursor=self.cursor,
            pages=pages,
            refused=dict(self.refused),
            seen=self.row["seen"] + self.seen,
            begun=self.row["begun"] + self.begun,
        )

    def _retry(self, media: MediaRow) -> None:
        self.seen += 1
        if has_begun_since(media, self.row["requested_at"]):
            # By a page that ended before it could note it.
            if media.get("status") not in FINAL:
                begin(media, store=self.store, start_execution=Starter(self.executions))
            self.begun += 1
        elif why_refused(media, self.order):
            self.refused[media["reason_code"]] += 1
        else:
            try:
                who = self.row.get("started_by")
                retry(media, self.order, store=self.store, executions=self.executions, who=who)
                self.begun += 1
            except Conflict:
                self.refused["conflict"] += 1
