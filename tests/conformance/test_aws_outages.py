"""AWS takes no calls for a while, behind a job that is paid for: nothing is given up, and no job is paid for twice.

The outage begins at a call that a function makes to the table or to a bucket, at each of them in turn, and ends by the
clock of the scene. Meanwhile no call works, those of the states included. Tasks have no retries here, so an outage of
any length reaches the state machine.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from events import receive_result_event
from routes import receive_callback
from tests.conformance.conftest import MakeScene
from tests.conformance.scene import TASKS, Scene
from tests.conformance.test_counts import CALLS_BACK, DELIVERS, POLLED, SENDS_RESULT
from tests.unit.fake_table import FakeTable

FUNCTIONS = {"Poll job": TASKS["Poll job"], "Save insights": TASKS["Save insights"]}
RECEIVERS: dict[str, ModuleType] = {
    CALLS_BACK: receive_callback,
    DELIVERS: receive_result_event,
    SENDS_RESULT: receive_result_event,
}
CALLS = [(provider, name) for provider in (POLLED, CALLS_BACK, DELIVERS, SENDS_RESULT) for name in FUNCTIONS]
CALLS += [(provider, "callback") for provider in RECEIVERS]
CASES = [(*call, seconds) for call in CALLS for seconds in (30, 60, 300, 600)]
ALWAYS = (POLLED, "Save insights", 60)
MOST_CALLS = 60


@dataclass
class Outage:
    """Begins at the call `at` of a function, from 1 on, and lasts so many seconds."""

    at: int
    seconds: int
    now: Callable[[], float] = lambda: 0.0
    calls: int = 0
    is_within: bool = False
    ends: float | None = None

    @contextmanager
    def within(self) -> Iterator[None]:
        """Count calls to AWS here."""
        self.is_within = True
        try:
            yield
        finally:
            self.is_within = False

    def meet(self) -> None:
        """Fail as AWS does, if it is away."""
        self.calls += self.is_within
        if self.ends is None and self.is_within and self.calls == self.at:
            self.ends = self.now() + self.seconds
        if self.ends is not None and self.now() < self.ends:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "sorry"}}, "AnyCall")


@dataclass(repr=False)
class TableOfOutage(FakeTable):
    """Meets an outage in each call."""

    outage: Outage = field(default_factory=lambda: Outage(0, 0))

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name in ("get_item", "query", "put_item", "update_item", "delete_item", "transact_write_items"):
            return partial(_meeting, self.outage, value)
        return value


def _meeting(outage: Outage, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    outage.meet()
    return call(*arguments, **named)


def run_with(make_scene: MakeScene, patch: pytest.MonkeyPatch, function: ModuleType, outage: Outage) -> Scene:
    """Take a media object through the workflow while AWS is away for a time."""
    table = TableOfOutage()
    scene = make_scene(table=table)
    table.outage = outage
    outage.now = lambda: scene.clock.elapsed
    for method in ("get_object", "put_object"):
        patch.setattr(scene.s3, method, partial(_meeting, outage, getattr(scene.s3, method)))
    original, announce, finish = function.handler, scene._announce_reply, scene._finish_jobs
    missed: list[str] = []

    def handler(event: Any, context: Any) -> Any:
        with outage.within():
            return original(event, context)

    def announce_again(key: str) -> None:
        """Lambda calls a function that failed for an event again, at last by way of the dead letters."""
        try:
            announce(key)
        except ClientError:
            missed.append(key)

    def finish_and_announce() -> None:
        finish()
        again, missed[:] = missed[:], []
        for key in again:
            announce_again(key)

    with patch.context() as only_here:
        only_here.setattr(function, "handler", handler)
        only_here.setattr(scene, "_announce_reply", announce_again)
        only_here.setattr(scene, "_finish_jobs", finish_and_announce)
        scene.run(is_counted=False)
    return scene


@pytest.mark.parametrize(
    ("provider", "function", "seconds"),
    [pytest.param(*case, marks=() if case == ALWAYS else pytest.mark.matrix) for case in CASES],
)
def test_a_paid_job_is_not_given_up(
    make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch, provider: str, function: str, seconds: int
) -> None:
    module = RECEIVERS[provider] if function == "callback" else FUNCTIONS[function]
    for at in range(1, MOST_CALLS):
        outage = Outage(at, seconds)
        scene = run_with(make_scene, monkeypatch, module, outage)
        assert (scene.row["status"], scene.paid) == ("done", 1), (at, scene.row, scene.entered)
        assert scene.insights().transcript
        if outage.ends is None:
            break
    assert 3 < at < MOST_CALLS - 1
