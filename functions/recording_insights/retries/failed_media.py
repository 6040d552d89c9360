"""The failed media objects that a retry of many is about, in an order that a later call can go on in."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recording_insights.model.parts import is_overwritten
from recording_insights.retries.request import STATUSES
from recording_insights.store.media import MediaStore
from recording_insights.store.newest_first import recordings_with
from recording_insights.store.rows import MediaRow, RetryCursor


@dataclass(frozen=True)
class Found:
    """The media objects of a recording, each with the cursor behind it, and the `cursor` before all of them."""

    cursor: RetryCursor
    media: list[tuple[MediaRow, RetryCursor]]


def failed_media(
    store: MediaStore,
    filters: Mapping[str, Any],
    *,
    until: str,
    cursor: RetryCursor | None = None,
    begun_since: str = "",
) -> Iterator[Found]:
    """Yield the media objects of the recordings with a failed one, newest recording first.

    Each recording comes with those that fit the filters: they failed until that moment, and no newer version of the
    object arrived. With the `cursor` of an earlier call, the first recording is the one that it names, whatever its
    status is now. Of this one, also those come whose new try has `begun_since`.
    """
    statuses = [filters["status"]] if "status" in filters else list(STATUSES)
    if cursor:
        statuses = statuses[statuses.index(cursor["status"]) :]
        rows = _rows(store, cursor)
        begun = [row for row in rows if _holds(has_begun_since, row, begun_since)]
        yield _found([*begun, *_fitting(rows, filters, until)], cursor)
    for status in statuses:
        after = cursor["place"] if cursor and cursor["status"] == status else ""
        for recording, place in recordings_with(store.recordings, status, after=after):
            if recording["created_at"] <= until:
                here: RetryCursor = {"status": status, "place": place, "media": ""}
                yield _found(_fitting(_rows(store, here), filters, until), here)


def has_begun_since(row: MediaRow, moment: str) -> bool:
    """Return whether the present try of a media object is a retry that began after that moment."""
    return "began_from" in row and row.get("waiting_since", "") >= moment


def _rows(store: MediaStore, cursor: RetryCursor) -> list[MediaRow]:
    _, _, recording_id = cursor["place"].partition(" ")
    return store.recordings.media_rows(recording_id)


def _found(rows: Iterable[MediaRow], cursor: RetryCursor) -> Found:
    left = sorted((row for row in rows if row["sk"] > cursor["media"]), key=lambda row: row["sk"])
    return Found(cursor, [(row, {**cursor, "media": row["sk"]}) for row in left])


def _fitting(rows: Sequence[MediaRow], filters: Mapping[str, Any], until: str) -> list[MediaRow]:
    return [row for row in rows if _holds(_fits, row, filters, until) and not _holds(is_overwritten, row, rows)]


def _holds(check: Callable[..., bool], *arguments: Any) -> bool:
    """Return whether a check holds; False for a row that somebody has changed by hand so that nobody can tell."""
    try:
        return check(*arguments)
    except (KeyError, TypeError, AttributeError):
        return False


def _fits(row: MediaRow, filters: Mapping[str, Any], until: str) -> bool:
    return (
        row.get("status") == "failed"
        and filters.get("since", "") <= row.get("finished_at", "") <= until
        and filters.get("reason_code") in (None, row.get("reason_code"))
        and filters.get("provider") in (None, row.get("provider"))
        and row.get("key", "").startswith(filters.get("prefix", ""))
    )
