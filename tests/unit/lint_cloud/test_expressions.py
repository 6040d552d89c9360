"""Evaluations are compared with the reference, and expressions that nothing evaluates are found."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lint_cloud.environments import ToolFailed
from lint_cloud.expressions import PLANTED, Answer, differences, never_evaluated, places_of
from sandbox.cloud.emulator.evaluations import Evaluation

DEFINITION = {
    "StartAt": "Greet",
    "States": {
        "Greet": {
            "Type": "Task",
            "Arguments": {"Payload": "{% $states.input %}", "Lines": ["{% $states.input.name %}", "plain"]},
            "Catch": [{"Output": {"reason": "{% $states.errorOutput.Error %}"}, "Next": "End"}],
            "Next": "End",
        },
        "End": {"Type": "Succeed", "Output": "{% $states.input %}"},
    },
}


def evaluation(value: Any = None, failed: str | None = None) -> Evaluation:
    return Evaluation("Greet", "$states.input", {"input": 1}, value, failed)


def reference(answer: Answer) -> Callable[[Sequence[Evaluation]], list[Answer]]:
    """A reference that knows that the planted value is wrong, and gives this answer for every other evaluation."""
    return lambda asked: [{"value": False} if one is PLANTED else answer for one in asked]


@pytest.mark.parametrize(
    ("ours", "answer"),
    [
        (evaluation(1), {"value": 2}),
        (evaluation(1), {"value": True}),
        (evaluation(0), {"value": False}),
        (evaluation([1]), {"value": 1}),
        (evaluation({"a": 1}), {"value": {"a": 1, "b": None}}),
        (evaluation(None), {"failed": "no result"}),
        (evaluation(failed="no result"), {"value": None}),
    ],
)
def test_another_value_is_a_difference(ours: Evaluation, answer: Answer) -> None:
    [difference] = differences([ours], reference(answer))
    assert (difference.evaluation, difference.reference) == (ours, answer)


@pytest.mark.parametrize(
    ("ours", "answer"),
    [
        (evaluation({"a": 1, "b": [1.0]}), {"value": {"b": [1], "a": 1}}),
        (evaluation(None), {"value": None}),
        (evaluation(failed="T2010: words of one"), {"failed": "T2010: words of another"}),
    ],
)
def test_the_same_value_is_none(ours: Evaluation, answer: Answer) -> None:
    assert differences([ours], reference(answer)) == []


def test_a_comparison_that_notices_no_planted_value_fails() -> None:
    def agrees(asked: Sequence[Evaluation]) -> list[Answer]:
        return [{"value": one.value} for one in asked]

    with pytest.raises(ToolFailed, match="does not notice a wrong value"):
        differences([evaluation(1)], agrees)


def test_an_expression_is_evaluated_in_its_own_state() -> None:
    places = list(places_of(DEFINITION))
    assert places == [
        ("Greet", "$states.input"),
        ("Greet", "$states.input.name"),
        ("Greet", "$states.errorOutput.Error"),
        ("End", "$states.input"),
    ]
    evaluated = [Evaluation(state, expression, {}) for state, expression in places]
    assert never_evaluated([DEFINITION], evaluated) == []
    assert never_evaluated([DEFINITION], evaluated[:-1]) == [("End", "$states.input")]
