"""Where worlds are made: one for each run, all with the definitions of the same stack."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from recording_insights.providers.registry import capabilities_of
from tests.conformance.definitions import definition_of, make_stack
from tests.faults.aws import Call
from tests.faults.scenes import SCENES
from tests.faults.world import World
from tests.transcribe_in_process import LocalCloud, behind, local_cloud

JOB_SECONDS = 20
"""Of the runs that go through all calls: a job that is polled has few polls."""


@dataclass
class Bench:
    """Makes worlds. `close` ends what they share."""

    shared: ExitStack = field(default_factory=ExitStack)
    clean: dict[tuple[str, str], list[Call]] = field(default_factory=dict)
    """The calls of a run in which nothing breaks, by the provider and the name of the scene."""

    @contextmanager
    def world(self, provider: str, **changes: Any) -> Iterator[World]:
        """A new world, in which everything is well."""
        with pytest.MonkeyPatch.context() as patch:
            if capabilities_of(provider).aws_service:
                behind(self._cloud, patch)
                changes["cloud"] = self._cloud
            definitions: Any = dict(zip(("definition", "watch_definition"), self._definitions, strict=True))
            world = World(provider, patch=patch, **definitions, **changes)
            try:
                yield world
            finally:
                world.close()

    def calls(self, provider: str, scene: str) -> list[Call]:
        """Return the calls of a scene in which nothing breaks, up to the last that is not the sweep's."""
        if (provider, scene) not in self.clean:
            with redirect_stdout(StringIO()), self.world(provider, job_seconds=JOB_SECONDS) as world:
                SCENES[scene](world)
                world.settle()
                last = max(place for place, call in enumerate(world.aws.seen) if call.function != "sweep")
                self.clean[provider, scene] = world.aws.seen[: last + 1]
        return self.clean[provider, scene]

    @cached_property
    def _definitions(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            stack = make_stack(Path(folder))
            machines = stack.workflow.state_machine, stack.watch.state_machine
            return definition_of(stack, machines[0]), definition_of(stack, machines[1])

    @cached_property
    def _cloud(self) -> LocalCloud:
        return self.shared.enter_context(local_cloud())

    def close(self) -> None:
        """End the local cloud."""
        self.shared.close()
