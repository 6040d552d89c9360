"""The state machine of the stack, run in this process: its definition decides the way, Python does its tasks.

Only the forms of JSONata are known that the definition has. Any other form fails, as does an outcome that a Choice
does not name. A Retry is left out: a task that failed once in this process fails again.
"""

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from typing import Any

from sandbox.cloud.emulator.evaluations import Evaluation, expression_of, record

State = Mapping[str, Any]
"""The input or the output of a state."""
Task = Callable[[Mapping[str, Any], State], "State | Iterator[None] | Generator[None, None, State]"]

DEFAULTS: Mapping[str, frozenset[str]] = {
    "Media prepared?": frozenset(),
    "Job finished?": frozenset(),
    "Fault passes?": frozenset({"prepare", "submit", "running", "succeeded"}),
    "Go on where?": frozenset(),
}
"""The outcomes that each Choice may send to its Default. Every other outcome needs a branch of its own."""
DEFAULTS_OF_WATCH: Mapping[str, frozenset[str]] = {"Recording over?": frozenset()}
"""The same for the state machine that watches a recording."""

_OUTCOME = re.compile(r"\$states\.input\.outcome = '(\w+)'")
NO_OUTCOME = "$not($exists($states.input.outcome))"
_SECONDS = "{% $states.input.wait_seconds %}"
_OUTPUTS = ("{% $states.input %}", "{% $states.result.Payload %}")
_MERGED = re.compile(r"\$merge\(\[\$states\.input, \{(?P<fields>.+)\}\]\)")
_FIELD = r"'(\w+)': (?:'([\w ]*)'|(\d+)|(true)|\$states\.(\w+(?:\.\w+)*))"
_FIELDS = re.compile(f"{_FIELD}(?:, {_FIELD})*")
_PATH = re.compile(r"(?:'(?P<before>[^']*)' & )?\$states\.(?P<path>\w+(?:\.\w+)*)")


class NoWay(AssertionError):
    """The definition does not say what comes next, or says it in a form that this interpreter does not know."""


class TaskTimedOut(Exception):
    """A task exceeded its TimeoutSeconds."""


@dataclass(frozen=True)
class StateMachine:
    """A definition in Amazon States Language, with a function for each Task by its name.

    A task takes the definition of its state and the input, and returns the output. One that waits may be a generator:
    it yields as long as it waits, and may return an output. `pass_time` is called with the seconds of each Wait.
    `defaults` are the outcomes that each Choice may send to its Default.

    Raises:
        NoWay: a Task has no function.
    """

    definition: Mapping[str, Any]
    tasks: Mapping[str, Task]
    pass_time: Callable[[int], None]
    defaults: Mapping[str, frozenset[str]] = field(default_factory=lambda: DEFAULTS)

    def __post_init__(self) -> None:
        names = {name for name, state in self.definition["States"].items() if state["Type"] == "Task"}
        if missing := names - set(self.tasks):
            raise NoWay(f"no function does the task {', '.join(sorted(missing))}")

    def run(self, state: State) -> Iterator[str]:
        """Go through the states from the start to an end, and yield the name of each after it is through.

        While a task waits, its yields are passed on as an empty name.

        Raises:
            NoWay: an outcome has no branch, or a form is not known.
            AssertionError: a task raised it. All other exceptions of a task go to its Catch.
        """
        name: str | None = self.definition["StartAt"]
        while name is not None:
            present = name
            name, state = yield from self._step(name, state)
            yield present

    def _step(self, name: str, state: State) -> Generator[str, None, tuple[str | None, State]]:
        entry = self.definition["States"][name]
        match entry["Type"]:
            case "Choice":
                return next_of_choice(name, entry, state, self.defaults), state
            case "Wait":
                if entry["Seconds"] != _SECONDS and not isinstance(entry["Seconds"], int):
                    raise NoWay(f"{name} waits for {entry['Seconds']}")
                self.pass_time(value_of(name, entry["Seconds"], {"input": state}))
                return entry["Next"], state
            case "Task":
                return (yield from self._do(name, entry, state))
            case "Succeed" | "Fail":
                return None, state
        raise NoWay(f"{name} has the type {entry['Type']}")

    def _do(self, name: str, entry: Mapping[str, Any], state: State) -> Generator[str, None, tuple[str | None, State]]:
        try:
            result = self.tasks[name](entry, state)
            if isinstance(result, Iterator):
                result = yield from _waited(result)
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001 - States.ALL
            return _caught(name, entry, state, error)
        if entry["Output"] not in _OUTPUTS:
            raise NoWay(f"{name} puts out {entry['Output']}")
        output = value_of(name, entry["Output"], {"input": state, "result": {"Payload": result}})
        return (None if entry.get("End") else entry["Next"]), output


