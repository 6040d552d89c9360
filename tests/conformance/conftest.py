"""A scene for each provider of the registry; a new provider is tested here without a change."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from events import receive_result_event
from recording_insights.providers.registry import PROVIDERS, capabilities_of
from routes import receive_callback
from tests.conformance.scene import REPLIES, SECRET, Scene
from tests.transcribe_in_process import LocalCloud, behind, local_cloud
from tests.unit.environment import ENVIRONMENT
from tests.unit.wired import rewire


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """Forbid calls to the network."""


@pytest.fixture(params=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> str:
    """The name of each provider in turn."""
    return str(request.param)


MakeScene = Callable[..., Scene]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """The code of the local cloud, for services of AWS."""
    with local_cloud() as cloud:
        behind(cloud, monkeypatch)
        yield cloud


@pytest.fixture
def make_scene(provider: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[MakeScene]:
    """Make scenes to which the two handlers of callbacks and events are connected."""
    scenes: list[Scene] = []

    def make(**changes: Any) -> Scene:
        if capabilities_of(provider).aws_service:
            changes["cloud"] = request.getfixturevalue("cloud")
        scene = Scene(provider, receive_callback.handler, receive_result_event.handler, **changes)
        scenes.append(scene)
        rewire(
            monkeypatch,
            *(receive_callback, receive_result_event),
            media=scene.store,
            replies=scene.replies,
            provider_for=lambda name: scene.provider,
            end_wait=scene.woken.append,
        )
        return scene

    for name, value in {**ENVIRONMENT, "PROVIDERS": f'["{provider}"]', "REPLIES_BUCKET": REPLIES}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("wiring.read_secret", lambda name, keys: {"key": SECRET})
    yield make
    for scene in scenes:
        scene.close()


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """A media object before its submission."""
    return make_scene()
