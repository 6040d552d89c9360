"""The recordings of a status, newest first, from any place on."""

from collections.abc import Iterator

from recording_insights.store.recordings import RecordingStore, position
from recording_insights.store.rows import RecordingRow

_AT_ONCE = 100


def recordings_with(store: RecordingStore, status: str, *, after: str = "") -> Iterator[tuple[RecordingRow, str]]:
    """Yield each recording that has the status, and its place, a text that a later call may begin `after`."""
    created_at, _, recording_id = after.partition(" ")
    before = (created_at, recording_id) if after else None
    while found := store.newest(status, _AT_ONCE, before=before):
        for recording in found:
            before = position(recording)
            yield recording, " ".join(before)
