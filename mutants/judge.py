"""Runs the tests against mutants. Each run is a process of its own, and no file of the tree is written.

The processes are forked from one that has imported the libraries and none of our modules. The mutant is imported in
place of its module. POSIX only.
"""

import faulthandler
import importlib
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import IO, Any, NoReturn

import pytest

from mutants.mutate import Mutant, mutated_tree
from mutants.sample import Code

AT_ONCE = 2
TEST_SECONDS = 30
"""Limit per test, by the clock. The slowest of them takes 3 s."""
CPU_SECONDS = 240
"""Limit per process, for a mutant that loops while it is imported. All tests together take 30 s."""
WALL_SECONDS = 1200
"""Limit per process by the clock, for a mutant that waits while it is imported."""
MEMORY_BYTES = 4 << 30

_TIMED_OUT = 91
_LIBRARIES = (
    "av",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "boto3.dynamodb.conditions",
    "moto.dynamodb",
    "moto.s3",
    "requests",
)
"""Imported before the first fork; those that are not installed are left out."""


class Result(StrEnum):
    """What the tests say of a mutant. One that takes too long counts as killed."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"


class TestsFailed(Exception):
    """The tests fail, or do not run, without any mutant. The text is pytest's output."""


class _MutantLoader(SourceFileLoader):
    """Loads the mutant as if it had been read from the module's file; keeps nothing on disk."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self.number = mutant.number

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(mutated_tree(Path(self.path), self.number), self.path, "exec")
        return code


@dataclass(frozen=True)
class _MutantFinder(MetaPathFinder):
    """Finds the mutant when its module is imported."""

    mutant: Mutant

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.mutant.module:
            return None
        return spec_from_file_location(fullname, self.mutant.path, loader=_MutantLoader(self.mutant))


@dataclass(eq=False)
class _TimeOuts:
    """A plugin that notes whether a test failed because of its time limit."""

    seen: bool = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seen = self.seen or (report.failed and "from pytest-timeout" in report.longreprtext)


@dataclass
class _Children:
    """The running processes, each with what it runs."""

    root: Path
    runs: dict[int, tuple[Mutant, int]] = field(default_factory=dict)

    def start(self, mutant: Mutant, stage: int, files: Iterable[Path]) -> None:
        self.runs[_fork(self.root, mutant, files)] = mutant, stage

    def next_result(self) -> tuple[Mutant, int, Result]:
        pid, status = os.wait()
        mutant, stage = self.runs.pop(pid)
        return mutant, stage, _result_of(os.waitstatus_to_exitcode(status))

    def kill(self) -> None:
        for pid in self.runs:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def import_libraries() -> None:
    """Import what every run needs, so that the forked processes have it."""
    for name in _LIBRARIES:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            continue


def check_tests(code: Code, mutants: Iterable[Mutant]) -> None:
    """Run all tests that will run against the mutants, without a mutant.

    Raises:
        TestsFailed: a test fails, or no test was found.
    """
    files = dict.fromkeys(path for mutant in mutants for stage in code.stages(mutant) for path in stage)
    with tempfile.TemporaryFile() as output:
        _, status = os.waitpid(_fork(code.root, None, files, output), 0)
        if status:
            output.seek(0)
            raise TestsFailed(output.read().decode(errors="replace"))


def judge(code: Code, mutants: Sequence[Mutant], report: Callable[[Mutant, Result], None]) -> dict[Mutant, Result]:
    """Run the tests against each mutant until one of them fails. `report` is called as soon as a result is known."""
    results: dict[Mutant, Result] = {}
    waiting = deque((mutant, 0) for mutant in mutants)
    with _children(code.root) as children:
        while waiting or children.runs:
            while waiting and len(children.runs) < AT_ONCE:
                mutant, stage = waiting.popleft()
                children.start(mutant, stage, code.stages(mutant)[stage])
            mutant, stage, result = children.next_result()
            if result is Result.SURVIVED and stage + 1 < len(code.stages(mutant)):
                waiting.appendleft((mutant, stage + 1))
                continue
            results[mutant] = result
            report(mutant, result)
    return {mutant: results[mutant] for mutant in mutants}


@contextmanager
def _children(root: Path) -> Iterator[_Children]:
    children = _Children(root)
    try:
        yield children
    finally:
        children.kill()


def _result_of(exit_code: int) -> Result:
    if exit_code in (_TIMED_OUT, -signal.SIGXCPU):
        return Result.TIMED_OUT
    return Result.KILLED if exit_code else Result.SURVIVED


def _fork(root: Path, mutant: Mutant | None, files: Iterable[Path], output: IO[bytes] | None = None) -> int:
    """Start a process that runs the tests of `files` and exits with pytest's code. Returns its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fork() or _run(root, mutant, files, output)


def _run(root: Path, mutant: Mutant | None, files: Iterable[Path], output: IO[bytes] | None) -> NoReturn:
    exit_code = 1
    try:
        target = output.fileno() if output else os.open(os.devnull, os.O_WRONLY)
        os.dup2(target, 1)
        os.dup2(target, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        faulthandler.dump_traceback_later(WALL_SECONDS, exit=True)
        os.chdir(root)
        if mutant:
            sys.meta_path.insert(0, _MutantFinder(mutant))
        exit_code = _pytest(root, files)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


def _pytest(root: Path, files: Iterable[Path]) -> int:
    without = [option for plugin in ("cacheprovider", "faulthandler") for option in ("-p", f"no:{plugin}")]
    time_outs = _TimeOuts()
    options = ["-x", "-q", *without, f"--rootdir={root}", f"--timeout={TEST_SECONDS}"]
    exit_code = int(pytest.main([*options, *(str(path) for path in files)], plugins=[time_outs]))
    return _TIMED_OUT if time_outs.seen else exit_code
