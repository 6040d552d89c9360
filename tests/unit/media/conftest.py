"""The store that arrivals are written to."""

import pytest

from recording_insights.store.media import MediaStore


@pytest.fixture
def store(media_store: MediaStore) -> MediaStore:
    return media_store
