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
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
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
CPU_SECONDS = 240
"""Limit per process, for a mutant that loops while it is imported. All tests together take 30 s."""
WALL_SECONDS = 3600
"""Limit per process by the clock, for a mutant that waits while it is imported."""
MEMORY_BYTES = 4 << 30
"""Limit per process, for a mutant that never stops to append."""

_TIMED_OUT = 91


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
class _TimeLimit:
    """A plugin that limits the CPU time of a test: a busy machine must not kill a mutant."""

    seconds: float
    exceeded: bool = False

    def __post_init__(self) -> None:
        signal.signal(signal.SIGVTALRM, self._fail)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        signal.setitimer(signal.ITIMER_VIRTUAL, self.seconds)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _fail(self, *_: object) -> NoReturn:
        self.exceeded = True
        pytest.fail(f"takes more than {self.seconds} s of CPU time")


@dataclass
class _Children:
    """The running processes, each with what it runs."""

    code: Code
    runs: dict[int, tuple[Mutant, int]] = field(default_factory=dict)

    def start(self, mutant: Mutant, stage: int, files: Iterable[Path]) -> None:
        self.runs[_fork(self.code, mutant, files)] = mutant, stage

    def next_result(self) -> tuple[Mutant, int, Result]:
        pid, status = os.wait()
        mutant, stage = self.runs.pop(pid)
        return mutant, stage, _result_of(os.waitstatus_to_exitcode(status))

    def kill(self) -> None:
        for pid in self.runs:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def import_libraries(code: Code) -> None:
    """Import the libraries that the tests need, so that the forked processes have them."""
    for name in code.libraries:
        importlib.import_module(name)


def check_tests(code: Code, mutants: Iterable[Mutant]) -> None:
    """Run all tests that will run against the mutants, without a mutant.

    Raises:
        TestsFailed: a test fails, or no test was found.
    """
    files = dict.fromkeys(path for mutant in mutants for stage in code.stages(mutant) for path in stage)
    with tempfile.TemporaryFile() as output:
        _, status = os.waitpid(_fork(code, None, files, output), 0)
        if status:
            output.seek(0)
            raise TestsFailed(output.read().decode(errors="replace"))


def judge(code: Code, mutants: Sequence[Mutant], report: Callable[[Mutant, Result], None]) -> dict[Mutant, Result]:
    """Run the tests against each mutant until one of them fails. `report` is called as soon as a result is known."""
    results: dict[Mutant, Result] = {}
    waiting = deque((mutant, 0) for mutant in mutants)
    with _children(code) as children:
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
def _children(code: Code) -> Iterator[_Children]:
    children = _Children(code)
    try:
        yield children
    finally:
        children.kill()


def _result_of(exit_code: int) -> Result:
    if exit_code in (_TIMED_OUT, -signal.SIGXCPU):
        return Result.TIMED_OUT
    return Result.KILLED if exit_code else Result.SURVIVED


def _fork(code: Code, mutant: Mutant | None, files: Iterable[Path], output: IO[bytes] | None = None) -> int:
    """Start a process that runs the tests of `files` and exits with pytest's code. Returns its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fork() or _run(code, mutant, files, output)


def _run(code: Code, mutant: Mutant | None, files: Iterable[Path], output: IO[bytes] | None) -> NoReturn:
    exit_code = 1
    try:
        target = output.fileno() if output else os.open(os.devnull, os.O_WRONLY)
        os.dup2(target, 1)
        os.dup2(target, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        if sys.platform == "linux":  # macOS does not have this limit
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        faulthandler.dump_traceback_later(WALL_SECONDS, exit=True)
        os.chdir(code.root)
        if mutant:
            sys.meta_path.insert(0, _MutantFinder(mutant))
        exit_code = _pytest(code, files)
    except BaseException:  # noqa: BLE001 - the parent knows nothing but the output and the exit code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


def _pytest(code: Code, files: Iterable[Path]) -> int:
    without = [option for plugin in ("cacheprovider", "faulthandler") for option in ("-p", f"no:{plugin}")]
    limit = _TimeLimit(code.test_seconds)
    options = ["-x", "-q", *without, f"--rootdir={code.root}"]
    exit_code = int(pytest.main([*options, *(str(path) for path in files)], plugins=[limit]))
    return _TIMED_OUT if limit.exceeded else exit_code
