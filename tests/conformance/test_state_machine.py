"""The suite runs the definition that the stack has: what the definition does not say fails here."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError

from recording_insights.errors import ItemTooLarge
from recording_insights.processing.progress import Outcome
from recording_insights.providers.registry import PROVIDERS
from states import poll_job, save_insights
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
    """Return a machine whose tasks have this outcome; a fault is about the content."""
    tasks = [name for name, state in definition["States"].items() if state["Type"] == "Task"]

    def work(entry: Mapping[str, Any], state: State) -> State:
        return {**state, "outcome": outcome}

    def report(entry: Mapping[str, Any], state: State) -> State:
        return {**state, "outcome": "failed"}

    return StateMachine(definition, {**dict.fromkeys(tasks, work), "Report fault": report}, lambda seconds: None)


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


@pytest.mark.parametrize(("provider", "word"), [("marsview", "running"), ("symbl", "awaiting")])
def test_functions_of_a_later_version_may_return_an_outcome_that_the_definition_does_not_know(
    make_scene: MakeScene, definition: Mapping[str, Any], word: str
) -> None:
    scene = make_scene(definition=without_branch(definition, word), defaults={**DEFAULTS, CHOICE: frozenset({word})})

    assert (scene.run(), scene.paid) == ("done", 1)
    at = scene.entered.index("Wait after unknown outcome")
    assert scene.entered[at - 2 : at + 2] == ["Submit recording", CHOICE, "Wait after unknown outcome", "Poll job"]


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
        return state if len(reported) == 1 else {**state, "outcome": "failed", "reason": "too large"}

    steps = machine(definition, outcome)
    steps = replace(steps, tasks={**steps.tasks, task: fail, "Report fault": report})
    entered = list(steps.run({**STATE, "outcome": "prepare" if outcome == "prepare" else "submit"}))

    first, second = reported
    assert (first["failed_state"], first["error"]["Error"]) == (task, "ItemTooLarge")
    assert (second["failed_state"], second["outcome"]) == (task, outcome), "it went on where the fault was"
    assert (
        entered[-9:]
        == [
            *(task, "Report fault", "Fault passes?", "Wait for repair", "Go on where?"),
            *(task, "Report fault", "Fault passes?", "Report failure", "Recording failed"),
        ][-9:]
    )


@pytest.mark.parametrize("provider", [next(iter(PROVIDERS))])
def test_a_fault_of_a_function_is_caught_and_reported(scene: Scene) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ItemTooLarge("the summary does not fit into one item")

    scene.patch.setattr(save_insights, "save_insights", fail)

    assert scene.run() == "failed"
    assert scene.reason.endswith("does not fit into an item of the table: the summary does not fit into one item")
    assert scene.entered[-4:] == ["Report fault", "Fault passes?", "Report failure", "Recording failed"]


@pytest.mark.parametrize("provider", [next(iter(PROVIDERS))])
@pytest.mark.parametrize(("module", "task"), [(poll_job, "Poll job"), (save_insights, "Save insights")])
def test_a_paid_job_outlives_a_day_without_aws(scene: Scene, module: ModuleType, task: str) -> None:
    """AWS fails often enough to fill more than a day of growing waits; nothing is submitted again."""
    function = task.lower().replace(" ", "_")
    work, faults = getattr(module, function), iter(range(100))

    def fail(*args: Any, **given: Any) -> Any:
        if next(faults, None) is None:
            return work(*args, **given)
        reasons.append(scene.row.get("reason_code"))
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "away"}}, "GetItem")

    reasons: list[str | None] = []
    scene.patch.setattr(module, function, fail)

    assert scene.run() == "done"
    assert scene.clock.elapsed > 24 * 3600
    assert (scene.paid, scene.entered.count("Submit recording")) == (1, 1)
    assert set(reasons[1:]) == {"aws_unavailable"}
    assert (scene.reason, scene.row.get("reason_code")) == ("", None)
