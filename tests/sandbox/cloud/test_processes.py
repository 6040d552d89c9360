"""Processes end with all that they started, and never by a recycled id."""

import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cloud import processes
from sandbox.cloud.processes import Interrupted, Interrupts, Process, Supervisor, end, group_members, is_running

# Starts a child that outlives it unless ended, then waits; both ignore SIGTERM when told so.
FAMILY = """
import signal, subprocess, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "child" not in sys.argv:
    subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[1], "child", *sys.argv[2:]])
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Interrupts() as interrupts:
        supervisor = Supervisor(tmp_path / "starting.json", interrupts)
        yield supervisor
        supervisor.end_all()


def start(supervisor: Supervisor, tmp_path: Path, *arguments: str) -> Process:
    """A parent and its child, both ready."""
    log = tmp_path / "family.log"
    command = [sys.executable, "-S", "-c", FAMILY, FAMILY, *arguments]
    process = supervisor.start("family", command, env=dict(os.environ), cwd=tmp_path, log=log)
    deadline = time.monotonic() + 10
    while log.read_text().count("ready") < 2:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)
    return process


def test_it_ends_with_its_children(supervisor: Supervisor, tmp_path: Path) -> None:
    process = start(supervisor, tmp_path)
    assert len(group_members(process.pid)) == 2
    assert is_running(process)

    supervisor.end(process)

    assert group_members(process.pid) == []
    assert not is_running(process)
    assert supervisor.processes == []


def test_who_ignores_sigterm_is_killed(supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_SAVE_SECONDS", 0.05)
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.05)
    process = start(supervisor, tmp_path, "stubborn")
    supervisor.end(process)
    assert group_members(process.pid) == []


def test_children_end_even_when_their_parent_is_gone(supervisor: Supervisor, tmp_path: Path) -> None:
    process = start(supervisor, tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    supervisor.end_all()
    assert group_members(process.pid) == []


def test_a_later_process_of_the_same_id_is_left_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    process = start(supervisor, tmp_path)
    other = dataclasses.replace(process, started="0")
    child = processes._children.pop(process.pid)  # as in another run, which has no children
    try:
        assert not is_running(other)
        assert end(other) is False
        assert len(group_members(process.pid)) == 2
    finally:
        processes._children[process.pid] = child


def test_the_journal_names_what_runs_from_the_first_moment(supervisor: Supervisor, tmp_path: Path) -> None:
    process = start(supervisor, tmp_path)
    note = json.loads((tmp_path / "starting.json").read_text())
    assert note["processes"] == [dataclasses.asdict(process)]
    assert is_running(Process(**note["starter"]))


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts(signum: signal.Signals) -> None:
    before = signal.getsignal(signum)
    with Interrupts(), pytest.raises(Interrupted) as interrupted:
        signal.raise_signal(signum)
    assert interrupted.value.signum == signum
    assert signal.getsignal(signum) is before


def test_a_held_signal_interrupts_afterwards() -> None:
    done = []

    def work(interrupts: Interrupts) -> None:
        with interrupts.deferred():
            with interrupts.deferred():
                signal.raise_signal(signal.SIGINT)
            done.append("the work that must not be cut")

    with Interrupts() as interrupts, pytest.raises(Interrupted):
        work(interrupts)
    assert done
