"""The store of recordings, a recording that is under way, and its stop."""

from typing import Any

import pytest

from recording_insights.recordings.stop import stop_recording
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow
from tests.unit.fakes import FakeClock


@pytest.fixture
def store(recording_store: RecordingStore) -> RecordingStore:
    return recording_store


@pytest.fixture
def stop_watches() -> list[RecordingRow]:
    """The recordings of the stops that a watch follows."""
    return []


@pytest.fixture
def stop(store: RecordingStore, agora: Any, clock: FakeClock, stop_watches: list[RecordingRow]) -> Any:
    return lambda recording_id: stop_recording(
        recording_id, store=store, agora=agora, deadline=clock.deadline(), watch_stop=stop_watches.append
    )


@pytest.fixture
def running(start: Any) -> dict[str, Any]:
    return dict(start().recording)
