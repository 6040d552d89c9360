"""Recorders at the beginnings of their watches."""

from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.store.recordings import RecordingStore
from recording_insights.workflow.watch_progress import Watch
from tests.unit.api.conftest import FakeClock
from tests.unit.api.watch.scene import Scene


@pytest.fixture
def scene(start: Any, store: RecordingStore, agora: AgoraClient, clock: FakeClock) -> Scene:
    """A recorder that Agora has just named."""
    return Scene(store, agora, clock, Watch.begin(start().recording))


@pytest.fixture
def recording(scene: Scene) -> Scene:
    """A recorder that is known to record."""
    scene.turn()
    assert scene.row["status"] == "recording"
    return scene
