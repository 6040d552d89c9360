"""A stack that is up gets the code that has changed, with a made-up `cdk deploy`; tests/e2e deploy for real."""

import dataclasses
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from cli.terminal.phases import Phases
from operations.cdk.command_line import CdkCommand
from sandbox.cloud import lifecycle
from sandbox.cloud.lifecycle import update
from sandbox.cloud.local_cloud import LocalCloud, StartError
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import Location, LocationError
from sandbox.cloud.processes import Interrupts, Process, Supervisor, end, is_running, this_process
from sandbox.cloud.sources import LOCAL_CLOUD, SOURCES, STACK, STAND_INS, source_digest, source_digests
from sandbox.stand_ins.credentials import credentials

Deployed = list[tuple[Location, LocalCloud, Mapping[str, str]]]
BEFORE = {STACK: "s0", STAND_INS: "i0", LOCAL_CLOUD: "c0"}


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def phases(written: io.StringIO) -> Phases:
    return Phases(Console(file=written, width=200))


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return Location(tmp_path, cloud_port=4601, sandbox_port=4602)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Interrupts() as interrupts:
        supervisor = Supervisor(tmp_path / "of-the-test.json", interrupts)
        yield supervisor
        supervisor.end_all()


def sleeper(supervisor: Supervisor, tmp_path: Path, name: str) -> Process:
    command = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    return supervisor.start(name, command, env=dict(os.environ), cwd=tmp_path, log=tmp_path / "sleeper.log")


