"""A scene for each provider of the registry; a new provider is tested here without a change."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from events import receive_result_event
from recording_insights.aws import clients
from recording_insights.providers.registry import PROVIDERS, capabilities_of
from routes import receive_callback
from tests.conformance.scene import REPLIES, SECRET, Scene
from tests.transcribe_in_process import LocalCloud, behind, local_cloud
from tests.unit.environment import ENVIRONMENT


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
        wake = scene.woken.append
        for module in (receive_callback, receive_result_event):
            monkeypatch.setattr(module, "MediaStore", lambda table: scene.store)
            monkeypatch.setattr(module, "ReplyStore", lambda s3, bucket: scene.replies)
        monkeypatch.setattr(receive_callback, "adapter_of", lambda name: scene.provider)
        monkeypatch.setattr(clients, "end_wait", wake)
        monkeypatch.setattr(clients, "s3", lambda: scene.s3)
        monkeypatch.setattr(clients, "table", lambda name: scene.table)
        return scene

    for name, value in {**ENVIRONMENT, "PROVIDERS": f'["{provider}"]', "REPLIES_BUCKET": REPLIES}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WEBHOOK_SECRET", "webhook-secret-name")
    monkeypatch.setattr(receive_callback, "read_secret", lambda name, keys: {"key": SECRET})
    for module in (receive_callback, receive_result_event):
        module.settings.cache_clear()
    yield make
    for scene in scenes:
        scene.close()
    for module in (receive_callback, receive_result_event):
        module.settings.cache_clear()


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """A media object before its submission."""
    return make_scene()
