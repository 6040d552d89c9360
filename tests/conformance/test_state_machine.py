"""The suite runs the definition that the stack has: what the definition does not say fails here."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest

from recording_insights.errors import ItemTooLarge
from recording_insights.processing.progress import Outcome
from recording_insights.providers.registry import PROVIDERS
from states import save_insights
from tests.conformance.conftest import MakeScene
from tests.conformance.scene import Scene
from tests.conformance.state_machine import DEFAULTS, NoWay, State, StateMachine, value_of, words_of_choice

CHOICE = "Job finished?"
WORDS = ("awaiting", "running", "succeeded", "submit")
STATE = {"outcome": "submit", "wait_seconds": 5}


def changed(definition: Mapping[str, Any], state: str, **changes: Any) -> dict[str, Any]:
    """Return a copy of the definition with other fields of one state."""
    copied: dict[str, Any] = copy.deepcopy(dict(definition))
    copied["States"][state].update(changes)
    return copied


def without_branch(definition: Mapping[str, Any], word: str) -> dict[str, Any]:
    """Return a copy of the definition in which "Job finished?" has no branch for one outcome."""
    branches = definition["States"][CHOICE]["Choices"]
    left = [branch for branch in branches if f"'{word}'" not in branch["Condition"]]
    assert len(left) == len(branches) - 1
    return changed(definition, CHOICE, Choices=left)


def machine(definition: Mapping[str, Any], outcome: str = "succeeded") -> StateMachine:
    """Return a machine whose tasks have this outcome."""
    tasks = [name for name, state in definition["States"].items() if state["Type"] == "Task"]

    def work(entry: Mapping[str, Any], state: State) -> State:
        return {**state, "outcome": outcome}

    return StateMachine(definition, dict.fromkeys(tasks, work), lambda seconds: None)


def test_every_outcome_has_a_branch_or_is_named_as_a_default(definition: Mapping[str, Any]) -> None:
    choices = {name: entry for name, entry in definition["States"].items() if entry["Type"] == "Choice"}
    branches = {name: set(words_of_choice(entry)) for name, entry in choices.items()}

    assert branches.keys() == DEFAULTS.keys()
    assert all(branches[name].isdisjoint(words) for name, words in DEFAULTS.items())
    assert set().union(*branches.values(), *DEFAULTS.values()) == set(get_args(Outcome))


@pytest.mark.parametrize("outcome", [*WORDS, "postponed"])
def test_an_outcome_without_a_branch_fails(definition: Mapping[str, Any], outcome: str) -> None:
    cut = without_branch(definition, outcome) if outcome in WORDS else definition

    with pytest.raises(NoWay, match=rf"the outcome {outcome} has no branch in Job finished\?"):
        list(machine(cut, outcome).run(STATE))


def test_a_recording_that_needs_a_branch_that_is_gone_fails(
    make_scene: MakeScene, definition: Mapping[str, Any]
) -> None:
    scene = make_scene(definition=without_branch(definition, "succeeded"))

    with pytest.raises(NoWay, match="the outcome succeeded has no branch"):
        scene.run()


def test_a_task_without_a_function_fails(definition: Mapping[str, Any]) -> None:
    known = machine(definition)

    with pytest.raises(NoWay, match="no function does the task Wait"):
        replace(known, definition=changed(definition, "Wait", Type="Task"))


@pytest.mark.parametrize(
    ("state", "changes", "outcome"),
    [
        (CHOICE, {"Choices": [{"Condition": "{% $states.input.attempt > 3 %}", "Next": "Wait"}]}, "running"),
        (CHOICE, {"Choices": [{"Condition": "{% $states.input.outcome != 'failed' %}", "Next": "Wait"}]}, "running"),
        ("Wait", {"Seconds": "{% 2 * $states.input.wait_seconds %}"}, "running"),
        ("Save insights", {"Output": "{% $states.result %}"}, "succeeded"),
        ("Wait", {"Type": "Pass"}, "running"),
    ],
)
def test_a_form_that_is_not_known_fails(
    definition: Mapping[str, Any], state: str, changes: Mapping[str, Any], outcome: str
) -> None:
    with pytest.raises(NoWay):
        list(machine(changed(definition, state, **changes), outcome).run(STATE))


def test_an_argument_of_a_form_that_is_not_known_fails() -> None:
    with pytest.raises(NoWay, match=r"not known: \$uuid\(\)"):
        value_of("Await callback", {"Key": {"pk": {"S": "{% $uuid() %}"}}}, {"input": STATE})


@pytest.mark.parametrize(
    ("task", "outcome"),
    [
        ("Prepare media", "prepare"),
        ("Submit recording", "submit"),
        ("Poll job", "running"),
        ("Save insights", "succeeded"),
    ],
)
def test_a_fault_of_each_task_is_reported_with_its_name(definition: Mapping[str, Any], task: str, outcome: str) -> None:
    reported: list[State] = []

    def fail(entry: Mapping[str, Any], state: State) -> State:
        raise ItemTooLarge("too large")

    def report(entry: Mapping[str, Any], state: State) -> State:
        reported.append(state)
        return {"reason": "too large"}

    steps = machine(definition, outcome)
    steps = replace(steps, tasks={**steps.tasks, task: fail, "Report failure": report})
    list(steps.run({**STATE, "outcome": "prepare" if outcome == "prepare" else "submit"}))

    [state] = reported
    assert (state["failed_state"], state["error"]["Error"]) == (task, "ItemTooLarge")


@pytest.mark.parametrize("provider", [next(iter(PROVIDERS))])
def test_a_fault_of_a_function_is_caught_and_reported(scene: Scene) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ItemTooLarge("the summary does not fit into one item")

    scene.patch.setattr(save_insights, "save_insights", fail)

    assert scene.run() == "failed"
    assert scene.reason.endswith("does not fit into an item of the table: the summary does not fit into one item")
    assert scene.entered[-3:] == ["Save insights", "Report failure", "Recording failed"]
