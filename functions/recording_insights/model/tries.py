"""Tries: a try is one provider's work at a media object, with one job at most.

The row of a media object holds the present try, also after it has ended. Each earlier try is an item of its own. The
tries of a media object are numbered from 0.
"""

from collections.abc import Iterator
from typing import Literal, cast

from recording_insights.store.rows import Job, MediaChanges, MediaRow, TryRow

JOB_ATTRIBUTES = (
    *("provider", "residency", "job", "job_number", "options", "delivery", "callback_at", "callback_job"),
)
"""The attributes of a try that lead to its job; a try that takes over the job of another one gets them."""
RESULT_ATTRIBUTES = ("reply", "missing", "counts", "outline", "words")
SHOWN_ATTRIBUTES = (
    *(*JOB_ATTRIBUTES, *RESULT_ATTRIBUTES),
    *("began_from", "retried_by", "submitted_at", "polls", "last_word"),
)
"""The attributes of the try whose insights are shown."""
_WHY = ("stage", "reason", "reason_code")
_KEPT = (*SHOWN_ATTRIBUTES, *("waiting_since", "renewals", "execution", "canceled_by"), *_WHY)


def number_of_try(row: MediaRow) -> int:
    """Return the number of the present try. Earlier versions had a list of the jobs that were given up."""
    return row["try_number"] if "try_number" in row else len(row.get("given_up", ()))


def is_shown(row: MediaRow) -> bool:
    """Return whether the present try is the one whose insights are shown."""
    return row["status"] == "done" and row.get("shown_try", number_of_try(row)) == number_of_try(row)


def ended_try(row: MediaRow, status: Literal["done", "failed", "given up"], ended_at: str) -> TryRow:
    """Return the item of the present try of a media object, which ended at `ended_at`.

    `paid_ms` is the length of the media, if the provider accepted it and if the length is known.
    """
    attributes = {name: value for name, value in row.items() if name in _KEPT}
    paid = {"paid_ms": row["duration_ms"]} if "submitted_at" in row and "duration_ms" in row else {}
    ended = {"status": status, "ended_at": row.get("finished_at", ended_at)}
    numbered = _numbered(row, number_of_try(row))
    return cast(TryRow, {**numbered, **attributes, **paid, **ended})


def earlier_jobs(row: MediaRow) -> Iterator[TryRow]:
    """Yield the items of the jobs that an earlier version listed as given up in the row of the media object."""
    for number, given_up in enumerate(row.get("given_up", ())):
        ended = {"status": "given up", "ended_at": given_up["at"]}
        known = {name: value for name, value in given_up.items() if name in ("provider", "job", "reason")}
        yield cast(TryRow, {**_numbered(row, number), **known, **ended})


def tried_providers(row: MediaRow) -> list[str]:
    """Return the providers that have given up on the media object since it was last retried, and the present one."""
    before = row.get("tried", [given_up["provider"] for given_up in row.get("given_up", ())])
    return list(dict.fromkeys((*before, row["provider"])))


def taken_over(earlier: MediaRow | TryRow) -> MediaChanges:
    """Return the attributes of a new try that takes over the job and the reply of an earlier one."""
    names = (*JOB_ATTRIBUTES, "reply", "missing")
    taken = {name: value for name, value in earlier.items() if name in names}
    return cast(MediaChanges, {**taken, "job_number": number_of_job(earlier)})


def number_of_job(row: MediaRow | TryRow) -> int:
    """Return the number in the name of the job: that of the try which submitted it."""
    if "job_number" in row:
        return row["job_number"]
    return cast(TryRow, row)["number"] if "number" in row else number_of_try(cast(MediaRow, row))


def _numbered(row: MediaRow, number: int) -> TryRow:
    return {"recording_id": row["recording_id"], "media_id": row["media_id"], "number": number}


def confirmed_job(row: MediaRow) -> Job | None:
    """Return the job that a callback confirms, of a submission that got no response; None if it confirms none.

    A callback with neither an id nor a result confirms nothing: a provider whose jobs have names of ours finds the job.
    """
    if "unconfirmed" not in row or "callback_job" not in row:
        return None
    job = {**row.get("job", {}), **row["callback_job"]}
    return job if job or "delivery" in row else None