@pytest.fixture
def stack(location: Location, supervisor: Supervisor) -> LocalStack:
    """A stack that is up on the ports of `location`."""
    stack = LocalStack(
        endpoint_url=location.endpoint_url,
        region="us-east-1",
        access_key_id="AKIA0",
        secret_access_key="secret",
        api_url=location.api_url,
        sandbox_url=location.sandbox_url,
        outputs={"ApiId": "a1"},
        context={"stage": "local"},
        processes=(sleeper(supervisor, location.directory, STAND_INS), this_process()),
        sources=BEFORE,
    )
    stack.save(location.stack_file)
    return stack


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Changes the code of parts of the stack."""

    def to(*parts: str) -> None:
        monkeypatch.setattr(lifecycle, "source_digests", lambda: {**BEFORE, **dict.fromkeys(parts, "new")})

    return to


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """What was deployed, to where."""
    calls: Deployed = []

    def deploy(_: Supervisor, location: Location, __: Any, cloud: LocalCloud, context: Any, ___: Any) -> dict[str, str]:
        calls.append((location, cloud, context))
        return {"ApiId": "a2"}

    monkeypatch.setattr(lifecycle, "deploy", deploy)
    monkeypatch.setattr(lifecycle, "store_secrets", lambda cloud: None)
    monkeypatch.setattr(CdkCommand, "find", lambda: None)
    return calls


def test_unchanged_code_is_not_deployed(
    stack: LocalStack, location: Location, phases: Phases, change: Callable[..., None], deployed: Deployed
) -> None:
    change()
    assert update(stack, location, phases) == stack
    assert deployed == []


def test_changed_functions_are_deployed_to_the_stack_that_is_up(
    stack: LocalStack, location: Location, phases: Phases, change: Callable[..., None], deployed: Deployed
) -> None:
    change(STACK)
    updated = update(stack, dataclasses.replace(location, cloud_port=1, sandbox_port=2), phases)
    assert deployed == [(location, LocalCloud(location.endpoint_url, "AKIA0", "secret"), {"stage": "local"})]
    assert updated == dataclasses.replace(stack, outputs={"ApiId": "a2"}, sources={**BEFORE, STACK: "new"})
    assert LocalStack.load(location.stack_file) == updated
    assert not location.journal.exists()


class Secrets:
    """Secrets Manager with one secret, which the user has changed."""

    class exceptions:
        class ResourceExistsException(Exception):
            """The name is taken."""

    def __init__(self) -> None:
        self.stored = {"recording-insights/local/agora": "changed"}

    def create_secret(self, *, Name: str, SecretString: str) -> None:
        if Name in self.stored:
            raise self.exceptions.ResourceExistsException
        self.stored[Name] = SecretString


def test_new_code_finds_the_secrets_that_the_code_before_did_not_know() -> None:
    secrets = Secrets()
    cloud: Any = SimpleNamespace(client=lambda service: secrets)
    for _ in range(2):
        lifecycle.store_secrets(cloud)
    assert secrets.stored.keys() == {f"recording-insights/local/{name}" for name in credentials()}
    assert secrets.stored["recording-insights/local/agora"] == "changed"


def test_changed_stand_ins_start_again(
    stack: LocalStack,
    location: Location,
    phases: Phases,
    change: Callable[..., None],
    deployed: Deployed,
    supervisor: Supervisor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        lifecycle,
        "_start_stand_ins",
        lambda supervisor, location, _: sleeper(supervisor, location.directory, STAND_INS),
    )
    monkeypatch.setattr(lifecycle, "wait_until_ready", lambda *_: None)
    location.log(STAND_INS).parent.mkdir(exist_ok=True)
    location.log(STAND_INS).write_text("Bedrock: before\nstand-ins listen\nBedrock: the model mine answers.\n")
    monkeypatch.setenv("MODEL_URL", "http://127.0.0.1:11434/v1")
    said: list[str] = []
    monkeypatch.setattr(phases, "say", said.append)
    change(STAND_INS)
    updated = update(stack, location, phases)
    assert "Bedrock: the model mine answers." in said
    assert "Bedrock: before" not in said
    before, [old] = stack.processes, [process for process in stack.processes if process.name == STAND_INS]
    [new] = [process for process in updated.processes if process.name == STAND_INS]
    assert (is_running(old), is_running(new)) == (False, True)
    assert len(updated.processes) == len(before)
    assert LocalStack.load(location.stack_file).runs()
    assert deployed == []
    end(new)


def test_a_stack_stays_up_if_the_new_code_cannot_be_deployed(
    stack: LocalStack,
    location: Location,
    phases: Phases,
    change: Callable[..., None],
    deployed: Deployed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[Process] = []

    def fail(supervisor: Supervisor, location: Location, *_: Any) -> dict[str, str]:
        left.append(sleeper(supervisor, location.directory, "cdk deploy"))
        raise StartError("`cdk deploy` failed.")

    monkeypatch.setattr(lifecycle, "deploy", fail)
    change(STACK)
    with pytest.raises(StartError, match="still up"):
        update(stack, location, phases)
    assert LocalStack.load(location.stack_file) == stack
    assert stack.runs()
    assert [process for process in left if is_running(process)] == []
    assert not location.journal.exists()


def test_a_changed_local_cloud_is_only_named(
    stack: LocalStack,
    location: Location,
    phases: Phases,
    written: io.StringIO,
    change: Callable[..., None],
    deployed: Deployed,
) -> None:
    change(LOCAL_CLOUD)
    assert update(stack, location, phases) == stack
    assert "make down" in written.getvalue()
    assert deployed == []


def test_two_updates_at_once_are_refused(
    stack: LocalStack, location: Location, phases: Phases, change: Callable[..., None], deployed: Deployed
) -> None:
    change(STACK)
    with Interrupts() as interrupts:
        other = Supervisor(location.journal, interrupts)
        sleeper(other, location.directory, "cdk deploy")
        with pytest.raises(LocationError, match="wait, or end that process"):
            update(stack, location, phases)
        other.end_all()
    assert deployed == []


def test_digests_follow_names_and_contents(tmp_path: Path) -> None:
    """An earlier release need not have the folders of the other parts."""
    for name in SOURCES[STACK]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if "." in name:
            (tmp_path / name).write_text(name)
        else:
            (tmp_path / name).mkdir()
    digests = [source_digest(STACK, tmp_path)]
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b.py", "2"), ("__pycache__", ""), (".a.py.swp", "")):
        (tmp_path / "functions" / name).write_text(text)
        digests.append(source_digest(STACK, tmp_path))
    assert len(set(digests)) == 4
    assert set(source_digests()) == set(SOURCES)
