"""What Step Functions evaluates in the local cloud is recorded with the value of `$states`."""

from pathlib import Path
from typing import Any

import pytest
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from sandbox.cloud.emulator.evaluations import FOLDER_VARIABLE, Evaluation, record_evaluations, recorded

CONTEXT = {"QueryLanguage": "JSONata", "State": {"Name": "Greet"}}


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the evaluations of this process."""
    monkeypatch.setattr(stepfunctions, "_evaluate_jsonata", stepfunctions._evaluate_jsonata)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    record_evaluations()
    return tmp_path


def greet(output: str) -> Any:
    state = {"Type": "Pass", "Output": output, "End": True}
    return stepfunctions._execute_pass(state, {"name": "Ann"}, CONTEXT)


def test_each_evaluation_is_recorded_once(folder: Path) -> None:
    for _ in range(2):
        greet("{% 'Hello ' & $states.input.name %}")

    states = {"input": {"name": "Ann"}, "context": CONTEXT}
    assert list(recorded(folder)) == [Evaluation("Greet", "'Hello ' & $states.input.name", states, "Hello Ann")]


def test_an_expression_without_a_value_is_recorded_as_failed(folder: Path) -> None:
    with pytest.raises(stepfunctions._ExecutionError):
        greet("{% $states.input.surname %}")

    [evaluation] = recorded(folder)
    assert evaluation.value is None
    assert "did not return a result" in str(evaluation.failed)


def test_nothing_is_recorded_unless_a_folder_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE)
    greet("{% $states.input.name %}")
    assert list(folder.iterdir()) == []
