"""The state machine that derives insights, run in this process by its definition: every branch and every Catch."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from recording_insights.derive import steps
from recording_insights.errors import ProviderBusy
from tests.conformance.definitions import definition_of
from tests.conformance.scene import plain
from tests.conformance.state_machine import State, StateMachine, TaskTimedOut, value_of
from tests.unit.crashing_table import CrashingTable
from tests.unit.derive.derivation_scene import DerivationScene
from tests.unit.derive.fake_model import ScriptedModel, nothing

if TYPE_CHECKING:
    from infra.stack import RecordingInsightsStack

DERIVE, CHOOSE, TURN = "Derive insights", "More to derive?", "Await turn"
DEFAULTS = {CHOOSE: frozenset({"later"})}


@pytest.fixture(scope="module")
def definition(stack: "RecordingInsightsStack") -> Mapping[str, Any]:
    assert stack.derivation is not None
    return definition_of(stack, stack.derivation.state_machine)


class Run:
    """One execution. `before` is called before each call of the function, with its number, and may raise."""

    def __init__(self, definition: Mapping[str, Any], scene: DerivationScene) -> None:
        self.scene = scene
        self.before: Callable[[int], State | None] = lambda number: None
        self.waits: list[int] = []
        self.calls = self.tokens = 0
        tasks: dict[str, Any] = {DERIVE: self._derive, TURN: self._await_turn}
        self.machine = StateMachine(definition, tasks, self._pass_time, DEFAULTS)
        name = scene.begin()
        assert name is not None
        self.state = json.loads(scene.executions[name])

    def run(self) -> list[str]:
        return [name for name in self.machine.run(self.state) if name]

    def _derive(self, entry: Mapping[str, Any], state: State) -> State:
        self.calls += 1
        return self.before(self.calls) or self.scene.step(state)

    def _pass_time(self, seconds: int) -> None:
        self.waits.append(seconds)
        self.scene.clock.elapsed += seconds

    def _await_turn(self, entry: Mapping[str, Any], state: State) -> State:
        """Write the token as the definition says; then wait to the end, unless somebody has ended the wait."""
        self.tokens += 1
        token = f"token-{self.tokens}"
        write = value_of(TURN, entry["Arguments"], {"input": state, "context": {"Task": {"Token": token}}})
        self.scene.table.update_item(
            Key=plain(write["Key"]),
            UpdateExpression=write["UpdateExpression"],
            ConditionExpression=write["ConditionExpression"],
            ExpressionAttributeValues=plain(write["ExpressionAttributeValues"]),
        )
        self.while_it_waits()
        if token in self.scene.woken:
            return {}
        self.scene.clock.elapsed += value_of(TURN, entry["TimeoutSeconds"], {"input": state})
        raise TaskTimedOut

    while_it_waits: Callable[[], None] = staticmethod(lambda: None)


@pytest.fixture
def run(definition: Mapping[str, Any]) -> Callable[..., Run]:
    return lambda *answers, **scene: Run(
        definition, DerivationScene(CrashingTable(), ScriptedModel(*(answers or (nothing(),))), **scene)
    )


def passed(*more: str) -> Sequence[str]:
    """The way through, with what comes between the first choice and the last call."""
    return [DERIVE, CHOOSE, *more, DERIVE, CHOOSE, "Derived"]


def test_one_part_is_one_call(run: Callable[..., Run]) -> None:
    one = run()
    assert one.run() == [DERIVE, CHOOSE, "Derived"]
    assert one.scene.recording["insights"] == "done"


def test_parts_follow_each_other_without_a_wait(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PART_TOKENS", 60)
    several = run()
    names = several.run()
    assert names == [DERIVE, CHOOSE] * several.calls + ["Derived"]
    assert (several.calls > 2, several.waits) == (True, [])


def test_a_busy_model_is_tried_again_after_a_time_out(run: Callable[..., Run]) -> None:
    busy = run(ProviderBusy("slower"), nothing())
    assert busy.run() == passed(TURN)
    assert (busy.scene.recording["insights"], busy.scene.clock.elapsed) == ("done", 10)


def test_a_slot_that_is_free_ends_the_wait(run: Callable[..., Run]) -> None:
    other: Any = {"recording_id": "f" * 32, "media_id": "other", "provider": "bedrock", "waiting_since": "2026"}
    waiting = run(slots=1)
    assert waiting.scene.turns.take(other).goes
    waiting.while_it_waits = lambda: waiting.scene.turns.give_back(other)
    assert waiting.run() == passed(TURN)
    assert (waiting.scene.woken, waiting.scene.clock.elapsed) == (["token-1"], 0)


def test_a_turn_that_came_before_the_wait_is_taken(run: Callable[..., Run]) -> None:
    early = run(ProviderBusy("slower"), nothing())
    write = early.scene.table.update_item

    def called(**arguments: Any) -> Any:
        if "task_token" in arguments["UpdateExpression"]:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "UpdateItem")
        return write(**arguments)

    early.scene.table.update_item = called
    early.before = lambda number: early._pass_time(10) if number == 2 else None
    assert early.run() == passed(TURN)


def test_a_fault_waits_for_its_repair_and_goes_on(run: Callable[..., Run]) -> None:
    faulty = run()

    def fail(number: int) -> State | None:
        if number < 3:
            raise RuntimeError("AWS is away")
        return None

    faulty.before = fail
    assert faulty.run() == [DERIVE, "Wait for repair"] * 2 + [DERIVE, CHOOSE, "Derived"]
    assert faulty.waits == [600, 600]
    assert faulty.scene.recording["insights"] == "done"


def test_an_outcome_of_a_later_version_waits_and_decides_anew(run: Callable[..., Run]) -> None:
    later = run()
    later.before = lambda number: {**later.state, "outcome": "later"} if number == 1 else None
    assert later.run() == passed("Wait after unknown outcome")
    assert later.waits == [300]
