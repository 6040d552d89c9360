"""Fixtures of every suite, and how a run is divided among workers and summed up."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_summary import RunSummary, cpu_seconds_of_groups
from tests.work_groups import GroupScheduling, order

if TYPE_CHECKING:
    from sandbox.cloud.local_stack import LocalStack

EVENTS = Path(__file__).parent / "events"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cpu-budget", type=float, metavar="SECONDS", help="fail if the run needs more CPU time than this"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RunSummary(config), "run_summary")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    config.option.loadscopereorder = False
    return GroupScheduling(config, log)


@pytest.fixture(scope="session")
def captured_event() -> Callable[[str], dict[str, Any]]:
    """Reads an event of tests/events, as AWS delivers it; each call gives a new copy to change."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return event

    return read


@pytest.fixture(scope="session")
def stack(
    worker_id: str, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> "Iterator[LocalStack]":
    """A deployed stack: the one that `make up TESTS=1` left up, otherwise one of this worker's own.

    An own stack has free ports and a new folder, so that runs and workers do not disturb each other. At its end,
    everything that it wrote is searched for secrets. No model reads the transcripts but where a test wants it, by the
    fixture `reading_model`: it would read those of every other test too.
    """
    from sandbox.cloud.context import tests_context
    from sandbox.cloud.lifecycle import running_stack, stack_that_is_up
    from sandbox.cloud.location import Location
    from tests.deployed import let_model_read
    from tests.secrecy import assert_nothing_secret_was_written

    left_up = Location.of_tests(os.environ)
    if worker_id == "master" and (up := stack_that_is_up(left_up, tests_context())):
        let_model_read(up, reads=False)
        yield up
        return
    own = Location.free(tmp_path_factory.mktemp("stack", numbered=True))
    with running_stack(tests_context(), own) as running:
        let_model_read(running, reads=False)
        yield running
        assert_nothing_secret_was_written(running)
        summary: Any = pytestconfig.pluginmanager.get_plugin("run_summary")
        summary.add(cpu_seconds_of_groups({process.pid for process in running.processes}))


@pytest.fixture
def reading_model(stack: "LocalStack") -> Iterator[None]:
    """A model reads the transcripts that are ready during the test."""
    from tests.deployed import let_model_read

    let_model_read(stack, reads=True)
    yield
    let_model_read(stack, reads=False)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first seconds of the sample conversation: two sentences."""
    from tests.deployed import cut_sample

    return cut_sample(tmp_path_factory.mktemp("media") / "clip.mp4", seconds=6.0)
