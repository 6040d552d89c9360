"""The store of recordings, a recording that is under way, and its stop."""

from typing import Any

import pytest

from recording_insights.recordings.stop import stop_recording
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock


@pytest.fixture
def store(recording_store: RecordingStore) -> RecordingStore:
    return recording_store


@pytest.fixture
def stop(store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    return lambda recording_id: stop_recording(recording_id, store=store, agora=agora, deadline=clock.deadline())


@pytest.fixture
def running(start: Any) -> dict[str, Any]:
    return dict(start().recording)
