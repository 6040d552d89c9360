"""Recordings, newest first, from any place on."""

from collections.abc import Iterator

from recording_insights.store.recordings import Position, RecordingStore, position
from recording_insights.store.rows import RecordingRow

_AT_ONCE = 100


def newest_first(
    store: RecordingStore, status: str | None, *, before: Position | None = None, at_once: int = _AT_ONCE
) -> Iterator[RecordingRow]:
    """Yield the recordings of a status, or all, that stand before a position; `at_once` of them are read at a time."""
    while True:
        found = store.newest(status, at_once, before=before)
        yield from found
        if len(found) < at_once:
            return
        before = position(found[-1])


def recordings_with(store: RecordingStore, status: str, *, after: str = "") -> Iterator[tuple[RecordingRow, str]]:
    """Yield each recording that has the status, and its place, a text that a later call may begin `after`."""
    created_at, _, recording_id = after.partition(" ")
    before = (created_at, recording_id) if after else None
    for recording in newest_first(store, status, before=before):
        yield recording, " ".join(position(recording))
