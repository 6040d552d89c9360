"""Recorders at the beginnings of their watches."""

from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.progress import Watch
from tests.unit.agora.fake_agora import FakeAgora
from tests.unit.agora.fake_sts import FakeSts
from tests.unit.fakes import FakeClock
from tests.unit.watch.scene import Scene, renewals, until_due


@pytest.fixture
def store(recording_store: RecordingStore) -> RecordingStore:
    return recording_store


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


@pytest.fixture
def due(recording: Scene, vendor: FakeAgora, sts: FakeSts) -> Scene:
    """A recorder whose credentials will be an hour old at the next look."""
    until_due(recording)
    assert renewals(vendor) == []
    assert len(sts.requests) == 1, "the one of the start"
    return recording
