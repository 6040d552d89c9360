"""Retry many media objects: start it, read it, cancel it."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Protocol

from recording_insights.deadline import Deadline
from recording_insights.errors import Conflict, NotFound
from recording_insights.retries.failed_media import failed_media
from recording_insights.retries.order import why_refused
from recording_insights.retries.request import RetriesRequest, order_of
from recording_insights.store.media import MediaStore
from recording_insights.store.retries import UNFINISHED, RetryStore
from recording_insights.store.rows import RetryRow

KEPT = timedelta(days=90)
"""How long the row of a retry is kept."""
LISTED = 20
GRACE = timedelta(minutes=1)
"""A retry was opened, and its execution may be starting."""
RESERVE_SECONDS = 6.0
"""Time that is left for the recording at work and for the answer."""
_RETRY_ID = re.compile("[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")


class Machine(Protocol):
    """The executions of the state machine that retries many, by their names, which are the ids of the retries."""

    def start(self, *, name: str, state: str) -> bool: ...

    def is_running(self, name: str) -> bool: ...


def retry_many(
    request: RetriesRequest,
    *,
    store: MediaStore,
    retries: RetryStore,
    machine: Machine,
    deadline: Deadline,
    who: str | None = None,
) -> dict[str, Any]:
    """Start a retry of the media objects that failed until now, and return it; a dry run only counts them.

    `who` is the caller's name, for the rows of the retry and of the tries that it begins.

    Raises:
        Conflict: another retry is at work; names it.
    """
    now = retries.now()
    until = min(request.filters.get("until", retries.timestamp), retries.timestamp)
    if request.dry_run:
        return count_failed(request.filters, until=until, store=store, deadline=deadline)
    latest = _ended(retries, machine, now)
    retry_id = f"{now:%Y%m%dT%H%M%SZ}-{token_hex(4)}"
    row: RetryRow = {
        "retry_id": retry_id,
        "status": "queued",
        "requested_at": retries.timestamp,
        "until": until,
        "filters": request.filters,
        "seen": 0,
        "begun": 0,
        "refused": {},
        "expires_at": int((now + KEPT).timestamp()),
    }
    if who:
        row["started_by"] = who
    if not retries.open(row, after=latest):
        raise Conflict("another retry has just been started: GET /retries names it")
    machine.start(name=retry_id, state=json.dumps({"retry_id": retry_id}))
    return described(row)


def count_failed(filters: Mapping[str, Any], *, until: str, store: MediaStore, deadline: Deadline) -> dict[str, Any]:
    """Count the media objects that a retry would begin, and those that it would refuse, by reason code.

    `at_least` is True if there was no time to see all. Repeated calls begin at the newest recording again.
    """
    order = order_of(filters)
    would_begin, refused = 0, Counter[str]()
    for found in failed_media(store, filters, until=until):
        for row, _ in found.media:
            if why_refused(row, order):
                refused[row["reason_code"]] += 1
            else:
                would_begin += 1
        if deadline.seconds_left < RESERVE_SECONDS:
            return {"dry_run": True, "media": would_begin, "refused": dict(refused), "at_least": True}
    return {"dry_run": True, "media": would_begin, "refused": dict(refused), "at_least": False}


def get_retry(retry_id: str, *, retries: RetryStore) -> dict[str, Any]:
    """Return a retry: its status, its filters, its counts and its times.

    Raises:
        NotFound: there is no such retry.
    """
    return described(_get(retry_id, retries))


def list_retries(*, retries: RetryStore) -> dict[str, Any]:
    """Return the last 20 retries, newest first."""
    return {"retries": [described(row) for row in retries.newest(LISTED)]}


def cancel_retry(retry_id: str, *, retries: RetryStore, who: str | None = None) -> dict[str, Any]:
    """End a retry for `who`, and return it; the media objects that it has begun go on. A repeat changes nothing.

    Raises:
        NotFound: there is no such retry.
        Conflict: the retry has ended otherwise.
    """
    _get(retry_id, retries)
    retries.cancel(retry_id, who)
    row = _get(retry_id, retries)
    if row["status"] != "canceled":
        raise Conflict(f"retry {retry_id} has ended: it is {row['status']}")
    return described(row)


def described(row: RetryRow) -> dict[str, Any]:
    """Return what the API shows of a retry."""
    shown = (
        *("retry_id", "status", "reason", "started_by", "canceled_by"),
        *("requested_at", "until", "ended_at", "filters"),
    )
    counts = {name: row.get(name, 0) for name in ("seen", "begun")}
    public = {name: value for name, value in row.items() if name in shown}
    return {**public, "counts": {**counts, "refused": row.get("refused", {})}}


def _get(retry_id: str, retries: RetryStore) -> RetryRow:
    row = retries.find(retry_id) if _RETRY_ID.fullmatch(retry_id) else None
    if row is None:
        raise NotFound(f"no retry {retry_id}")
    return row


def _ended(retries: RetryStore, machine: Machine, now: datetime) -> str | None:
    """Return the id of the latest retry, which has ended; None if there was none.

    One whose execution does not run any more is ended as failed.
    """
    latest = retries.latest()
    row = retries.find(latest) if latest else None
    if row is None or row["status"] not in UNFINISHED:
        return latest
    is_starting = row["status"] == "queued" and now - datetime.fromisoformat(row["requested_at"]) < GRACE
    if is_starting or machine.is_running(row["retry_id"]):
        raise Conflict(f"retry {latest} is at work: wait for its end, or cancel it")
    retries.end(row["retry_id"], "failed", "its execution ended without a result")
    return latest
