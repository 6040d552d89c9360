"""What a run cost: tests, seconds and CPU seconds of every folder, and whether the CPU time is within the budget.

The budget is CPU time, because it says the same on an idle machine and on a busy one. It counts in seconds of one
machine: a slow one may need more, in proportion to its pace during the run.
"""

import os
import time
from collections import defaultdict
from collections.abc import Collection, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.machine_pace import MachinePace, slowness
from tests.work_groups import folder_of

CPU = "cpu_seconds"
"""The name under which a worker tells the controller the CPU time of a test's phase, and of all its processes."""
PACE = "machine_pace"
"""The name under which a worker tells the controller the samples of its pace."""


@dataclass
class Cost:
    """The sums of one folder. `cpu_seconds` are those of pytest itself, without the processes of a stack."""

    tests: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class RunSummary:
    """The plugin `run_summary`: adds up a run's reports, prints the sums, and fails a run that is over its budget."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._folders: defaultdict[str, Cost] = defaultdict(Cost)
        self._others_cpu = 0.0
        self._began = time.monotonic()
        self._mark = 0.0
        self._has_workers = False
        self._pace = MachinePace()

    def pytest_runtest_logstart(self) -> None:
        self._pace.measure()
        self._mark = time.process_time()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        now = time.process_time()
        report.user_properties.append((CPU, now - self._mark))
        self._mark = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        cost = self._folders[folder_of(report.nodeid)]
        cost.tests += report.when == "call"
        cost.seconds += report.duration
        cost.cpu_seconds += sum(float(str(value)) for name, value in report.user_properties if name == CPU)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._has_workers = True
        output = getattr(node, "workeroutput", {})
        self.add(output.get(CPU, 0.0))
        self._pace.samples += output.get(PACE, ())

    def add(self, cpu_seconds: float) -> None:
        """Count what processes needed whose time the system does not add to this one's."""
        self._others_cpu += cpu_seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[CPU] = self._cpu_seconds()
            output[PACE] = self._pace.samples
        elif self._is_over_budget():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._folders:
            return
        terminalreporter.section("seconds per folder")
        line = "{:<14}{:>7}{:>10}{:>8}".format
        terminalreporter.write_line(line("folder", "tests", "seconds", "CPU"))
        for folder, cost in sorted(self._folders.items(), key=lambda each: -each[1].seconds):
            terminalreporter.write_line(line(folder, cost.tests, f"{cost.seconds:.1f}", f"{cost.cpu_seconds:.1f}"))
        seconds, slow = self._cpu_seconds(), slowness(self._pace.samples)
        terminalreporter.write_line(
            f"{time.monotonic() - self._began:.0f} s, {seconds:.0f} CPU seconds of all processes, "
            f"{seconds / slow:.0f} on the machine of the budget"
        )
        if self._is_over_budget():
            budget = self._config.getoption("--cpu-budget")
            terminalreporter.write_line(
                f"FAILED: the budget is {budget:.0f} CPU seconds. docs/testing.md says what counts, and what to do.",
                red=True,
            )

    def _is_over_budget(self) -> bool:
        budget = self._config.getoption("--cpu-budget")
        return budget is not None and self._cpu_seconds() / slowness(self._pace.samples) > budget

    def _cpu_seconds(self) -> float:
        times = os.times()
        own = times.user + times.system + self._others_cpu
        if self._has_workers:  # they have told what they needed
            return own
        return own + times.children_user + times.children_system + cpu_seconds_of_descendants()


class RunningProcess(NamedTuple):
    """A process, with its CPU seconds so far and those of the children that it has waited for."""

    pid: int
    parent: int
    group: int
    cpu_seconds: float


def running_processes() -> list[RunningProcess]:
    """All processes of the machine. None where there is no /proc."""
    tick, running = os.sysconf("SC_CLK_TCK"), []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        seconds = sum(map(int, fields[11:15])) / tick
        running.append(RunningProcess(int(file.parent.name), int(fields[1]), int(fields[2]), seconds))
    return running


def cpu_seconds_of_groups(leaders: Collection[int]) -> float:
    """CPU seconds so far of the members of process groups, without their leaders.

    The system adds the time of a leader to that of its parent, which waits for it. Nobody waits for the members.
    """
    return sum(each.cpu_seconds for each in running_processes() if each.group in leaders and each.pid not in leaders)


def cpu_seconds_of_descendants() -> float:
    """CPU seconds so far of what this process has started and not yet waited for.

    CDK's kernel runs until Python exits.
    """
    children = defaultdict(list)
    for each in running_processes():
        children[each.parent].append(each)
    found = children[os.getpid()][:]
    for each in found:
        found += children[each.pid]
    return sum(each.cpu_seconds for each in found)
