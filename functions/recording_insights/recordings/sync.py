"""Sync: whole recordings with their insights, in the order of their changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recording_insights.deadline import Deadline
from recording_insights.model.status import ENDED
from recording_insights.recordings.derived_answer import state_shown
from recording_insights.recordings.insights_answer import ANSWER_BYTES, whole_insights
from recording_insights.recordings.list import LARGEST_PAGE, MOST_READ, USUAL_PAGE, cursor_of_changes, cursor_of_place
from recording_insights.recordings.transcript_page import response_bytes
from recording_insights.store.changes import BEGINNING, Change
from recording_insights.store.insights import InsightStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow
from recording_insights.validation import Reader, moment, object_of, whole_number_in_text

PAGE_BYTES = 5_000_000
"""Of one answer, as Lambda counts it. A recording that is longer has an answer of its own, up to `ANSWER_BYTES`."""
_RESERVE_SECONDS = 10.0
"""To read one more recording: the longest takes some seconds."""

SYNCED = ("updated_at", "version", "duration_ms", "reference", "metadata")
"""The attributes of a recording's row that an entry shows, beside its insights."""


@dataclass(frozen=True)
class Sync:
    """Reads what changed."""

    store: RecordingStore
    insights: InsightStore
    deadline: Deadline

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return recordings that ended, in the order of their changes: `{"recordings": […], "cursor": …, "more": …}`.

        `query` may hold `updated_since`, the `cursor` of an earlier answer, and `limit` (1 to 100). A recording that
        was erased has the status `erased` and nothing else. One that is too long for an answer has `read_at`, the path
        where it is read page by page, and no insights. `more` says whether the next call may be made at once.

        Raises:
            InvalidRequest: names the parameter that is unknown or wrong.
        """
        wanted = object_of(SYNC_PARAMETERS)("", query)
        place = max(wanted.get("updated_since", BEGINNING), wanted.get("cursor", BEGINNING))
        room = PAGE_BYTES
        page: list[dict[str, Any]] = []
        for number, (change, entry) in enumerate(self._entries(place), start=1):
            if entry:
                room -= response_bytes(entry)
                if room < 0 and page:
                    return _answer(page, place, more=True)
                page.append(entry)
            place = change.place
            is_full = len(page) == wanted.get("limit", USUAL_PAGE) or number == MOST_READ
            if is_full or self.deadline.seconds_left < _RESERVE_SECONDS:
                return _answer(page, place, more=True)
        return _answer(page, place, more=False)

    def _entries(self, place: str) -> Iterator[tuple[Change, dict[str, Any] | None]]:
        """Yield the changes after a place, each with its entry; None if the recording has not ended or moved on."""
        for change in self.store.changes.after(place):
            if change.is_erased:
                yield change, {"recording_id": change.recording_id, "status": "erased"}
            else:
                yield change, self._entry(change)

    def _entry(self, change: Change) -> dict[str, Any] | None:
        recording = self.store.find(change.recording_id)
        if recording is None or not _is_due(recording, change):
            return None
        collection = self.insights.read(change.recording_id)
        # It may have changed while it was read: then it comes at its new place.
        if not _is_due(collection.recording, change):
            return None
        shown = {name: value for name, value in collection.recording.items() if name in SYNCED}
        entry = {**whole_insights(change.recording_id, collection), **shown}
        if response_bytes(entry) <= ANSWER_BYTES:
            return entry
        return {
            "recording_id": change.recording_id,
            "status": recording["status"],
            **state_shown(collection),
            **shown,
            "read_at": f"/recordings/{change.recording_id}/insights",
        }


def _is_due(recording: RecordingRow, change: Change) -> bool:
    return recording.get("status") in ENDED and change.is_last_of(recording)


def _answer(page: list[dict[str, Any]], place: str, *, more: bool) -> dict[str, Any]:
    return {"recordings": page, "cursor": cursor_of_place(place), "more": more}


SYNC_PARAMETERS: Mapping[str, Reader[Any]] = {
    "updated_since": moment,
    "cursor": cursor_of_changes,
    "limit": whole_number_in_text(1, LARGEST_PAGE),
}
"""The query parameters of a sync."""
