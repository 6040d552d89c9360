"""The command, on a made-up project: what its tests notice is killed, and what they do not notice survives."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mutants.__main__ import read_verdicts

PROJECT = Path(__file__).parents[3]
COMMAND = """
import sys
from pathlib import Path
from mutants.__main__ import main
from mutants.sample import Code
root = Path(sys.argv[1])
code = Code(root, root / "functions", "made_up", ("bank",), root / "tests", test_seconds=0.5)
sys.exit(main(sys.argv[2:], code, root / "survivors.toml"))
"""
MODULE = """
def is_covered(amount, balance):
    return amount <= balance
"""
LOOP = """
def count_down(number):
    while number != 0:
        number -= 1
    return number
"""
TESTS = """
from made_up.bank.account import is_covered

def test_is_covered():
    assert is_covered(1, 2)
    assert not is_covered(3, 2)
"""
TESTS_OF_LOOP = """
from made_up.bank.loop import count_down

def test_it_ends():
    assert count_down(3) == 0
"""
SURVIVOR = """
[[survivor]]
module = "made_up.bank.account"
function = "is_covered"
original = "return amount <= balance"
mutated = "return amount < balance"
verdict = "accepted"
reason = "a made-up one"
"""


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    files = {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["functions"]\n',
        "functions/made_up/bank/account.py": MODULE,
        "tests/bank/test_account.py": TESTS,
        "survivors.toml": SURVIVOR,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - fixed arguments
        [sys.executable, "-c", COMMAND, root, *arguments],
        cwd=PROJECT,
        # The plugins of others take half of the time of each of the runs, and the made-up tests use none.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_tests_notice_is_killed_and_the_rest_survives(made_up: Path) -> None:
    (made_up / "functions/made_up/bank/loop.py").write_text(LOOP)
    (made_up / "tests/bank/test_loop.py").write_text(TESTS_OF_LOOP)
    ended = run(made_up, "--json")
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    found = {mutant["mutated"]: (mutant["result"], mutant["verdict"]) for mutant in report["mutants"]}
    assert found["return amount > balance"] == ("killed", None)
    assert found["return amount < balance"] == ("survived", "accepted")
    assert found["number += 1"] == ("timed out", None)
    assert report["killed_percent"] >= 90
    assert (made_up / "functions/made_up/bank/account.py").read_text() == MODULE


@pytest.mark.matrix
def test_a_survivor_needs_a_verdict(made_up: Path) -> None:
    """That of another mutant does not count. The printed entry, completed and pasted, is the verdict."""
    (made_up / "survivors.toml").write_text(SURVIVOR.replace("amount < balance", "amount != balance"))
    ended = run(made_up)
    assert ended.returncode == 1
    assert "NO VERDICT" in ended.stdout
    assert "'return amount != balance' is no mutant of the code" in ended.stdout
    pasted = (
        ended.stdout[ended.stdout.index("[[survivor]]") :].partition("\n\n")[0]
        + '\nverdict = "accepted"\nreason = "a made-up one"\n'
    )
    (made_up / "survivors.toml").write_text(pasted)
    assert "accepted: a made-up one" in run(made_up).stdout


def test_too_few_killed_is_a_failure(made_up: Path) -> None:
    """A room without a test that fails."""
    (made_up / "tests/bank/test_account.py").write_text("from made_up.bank import account\n\ndef test(): pass\n")
    ended = run(made_up)
    assert ended.returncode == 1
    assert " 0.0 %" in ended.stdout


def test_tests_that_fail_anyway_prove_nothing(made_up: Path) -> None:
    (made_up / "tests/bank/test_account.py").write_text("def test(): assert 1 == 2\n")
    ended = run(made_up)
    assert ended.returncode == 1
    assert "assert 1 == 2" in ended.stderr
    assert "without any mutant" in ended.stderr


@pytest.mark.parametrize("wrong", ['verdict = "accepted"', 'verdict = "fine"\nreason = "so"'])
def test_a_verdict_has_a_reason(wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "survivors.toml"
    path.write_text(f"[[survivor]]\n{wrong}\n")
    with pytest.raises(ValueError, match=r"survivors\.toml"):
        read_verdicts(path)
