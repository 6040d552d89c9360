"""Fixtures of every suite."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.cloud.local_stack import LocalStack

EVENTS = Path(__file__).parent / "events"


@pytest.fixture(scope="session")
def captured_event() -> Callable[[str], dict[str, Any]]:
    """Reads an event of tests/events, as AWS delivers it; each call gives a new copy to change."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return event

    return read


@pytest.fixture(scope="session")
def stack() -> "Iterator[LocalStack]":
    """The stack, deployed once to a local cloud of its own; waits run a hundred times faster than the clock."""
    from recording_insights.providers.registry import PROVIDERS
    from sandbox.cloud.lifecycle import running_stack
    from sandbox.cloud.location import PROJECT, Location

    location = Location(PROJECT / ".local" / "test", cloud_port=4766, sandbox_port=9200)
    default = "marsview"
    others = [name for name in PROVIDERS if name != default]
    prefixes = {**{f"via/{name}/": name for name in PROVIDERS}, "via/two/": "symbl,transcribe"}
    context = {
        "provider": default,
        # Each provider with its own default options: the local stack's are for the demo.
        "submitCeilingMinutes": "10",
        "pollCeilingMinutes": "20",
        "lateFilesMinutes": "5",
        "callbackWaitSeconds": "8",
        "otherProviders": ",".join(others),
        "prefixProviders": json.dumps(prefixes),
    }
    with running_stack(context, location) as running:
        running.set_wait_scale(0.01)
        yield running


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first seconds of the sample conversation: two sentences, quickly recognised."""
    from tests.deployed import cut_sample

    return cut_sample(tmp_path_factory.mktemp("media") / "clip.mp4", seconds=6.0)
