"""Each count of a sweep has a meaning, the last one is found in the log, and one that failed is said."""

import ast
import io
import json
import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from operations.deployed_stack import OperationFailed
from operations.sweep_stage import COUNTS, STEPS, last_sweep, read_counts, sweep_at_once
from recording_insights.processing.callbacks import CallbackOutcome
from recording_insights.sweep.state_measures import MADE_GOOD
from tests.docs.pages import PROJECT
from tests.unit.operations.fake_logs import FakeLogs

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
NOON = int(NOW.timestamp() * 1000)
GROUP = "Sweep-Log"


def swept(**counts: Any) -> str:
    return json.dumps({"level": "INFO", "message": "swept", "counts": counts})


class FakeLambda:
    def __init__(self, payload: Any = None, **answer: Any) -> None:
        self.answer = {"Payload": io.BytesIO(json.dumps(payload).encode()), **answer}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        return {"LoggingConfig": {"LogGroup": GROUP}}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert json.loads(Payload) == {"at_once": True}
        return self.answer


def test_every_step_of_the_code_is_named_in_its_order() -> None:
    tree = ast.parse((PROJECT / "functions/events/sweep.py").read_text())
    [steps] = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "steps"
    ]
    assert steps is not None
    assert re.findall(r"'(\w+)':", ast.unparse(steps)) == [*STEPS]


def test_every_count_of_the_code_has_a_meaning() -> None:
    sources = [path.read_text() for path in (PROJECT / "functions/recording_insights/sweep").glob("*.py")]
    others = ("processing/callbacks.py", "recordings/await_upload.py")
    sources += [(PROJECT / "functions/recording_insights" / name).read_text() for name in others]
    said = {each for source in sources for each in re.findall(r'(?:return|else) "([a-z_ ]+)"(?: if |\n)', source)}
    counted = {each for source in sources for each in re.findall(r'counts\["(\w+)"\]', source)}
    named = {f"{kind}_{what}" for kind in ("media", "segments", "insights") for what in ("begun", "at_work")}
    assert MADE_GOOD | {*get_args(CallbackOutcome)} | said | counted | named <= COUNTS.keys()


def test_the_last_sweep_is_read_from_the_log_and_a_busy_one_is_none() -> None:
    logs = FakeLogs()
    for minutes, line in ((-90, swept(turns={"freed": 1})), (-30, swept(turns={"woken": 2})), (-1, swept(busy=True))):
        logs.write(GROUP, NOON + minutes * 60_000, line)
    logs.write(GROUP, NOON, 'no JSON, but "swept"')
    found = last_sweep(FakeLambda(), logs, "sweep", NOW)
    assert found is not None
    assert (found.ended_at, [(line.count, line.number) for line in found.lines]) == (
        "2026-11-27T11:30:00+00:00",
        [("woken", 2)],
    )


def test_a_sweep_of_days_ago_is_found_and_one_of_weeks_ago_is_not() -> None:
    logs = FakeLogs()
    logs.add("SweepLog", GROUP)
    assert last_sweep(FakeLambda(), logs, "sweep", NOW) is None
    logs.write(GROUP, NOON - 20 * 86_400_000, swept())
    assert last_sweep(FakeLambda(), logs, "sweep", NOW) is None
    logs.write(GROUP, NOON - 7 * 86_400_000, swept())
    assert last_sweep(FakeLambda(), logs, "sweep", NOW) is not None


def test_counts_of_a_later_version_are_shown_without_a_meaning() -> None:
    [line] = read_counts({"tidied": {"corners": 3}, "unfinished": []}).lines
    assert (line.looks_at, line.number, line.meaning) == ("–", 3, "–")


def test_a_sweep_at_once_returns_its_counts_and_says_a_fault() -> None:
    counts = {"rows": {"faults": 1}, "media": {}, "unfinished": ["media"]}
    sweep = sweep_at_once(FakeLambda(counts), "sweep")
    assert (sweep.has_faults, sweep.unfinished, sweep.is_busy) == (True, ("media",), False)
    assert sweep_at_once(FakeLambda({"busy": True}), "sweep").is_busy
    failing = FakeLambda({"errorType": "Sandbox.Timedout"}, FunctionError="Unhandled")
    with pytest.raises(OperationFailed, match=r"Sandbox\.Timedout"):
        sweep_at_once(failing, "sweep")
