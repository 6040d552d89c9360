"""Repeats every evaluation that tests recorded, under the reference implementation of JSONata."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lint_cloud.environments import PROJECT, ToolFailed, run_script
from sandbox.cloud.emulator.evaluations import FOLDER_VARIABLE, Evaluation, expression_of, recorded

TESTS = ("tests/conformance", "tests/workflow")
"""They go through both state machines, in this process and in the local cloud."""
PLANTED = Evaluation("planted", "$states.input.outcome = 'over'", {"input": {"outcome": "running"}}, value=True)
"""A wrong value. A comparison that does not notice it is broken."""

Answer = dict[str, Any]
Place = tuple[str, str]
"""A state and an expression in it."""


@dataclass(frozen=True)
class Difference:
    """An evaluation, and what the reference makes of it: a value or the message of a failure."""

    evaluation: Evaluation
    reference: Answer


def record_evaluations(folder: Path, workers: int, report: Callable[[str], None]) -> list[Evaluation]:
    """Run the tests, and return what they evaluated. `report` gets a line now and then.

    Raises:
        ToolFailed: a test failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "-m", "not matrix", *TESTS]
    environment = {**os.environ, FOLDER_VARIABLE: str(folder)}
    lines = []
    with subprocess.Popen(  # noqa: S603 - fixed arguments
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as tests:
        for line in tests.stdout or ():
            lines.append(line.rstrip())
            if lines[-1].endswith("%]"):
                report(lines[-1])
    if tests.returncode:
        raise ToolFailed("\n".join(["The tests that record evaluations fail:", *lines[-40:]]))
    return list(recorded(folder))


def ask_reference(evaluations: Sequence[Evaluation]) -> list[Answer]:
    """Return what the reference makes of each expression: a `value`, or why it `failed`.

    Raises:
        ToolFailed: the reference implementation is not installed.
    """
    answers: list[Answer] = run_script("evaluate.cjs", [asdict(evaluation) for evaluation in evaluations])
    return answers


def differences(
    evaluations: Sequence[Evaluation], ask: Callable[[Sequence[Evaluation]], list[Answer]] = ask_reference
) -> list[Difference]:
    """Return the evaluations with another value than the reference's, or with a value where it has none.

    Raises:
        ToolFailed: the comparison does not notice the planted wrong value.
    """
    asked = [PLANTED, *evaluations]
    found = [
        Difference(evaluation, answer)
        for evaluation, answer in zip(asked, ask(asked), strict=True)
        if not _same(evaluation, answer)
    ]
    if not found or found[0].evaluation is not PLANTED:
        raise ToolFailed("The comparison with the reference does not notice a wrong value.")
    return found[1:]


def _same(evaluation: Evaluation, answer: Answer) -> bool:
    if evaluation.failed is not None or "failed" in answer:
        return evaluation.failed is not None and "failed" in answer
    return _as_json(evaluation.value) == _as_json(answer["value"])


def _as_json(value: Any) -> str:
    """A text that is the same for equal values only: in Python, True equals 1. In JSON, 1 is 1.0."""
    return json.dumps(json.loads(json.dumps(value), parse_int=float), sort_keys=True)


def never_evaluated(definitions: Iterable[dict[str, Any]], evaluations: Iterable[Evaluation]) -> list[Place]:
    """Return the expressions of definitions that no evaluation has, each with its state."""
    evaluated = {(evaluation.state, evaluation.expression) for evaluation in evaluations}
    return sorted({place for definition in definitions for place in places_of(definition)} - evaluated)


def places_of(definition: dict[str, Any]) -> Iterator[Place]:
    """Yield each expression of a definition with its state."""
    for name, state in definition["States"].items():
        for text in _texts(state):
            if expression := expression_of(text):
                yield name, expression


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for inner in value.values() for text in _texts(inner))
    elif isinstance(value, list):
        yield from (text for inner in value for text in _texts(inner))
