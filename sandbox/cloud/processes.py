"""Starts processes, and ends them with all their children.

Each process leads its own session, so that its children form one group. A process is identified by its id and its start
time: after it has ended, the system gives its id to another process.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import NamedTuple, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The local cloud lets calls end, then connections, and then saves its state.
_SAVE_SECONDS = 90.0
_GRACE_SECONDS = 1.0
_KILL_SECONDS = 5.0
_PROC = Path("/proc")
_children: dict[int, subprocess.Popen[bytes]] = {}


class Interrupted(KeyboardInterrupt):
    """This process received SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class StillRunning(Exception):
    """A process group did not end, not even after SIGKILL."""


@dataclass(frozen=True)
class Process:
    """The leader of a process group. `started` is the system's own start time: compare it, do not read it."""

    name: str
    pid: int
    started: str


class Interrupts:
    """Context in which SIGINT, SIGTERM and SIGHUP raise Interrupted in the main thread.

    Within `deferred()` the exception is raised at the end of the block.
    """

    def __init__(self) -> None:
        self._deferrals = 0
        self._pending: int | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _receive(self, signum: int, _: FrameType | None) -> None:
        self._pending = signum
        self._raise_pending()

    def _raise_pending(self) -> None:
        if self._pending is not None and not self._deferrals:
            signum, self._pending = self._pending, None
            raise Interrupted(signum)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        self._deferrals += 1
        try:
            yield
        finally:
            self._deferrals -= 1
            self._raise_pending()


class Supervisor:
    """Starts and ends processes, and lists them in `journal`, for `down` after a crash."""

    def __init__(self, journal: Path, interrupts: Interrupts) -> None:
        self.processes: list[Process] = []
        self._journal = journal
        self.interrupts = interrupts

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> Process:
        """Start a process. `log` gets its output, is emptied first, and is for its owner only."""
        with self.interrupts.deferred(), log.open("wb") as output:
            log.chmod(0o600)
            child = subprocess.Popen(  # noqa: S603 - the commands are this package's own
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            _children[child.pid] = child
            process = _identified(name, child.pid)
            self.processes.append(process)
            self._write_journal()
        return process

    def returncode(self, process: Process) -> int | None:
        """Return the exit code, None while the process runs."""
        return _children[process.pid].poll()

    def end(self, process: Process) -> None:
        with self.interrupts.deferred():
            end(process)
            self.processes.remove(process)
            self._write_journal()

    def end_all(self, spared: Collection[Process] = ()) -> None:
        with self.interrupts.deferred():
            for process in reversed([process for process in self.processes if process not in spared]):
                end(process)
                self.processes.remove(process)

    def close_journal(self) -> None:
        """Delete the journal: stack.json has the list now."""
        self._journal.unlink(missing_ok=True)

    def _write_journal(self) -> None:
        note = {"starter": asdict(this_process()), "processes": [asdict(process) for process in self.processes]}
        part = self._journal.with_suffix(".part")
        part.write_text(json.dumps(note))
        part.rename(self._journal)


def this_process() -> Process:
    return _identified("this process", os.getpid())


def _identified(name: str, pid: int) -> Process:
    seen = _look_up(pid)
    return Process(name, pid, seen.started if seen else "")


def is_running(process: Process) -> bool:
    """Whether this process is alive; a later one with the same id does not count."""
    seen = _look_up(process.pid)
    return seen is not None and seen.started == process.started and not seen.ended


def end(process: Process) -> bool:
    """End the whole group: SIGTERM, then SIGKILL. Return False if the process had ended before.

    The leader gets SIGTERM alone at first: it may need its children to save its state.

    Raises:
        StillRunning: a process of the group is left.
    """
    child = _children.pop(process.pid, None)
    # A child keeps its id until somebody waits for it, so its group is still ours.
    if child is None and not is_running(process):
        return False
    _end_leader(process)
    for signum, patience in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        _signal_group(process.pid, signum)
        if _empties(process.pid, patience):
            break
    if child is not None:
        child.wait()
    if left := group_members(process.pid):
        raise StillRunning(f"{process.name}: processes {left} of group {process.pid} do not end: kill them by hand")
    return True


def _end_leader(process: Process) -> None:
    if not is_running(process):
        return
    os.kill(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _SAVE_SECONDS
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.02)


def group_members(group: int) -> list[int]:
    """Return the ids of the living processes of a group."""
    return [seen.pid for seen in _all_processes() if seen.group == group and not seen.ended]


class _Seen(NamedTuple):
    pid: int
    group: int
    started: str
    ended: bool


def _signal_group(group: int, signum: signal.Signals) -> None:
    # On macOS a group of which all processes have ended raises EPERM.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signum)


def _empties(group: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while group_members(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _look_up(pid: int) -> _Seen | None:
    return next((seen for seen in _all_processes(pid) if seen.pid == pid), None)


def _all_processes(pid: int | None = None) -> Iterator[_Seen]:
    if not _PROC.joinpath("self/stat").exists():
        yield from _processes_of_ps()
        return
    for entry in [_PROC / str(pid)] if pid else _PROC.glob("[0-9]*"):
        try:
            stat = entry.joinpath("stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
        # pid (name) state parent group … start time; a name may hold blanks and parentheses.
        fields = stat.rpartition(")")[2].split()
        yield _Seen(int(entry.name), int(fields[2]), fields[19], fields[0] in "ZX")


def _processes_of_ps() -> Iterator[_Seen]:
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,pgid=,stat=,lstart="], check=True, capture_output=True, text=True
    ).stdout
    for line in listing.splitlines():
        pid, group, state, *started = line.split()
        yield _Seen(int(pid), int(group), " ".join(started), state.startswith("Z"))
