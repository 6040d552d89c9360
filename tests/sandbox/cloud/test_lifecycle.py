"""Ports, files and processes of the local stack. tests/e2e bring the stack itself up."""

import dataclasses
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from operations.cdk.command_line import CdkCommand, ToolMissing
from sandbox.cloud.context import full_context
from sandbox.cloud.lifecycle import bring_down, drop, stack_that_is_up
from sandbox.cloud.local_cloud import LocalCloud
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import TESTS_DIRECTORY, Location, LocationError
from sandbox.cloud.processes import Interrupts, Process, Supervisor, is_running, this_process
from sandbox.cloud.sources import STAND_INS


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return Location(tmp_path, cloud_port=4601, sandbox_port=4602)


def stack_of(location: Location, *processes: Process, **context: str) -> LocalStack:
    return LocalStack(
        endpoint_url=location.endpoint_url,
        region="us-east-1",
        access_key_id="AKIA0",
        secret_access_key="secret",
        api_url=f"{location.endpoint_url}/_aws/execute-api/a1/$default",
        sandbox_url=location.sandbox_url,
        outputs={"ApiId": "a1"},
        context=full_context(location, context),
        processes=processes,
    )


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "4566.5"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(LocationError, match="LOCAL_CLOUD_PORT"):
        Location.from_environment({"LOCAL_CLOUD_PORT": port})


def test_ports_come_from_the_environment() -> None:
    location = Location.from_environment({"LOCAL_CLOUD_PORT": "5001", "SANDBOX_PORT": ""})
    assert (location.cloud_port, location.sandbox_port) == (5001, 9000)
    with pytest.raises(LocationError, match="two numbers"):
        dataclasses.replace(location, sandbox_port=5001).check_ports()


@pytest.mark.usefixtures("socket_enabled")
def test_the_tests_have_a_folder_of_their_own_and_free_ports() -> None:
    location = Location.of_tests({"SANDBOX_PORT": "5002"})
    assert location.directory == TESTS_DIRECTORY
    assert location.sandbox_port == 5002
    assert location.cloud_port not in (5002, Location.cloud_port)


@pytest.mark.usefixtures("socket_enabled")
def test_free_ports_are_two_that_can_be_listened_on(tmp_path: Path) -> None:
    location = Location.free(tmp_path)
    location.check_ports()
    assert location.directory == tmp_path


def test_stack_json_is_read_back_and_only_for_its_user(location: Location) -> None:
    stack = stack_of(location, Process("local cloud", 12, "34"))
    stack.save(location.stack_file)
    assert LocalStack.load(location.stack_file) == stack
    assert stat.S_IMODE(location.stack_file.stat().st_mode) == 0o600


def test_a_stack_that_is_up_is_found(location: Location) -> None:
    assert stack_that_is_up(location, {}) is None
    stack = stack_of(location, this_process())
    stack.save(location.stack_file)
    assert stack_that_is_up(location, {}) == stack
    with pytest.raises(LocationError, match="make down"):
        stack_that_is_up(location, {"linkMinutes": "30"})


def test_a_stack_that_is_up_has_ports_of_its_own(location: Location) -> None:
    stack = stack_of(location, this_process())
    stack.save(location.stack_file)
    assert stack_that_is_up(dataclasses.replace(location, cloud_port=4603, sandbox_port=4604), {}) == stack


def test_a_stack_whose_processes_are_gone_is_not_up(location: Location) -> None:
    stack_of(location, dataclasses.replace(this_process(), started="0")).save(location.stack_file)
    assert stack_that_is_up(location, {}) is None


def test_down_spares_whoever_has_the_id_now(location: Location) -> None:
    stack_of(location, dataclasses.replace(this_process(), started="0")).save(location.stack_file)
    location.journal.write_text(json.dumps({"processes": []}))
    location.scratch.mkdir()
    assert bring_down(location) == []
    assert list(location.directory.iterdir()) == []


def sleeper(location: Location, name: str) -> Process:
    command = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    with Interrupts() as interrupts:
        supervisor = Supervisor(location.journal, interrupts)
        process = supervisor.start(
            name, command, env=dict(os.environ), cwd=location.directory, log=location.directory / f"{name}.log"
        )
        supervisor.close_journal()
    return process


def test_down_keeps_the_stack_and_its_vendors_until_it_is_dropped(location: Location) -> None:
    cloud, stand_ins = sleeper(location, "local cloud"), sleeper(location, STAND_INS)
    stack = stack_of(location, stand_ins, cloud)
    stack.save(location.stack_file)
    location.saved_services.mkdir(parents=True)

    assert bring_down(location) == [cloud]
    assert LocalStack.load(location.kept_file) == stack
    assert not location.stack_file.exists()
    assert is_running(stand_ins)

    assert drop(location) == [stand_ins]
    assert not location.kept_file.exists()
    assert not location.state.exists()


def test_down_keeps_nothing_of_a_cloud_that_saved_nothing(location: Location) -> None:
    stand_ins = sleeper(location, STAND_INS)
    stack_of(location, stand_ins, dataclasses.replace(this_process(), started="0")).save(location.stack_file)
    location.state.mkdir()
    assert bring_down(location) == [stand_ins]
    assert not location.kept_file.exists()
    assert not location.state.exists()


def test_down_leaves_a_stack_alone_that_is_being_brought_up(location: Location) -> None:
    location.journal.write_text(json.dumps({"starter": dataclasses.asdict(this_process()), "processes": []}))
    with pytest.raises(LocationError, match="just being brought up"):
        bring_down(location)
    assert location.journal.exists()


def test_a_missing_tool_names_make_install(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="make install"):
        CdkCommand.find(tmp_path)


def test_programs_are_kept_from_the_users_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CDK_DEFAULT_ACCOUNT", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "the user's own")
    environment = LocalCloud("http://localhost:4601", "AKIA0", "secret").environment()
    assert "the user's own" not in environment.values()
    assert environment["AWS_ENDPOINT_URL"] == "http://localhost:4601"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
