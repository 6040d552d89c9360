"""Evaluations of the expressions in state machines, recorded so that another implementation can repeat them.

Nothing is recorded unless the environment names a folder for it.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source

FOLDER_VARIABLE = "EVALUATIONS_FOLDER"
"""The environment variable with the folder. Each process writes a file of its own there."""
_writing = threading.Lock()


@dataclass(frozen=True)
class Evaluation:
    """What an expression of a state became.

    `expression` is the text between `{%` and `%}`, without blanks around it. `states` is the value of `$states`.
    `failed` is the message if there is no value.
    """

    state: str
    expression: str
    states: Mapping[str, Any]
    value: Any = None
    failed: str | None = None


def expression_of(written: Any) -> str | None:
    """Return the text between `{%` and `%}`; None if a field of a definition is no expression."""
    if isinstance(written, str) and written.startswith("{%") and written.endswith("%}"):
        return written[2:-2].strip()
    return None


def record(evaluation: Evaluation) -> None:
    """Append a line to this process's file, if the environment names a folder."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return
    line = json.dumps(asdict(evaluation), sort_keys=True)
    with _writing, Path(folder, f"{os.getpid()}.jsonl").open("a") as file:
        file.write(f"{line}\n")


def recorded(folder: Path) -> Iterator[Evaluation]:
    """Yield every evaluation of a folder once."""
    lines = {line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()}
    yield from (Evaluation(**json.loads(line)) for line in sorted(lines))


def record_evaluations() -> None:
    """Record what Step Functions evaluates.

    Raises:
        RuntimeError: the installed ministack evaluates expressions in another way.
    """
    from ministack.services import stepfunctions  # type: ignore[import-untyped]

    require_parameters(stepfunctions._evaluate_jsonata, "expression", "raw_input", "ctx", "result", "error_output")
    require_source(stepfunctions._evaluate_jsonata, '"errorOutput": error_output', '"context": ctx')
    evaluate = stepfunctions._evaluate_jsonata

    @wraps(evaluate)
    def evaluate_and_record(
        expression: str, raw_input: Any, ctx: Any = None, result: Any = None, error_output: Any = None
    ) -> Any:
        context = {"State": {"Name": ""}, **(ctx or {})}
        given = {"input": raw_input, "result": result, "errorOutput": error_output, "context": context}
        # A state without a result or an error has none of them, not even null.
        states = {name: value for name, value in given.items() if value is not None or name == "input"}
        name = context["State"]["Name"]
        try:
            value = evaluate(expression, raw_input, ctx, result, error_output)
        except stepfunctions._ExecutionError as error:
            record(Evaluation(name, expression, states, failed=str(error.cause)))
            raise
        record(Evaluation(name, expression, states, value))
        return value

    stepfunctions._evaluate_jsonata = evaluate_and_record
