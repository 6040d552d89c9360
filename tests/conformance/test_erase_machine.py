"""The state machine that erases, run in this process by its definition: every branch, and its Catch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from infra.erase import FAULT_SECONDS
from tests.conformance.definitions import definition_of
from tests.conformance.state_machine import State, StateMachine

if TYPE_CHECKING:
    from infra.stack import RecordingInsightsStack

ERASE = "Erase page"


def test_a_page_that_fails_is_waited_for_and_repeated(stack: "RecordingInsightsStack") -> None:
    begun = {"recording_id": "a" * 32}
    answers: list[State | Exception] = [
        RuntimeError("after all retries"),
        {**begun, "outcome": "more", "wait_seconds": 5},
        {**begun, "outcome": "of a later version"},
        {**begun, "outcome": "over", "wait_seconds": 0},
    ]
    given: list[State] = []
    waits: list[int] = []

    def erase(entry: Mapping[str, Any], state: State) -> State:
        given.append(state)
        answer = answers[len(given) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    machine = StateMachine(
        definition_of(stack, stack.erases.state_machine),
        {ERASE: erase},
        waits.append,
        {"More to erase?": frozenset({"of a later version"})},
    )
    names = list(machine.run(begun))

    assert waits[:2] == [FAULT_SECONDS, 5]
    assert [name for name in names if name == ERASE] == [ERASE] * 4
    assert names[-1] == "Erased"
    assert given[1] == {**begun, "wait_seconds": FAULT_SECONDS}
    assert given[2]["outcome"] == "more", "the next page gets what the one before left"
