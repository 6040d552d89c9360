"""Retry the media objects of a recording: those that failed, or one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from recording_insights.deadline import Deadline
from recording_insights.errors import Conflict, NotFound
from recording_insights.media.executions import begin
from recording_insights.model.parts import is_overwritten, place
from recording_insights.model.status import FINAL
from recording_insights.model.tries import number_of_try
from recording_insights.processing.reopen import reopen
from recording_insights.providers.registry import validate_options
from recording_insights.recordings.derivation import DerivationOf, without_model
from recording_insights.retries.order import Order, why_refused
from recording_insights.retries.request import RetryRequest
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow, RecordingChanges, RecordingRow

MOST_AT_ONCE = 100
"""Media objects of one call."""
RESERVE_SECONDS = 6.0
"""Time that is left for the media object at work and for the answer."""


class Executions(Protocol):
    """The executions that process media objects, by their names."""

    def start(self, *, name: str, state: str) -> bool: ...

    def is_running(self, name: str) -> bool: ...


@dataclass
class Starter:
    """An `ExecutionStarter` that notes whether it has started an execution."""

    executions: Executions
    started: bool = False

    def __call__(self, *, name: str, state: str) -> bool:
        if self.executions.start(name=name, state=state):
            self.started = True
            return True
        return self.executions.is_running(name)


def retry_recording(
    recording_id: str,
    request: RetryRequest,
    *,
    store: MediaStore,
    executions: Executions,
    deadline: Deadline,
    derivation_of: DerivationOf = without_model,
    who: str | None = None,
) -> dict[str, Any]:
    """Begin a new try of a media object of a recording, or of every one that failed, and say which began.

    Without a `media_id`, at most 100 media objects are looked at: those that may be retried come first. `remaining`
    counts the others, for another call. An unfinished media object only gets its execution, if none works on it. If all
    are done, `force` retries each of them. `who` is the caller's name, for the rows.

    What the request wants derived, by `derivation_of`, is on the recording's row before the first try begins.

    Returns `{"recording_id", "media": [{"media_id", "from", "provider", "try"}], "not_retried": [{"media_id",
    "reason"}], "remaining"}`.

    Raises:
        NotFound: there is no such recording or media object.
        RecordingErased: the recording was erased, or is being erased.
        Conflict: none was retried; says why.
        InvalidRequest: the options are none of a media object's provider, or insights are wanted that the stack does
            not derive.
    """
    derivation = derivation_of(request.insights)
    recording = store.recordings.get_changeable(recording_id)
    chosen = _chosen(recording, store.recordings.media_rows(recording_id), request)
    for row in chosen:
        if request.order.options:
            validate_options(request.order.provider or row["provider"], request.order.options)
    if request.insights is not None and any(_may_begin(row, request.order) for row in chosen):
        changes: RecordingChanges = {"derivation": derivation}
        if derivation is None:
            changes |= {"insights": None, "insights_code": None, "insights_reason": None}
        store.recordings.update(recording_id, changes)
    begun: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    for row in chosen[:MOST_AT_ONCE]:
        if (begun or refused) and deadline.seconds_left < RESERVE_SECONDS:
            break
        try:
            begun.append(_named(retry(row, request.order, store=store, executions=executions, who=who)))
        except Conflict as conflict:
            refused.append({"media_id": row["media_id"], "reason": str(conflict)})
    if not begun:
        more = f"; and {len(chosen) - 1} more media objects were not retried" if len(chosen) > 1 else ""
        raise Conflict(refused[0]["reason"] + more)
    remaining = len(chosen) - len(begun) - len(refused)
    return {"recording_id": recording_id, "media": begun, "not_retried": refused, "remaining": remaining}


def retry(
    row: MediaRow, order: Order, *, store: MediaStore, executions: Executions, who: str | None = None
) -> MediaRow:
    """Begin a new try of a media object that ended, and its execution, for `who`; return the row.

    A media object that is unfinished, and that no execution works on, gets its execution.

    Raises:
        Conflict: it is at work, is done or was refused for good (both without `force`), has nothing to begin from, or
            was changed by somebody else.
    """
    start = Starter(executions)
    if row.get("status") not in FINAL:
        at_work = f"media object {row['media_id']} is at work: its status is {row.get('status')}"
        if not order.is_that_of(row):
            raise Conflict(f"{at_work}; if no execution runs, a retry with an empty body starts it")
        if not (begin(row, store=store, start_execution=start) and start.started):
            raise Conflict(at_work)
        return row
    if refusal := why_refused(row, order):
        raise Conflict(refusal)
    reopened = reopen(
        row,
        store=store,
        start=order.start,
        provider=order.other_provider(row),
        options=order.other_options(row),
        force=order.force,
        who=who,
    )
    begin(reopened, store=store, start_execution=start)
    return reopened


def _chosen(recording: RecordingRow, rows: Sequence[MediaRow], request: RetryRequest) -> list[MediaRow]:
    """Return the media objects to be retried, at least one: those that are most likely to be come first."""
    recording_id, status = recording["recording_id"], recording["status"]
    if request.media_id:
        chosen = [row for row in rows if row["media_id"] == request.media_id]
        if not chosen:
            raise NotFound(f"recording {recording_id} has no media object {request.media_id}")
        return chosen
    if not rows:
        raise Conflict(f"recording {recording_id} has no media object to retry: its status is {status}")
    latest = [row for row in rows if not is_overwritten(row, rows)]
    unfinished = [row for row in latest if row.get("status") != "done"]
    if not unfinished and not request.order.force:
        raise Conflict(
            f"recording {recording_id} is {status}, and none of its media objects failed; "
            "with force each is processed again, and new jobs are paid for"
        )
    if not unfinished and len(latest) > MOST_AT_ONCE:
        raise Conflict(f"recording {recording_id} has {len(latest)} media objects that are done: name one by media_id")

    def likely_first(row: MediaRow) -> tuple[int, Any]:
        rank = 1 if row.get("status") not in FINAL else 2 if why_refused(row, request.order) else 0
        return rank, place(row)

    return sorted(unfinished or latest, key=likely_first)


def _may_begin(row: MediaRow, order: Order) -> bool:
    return (row.get("status") == "failed" or (row.get("status") == "done" and order.force)) and not why_refused(
        row, order
    )


def _named(row: MediaRow) -> dict[str, Any]:
    begins = "media" if row.get("status") != "submitted" else "saved" if "reply" in row else "job"
    return {
        "media_id": row["media_id"],
        "from": begins,
        "provider": row["provider"],
        "try": number_of_try(row),
    }