def _waited(task: Iterator[None]) -> Generator[str, None, State]:
    """Pass on the yields of a task that waits as empty names, and return its output."""
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value or {}
        yield ""


def value_of(name: str, written: Any, states: Mapping[str, Any]) -> Any:
    """Return a field of the state `name` with the values of its expressions; `states` is the value of `$states`.

    Raises:
        NoWay: an expression has a form that is not known.
    """
    if isinstance(written, dict):
        return {field: value_of(name, inner, states) for field, inner in written.items()}
    expression = expression_of(written)
    if expression is None:
        return written
    value = _evaluate(expression, states)
    record(Evaluation(name, expression, states, value))
    return value


def _evaluate(expression: str, states: Mapping[str, Any]) -> Any:
    if matched := _OUTCOME.fullmatch(expression):
        return states["input"].get("outcome") == matched[1]
    if expression == NO_OUTCOME:
        return "outcome" not in states["input"]
    if (matched := _MERGED.fullmatch(expression)) and _FIELDS.fullmatch(matched["fields"]):
        return {**states["input"], **_fields_of(matched["fields"], states)}
    if matched := _PATH.fullmatch(expression):
        value = _value_at(matched["path"], states)
        return value if matched["before"] is None else matched["before"] + value
    raise NoWay(f"a form that is not known: {expression}")


def _value_at(path: str, states: Mapping[str, Any]) -> Any:
    return reduce(getitem, path.split("."), states)


def _fields_of(fields: str, states: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an object: each is a text, a whole number, true, or a path."""
    values: dict[str, Any] = {}
    for name, text, number, flag, path in re.findall(_FIELD, fields):
        values[name] = _value_at(path, states) if path else int(number) if number else bool(flag) or text
    return values


def words_of_choice(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the next state for each outcome that a branch of a Choice names."""
    words = {}
    for branch in entry["Choices"]:
        condition = expression_of(branch["Condition"]) or ""
        matched = _OUTCOME.fullmatch(condition)
        if condition == NO_OUTCOME:
            continue
        if not matched:
            raise NoWay(f"a branch has the condition {branch['Condition']}")
        words[matched[1]] = branch["Next"]
    return words


def next_of_choice(name: str, entry: Mapping[str, Any], state: State, defaults: Mapping[str, frozenset[str]]) -> str:
    """Return the state that a Choice sends an outcome to.

    Raises:
        NoWay: no branch names the outcome, and it is not one of its `defaults`.
    """
    for branch in entry["Choices"]:
        if value_of(name, branch["Condition"], {"input": state}):
            return str(branch["Next"])
    if state["outcome"] not in defaults.get(name, ()):
        raise NoWay(f"the outcome {state['outcome']} has no branch in {name}")
    return str(entry["Default"])


def _caught(name: str, entry: Mapping[str, Any], state: State, error: Exception) -> tuple[str, State]:
    """Return the next state after an exception, and its input, as Lambda and Step Functions put it."""
    kind = "States.Timeout" if isinstance(error, TaskTimedOut) else type(error).__name__
    catches = (catch for catch in entry.get("Catch", ()) if {kind, "States.ALL"} & set(catch["ErrorEquals"]))
    catch = next(catches, None)
    if catch is None:
        raise NoWay(f"{name} catches no error") from error
    cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
    raised = {"Error": kind, "Cause": cause}
    return catch["Next"], value_of(name, catch["Output"], {"input": state, "errorOutput": raised})
