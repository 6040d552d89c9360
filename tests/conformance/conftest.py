"""A scene for each provider of the registry; a new provider is tested here without a change."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from recording_insights.providers.registry import PROVIDERS, capabilities_of
from tests.conformance.definitions import definition_of, make_stack
from tests.conformance.journey import Journey
from tests.conformance.scene import Scene
from tests.transcribe_in_process import LocalCloud, behind, local_cloud
from tests.ways_of_waiting import each_provider

if TYPE_CHECKING:
    from infra.stack import RecordingInsightsStack


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """Forbid calls to the network."""


@pytest.fixture(params=each_provider(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> str:
    """The name of each provider in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> "RecordingInsightsStack":
    """The stack's constructs."""
    return make_stack(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="session")
def definition(stack: "RecordingInsightsStack") -> Mapping[str, Any]:
    """The definition of the state machine that processes media objects."""
    return definition_of(stack, stack.workflow.state_machine)


@pytest.fixture(scope="session")
def watch_definition(stack: "RecordingInsightsStack") -> Mapping[str, Any]:
    """The definition of the state machine that watches a recording."""
    return definition_of(stack, stack.watch.state_machine)


MakeScene = Callable[..., Scene]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """The code of the local cloud, for services of AWS."""
    with local_cloud() as cloud:
        behind(cloud, monkeypatch)
        yield cloud


Travel = Callable[..., Journey]
"""Makes a journey with a provider."""


@pytest.fixture
def travel(
    definition: Mapping[str, Any],
    watch_definition: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Travel]:
    """Make a journey. The functions are wired to the last one."""
    journeys: list[Journey] = []

    def make(provider: str, **changes: Any) -> Journey:
        if capabilities_of(provider).aws_service:
            changes["cloud"] = request.getfixturevalue("cloud")
        definitions: Any = {"definition": definition, "watch_definition": watch_definition}
        journeys.append(Journey(provider, patch=monkeypatch, **definitions, **changes))
        return journeys[-1]

    yield make
    for journey in journeys:
        journey.close()


@pytest.fixture
def make_scene(
    provider: str, definition: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[MakeScene]:
    """Make scenes. The functions are wired to the last one."""
    scenes: list[Scene] = []

    def make(**changes: Any) -> Scene:
        if capabilities_of(provider).aws_service:
            changes["cloud"] = request.getfixturevalue("cloud")
        scenes.append(Scene(provider, **{"definition": definition, "patch": monkeypatch, **changes}))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.close()


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """A media object before its submission."""
    return make_scene()
