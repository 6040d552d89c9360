"""The store of recordings."""

import pytest

from recording_insights.store.recordings import RecordingStore


@pytest.fixture
def store(recording_store: RecordingStore) -> RecordingStore:
    return recording_store
