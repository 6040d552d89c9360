"""`up` and `down` as a person uses them: whatever the moment, nothing is left running."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT, Location
from sandbox.cloud.processes import group_members
from tests.deployed import until
from tests.recordings_command import run_recordings

PATIENCE_SECONDS = 240


class Up:
    """`python -m sandbox up` (or demo) on ports and in a folder of its own."""

    def __init__(self, directory: Path, command: str = "up") -> None:
        self.directory = directory
        self.groups: set[int] = set()
        free = Location.free(directory)
        ports = {"LOCAL_CLOUD_PORT": str(free.cloud_port), "SANDBOX_PORT": str(free.sandbox_port)}
        self.environment = {**os.environ, **ports}
        self.process = subprocess.Popen(  # noqa: S603
            self.command(command),
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def command(self, name: str) -> list[str]:
        return [sys.executable, "-m", "sandbox", name, "--directory", str(self.directory)]

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [*self.command(name), *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def started(self) -> list[str]:
        """Names of the processes that it has running, as it wrote them down."""
        for file in (self.directory / "starting.json", self.directory / "stack.json"):
            try:
                processes = json.loads(file.read_text())["processes"]
            except (FileNotFoundError, json.JSONDecodeError):
                continue
            self.groups |= {process["pid"] for process in processes}
            return [process["name"] for process in processes]
        return []

    def until(self, reached: Callable[["Up"], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached(self):
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def output(self) -> str:
        return self.process.communicate(timeout=PATIENCE_SECONDS)[0]

    def survivors(self) -> list[str]:
        """What is left of its process groups, and whatever else has its folder in command line or environment."""
        left = [f"group {group}: {members}" for group in self.groups if (members := group_members(group))]
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                about = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue  # ended while we looked, or somebody else's
            if str(self.directory).encode() in about:
                left.append(about.decode(errors="replace").replace("\0", " ")[:200])
        return left


@pytest.fixture(autouse=True)
def fresh_stand_ins() -> None:
    """These tests bring stacks of their own."""


@pytest.fixture
def up(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Up]:
    up = Up(tmp_path / "local", getattr(request, "param", "up"))
    yield up
    if up.process.poll() is None:
        up.process.kill()
        up.process.communicate()
    up.run("down", "--delete")


MOMENTS: dict[str, Callable[[Up], bool]] = {
    "the first process has started": lambda up: bool(up.started()),
    "the local cloud starts": lambda up: "local cloud" in up.started(),
    "cdk starts": lambda up: "cdk deploy" in up.started(),
    "the app is synthesised": lambda up: "cdk deploy" in up.started() and max(map(members, up.groups)) > 3,
    "the demo watches": lambda up: (up.directory / "stack.json").exists() and "local cloud" in up.started(),
}


def members(group: int) -> int:
    return len(group_members(group))


@pytest.mark.parametrize(
    ("up", "moment", "signum", "times"),
    [
        ("up", "the first process has started", signal.SIGINT, 1),
        pytest.param("up", "the local cloud starts", signal.SIGTERM, 1, marks=pytest.mark.matrix),
        pytest.param("demo", "cdk starts", signal.SIGTERM, 5, marks=pytest.mark.matrix),
        pytest.param("up", "the app is synthesised", signal.SIGTERM, 5, marks=pytest.mark.matrix),
        pytest.param("demo", "the demo watches", signal.SIGINT, 1, marks=pytest.mark.matrix),
    ],
    indirect=["up"],
)
def test_a_signal_at_any_time_leaves_nothing(up: Up, moment: str, signum: signal.Signals, times: int) -> None:
    up.until(MOMENTS[moment])
    for _ in range(times):
        up.process.send_signal(signum)
        time.sleep(0.02)
    output = up.output()
    assert up.process.returncode == 128 + signum, output
    assert up.survivors() == []
    assert not (up.directory / "stack.json").exists()
    assert not (up.directory / "starting.json").exists()
    assert not (up.directory / "scratch").exists()
    assert not (up.directory / "state").exists()
    assert "Traceback" not in output


@pytest.mark.matrix
def test_down_ends_what_a_killed_up_left(up: Up) -> None:
    up.until(MOMENTS["the app is synthesised"])
    up.process.kill()
    up.process.communicate()
    assert up.survivors()
    assert "Ended the cdk deploy and the local cloud and the stand-ins" in up.run("down").stdout
    assert up.survivors() == []


@pytest.mark.matrix
def test_up_again_says_so_and_down_ends_all_of_it(up: Up) -> None:
    output = up.output()
    assert up.process.returncode == 0, output
    assert sorted(up.started()) == ["local cloud", "stand-ins"]

    again = up.run("up")
    assert again.returncode == 0
    assert "already up" in again.stdout

    stack = json.loads((up.directory / "stack.json").read_text())
    assert set(stack) >= {
        *("endpoint_url", "region", "access_key_id", "secret_access_key", "api_url", "sandbox_url", "outputs")
    }
    down = up.run("down", "--delete")
    assert "Ended the local cloud and the stand-ins" in down.stdout
    assert up.survivors() == []
    assert not (up.directory / "stack.json").exists()

    nothing = up.run("down")
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing was running.\n")


@pytest.mark.matrix
def test_at_the_desk_logs_are_read_a_function_is_invoked_and_changed_code_is_deployed(up: Up, tmp_path: Path) -> None:
    output = up.output()
    assert up.process.returncode == 0, output
    file = up.directory / "stack.json"
    stack = LocalStack.load(file)
    assert stack.call_api("GET", "/recordings").json() == {"recordings": []}

    stack.client("s3").put_object(Bucket=stack.outputs["RecordingsBucketName"], Key="no media.mp4", Body=b"text")
    logs = partial(run_recordings, stack, "logs", folder=tmp_path)
    until(lambda: "no media.mp4" in logs().out, "the log of the function that ignores the object")

    invoked = up.run("invoke", "list_recordings", "tests/events/http_list_recordings.json")
    assert invoked.returncode == 0, invoked.stderr
    assert json.loads(json.loads(invoked.stdout)["body"]) == {"recordings": []}
    unknown = up.run("invoke", "list_recording", "tests/events/http_list_recordings.json")
    assert (unknown.returncode, "list_recordings" in unknown.stderr) == (1, True)

    deployed = json.loads(file.read_text())
    file.write_text(json.dumps({**deployed, "sources": {**deployed["sources"], "stack": "of yesterday"}}))
    again = up.run("up")
    assert again.returncode == 0, again.stderr
    assert "up to date again" in again.stdout
    assert json.loads(file.read_text())["sources"] == deployed["sources"]
    assert stack.call_api("GET", "/recordings").status_code == 200


def test_a_taken_port_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = {"LOCAL_CLOUD_PORT": str(port), "SANDBOX_PORT": str(Location.free(tmp_path).sandbox_port)}
        refused = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "sandbox", "up", "--directory", str(tmp_path / "local")],
            cwd=PROJECT,
            env={**os.environ, **ports},
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert f"Port {port}, meant for the local cloud, is taken" in refused.stderr
    assert "LOCAL_CLOUD_PORT=" in refused.stderr
