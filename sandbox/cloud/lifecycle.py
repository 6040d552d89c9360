"""Brings the local stack up and down: local cloud, stand-ins, secrets, and the deployed stack."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from operations.agora_key import OperationFailed, rotate_key
from sandbox.cloud.context import STAGE, full_context
from sandbox.cloud.deployment import CdkCommand, bootstrap_template, deploy
from sandbox.cloud.local_cloud import (
    StartError,
    bootstrap,
    plain_environment,
    start_local_cloud,
    wait_until_ready,
)
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT, REGION, Location, LocationError
from sandbox.cloud.processes import Interrupts, Process, Supervisor, end, is_running
from sandbox.stand_ins.credentials import credentials
from sandbox.terminal.phases import Phases


@contextmanager
def running_stack(
    context: Mapping[str, str] | None = None, location: Location | None = None, phases: Phases | None = None
) -> Iterator[LocalStack]:
    """Run the local stack for the length of a `with`.

    A stack that is already up with these settings is used, and left up.

    Raises:
        LocationError: a stack is up with other settings, or a port is taken.
        ToolMissing, StartError: the stack did not start. Nothing is left running.
        Interrupted: SIGINT, SIGTERM or SIGHUP. Nothing is left running.
    """
    location = location or Location()
    if stack := stack_that_is_up(location, context or {}):
        yield stack
        return
    with Interrupts() as interrupts:
        supervisor = Supervisor(location.journal, interrupts)
        try:
            yield _bring_up(supervisor, location, context or {}, phases or Phases())
        finally:
            _undo(supervisor, location)


def bring_up(location: Location, context: Mapping[str, str], phases: Phases) -> LocalStack:
    """Start the local stack and leave it running. Raises as `running_stack` does."""
    with Interrupts() as interrupts:
        supervisor = Supervisor(location.journal, interrupts)
        try:
            return _bring_up(supervisor, location, context, phases)
        except BaseException:
            _undo(supervisor, location)
            raise


def stack_that_is_up(location: Location, context: Mapping[str, str]) -> LocalStack | None:
    """Return the stack that is up in this location's folder. Its ports may differ from the location's.

    Raises:
        LocationError: its settings differ from these.
    """
    try:
        stack = LocalStack.load(location.stack_file)
    except FileNotFoundError:
        return None
    if not stack.runs():
        return None
    if stack.context != full_context(_location_of(stack, location.directory), context):
        settings = " ".join(f"{key}={value}" for key, value in stack.context.items())
        raise LocationError(f"The local stack is up with other settings ({settings}): run `make down` first.")
    return stack


def _location_of(stack: LocalStack, directory: Path) -> Location:
    cloud_port, sandbox_port = (int(url.rpartition(":")[2]) for url in (stack.endpoint_url, stack.sandbox_url))
    return Location(directory, cloud_port, sandbox_port)


def bring_down(location: Location) -> list[Process]:
    """End all processes at this location and delete their files. Return the processes that were still running.

    Raises:
        LocationError: another command is starting the stack.
    """
    with Interrupts() as interrupts, interrupts.deferred():
        notes = [json.loads(file.read_text()) for file in (location.journal, location.stack_file) if file.exists()]
        for note in notes:
            if (starter := note.get("starter")) and is_running(Process(**starter)):
                raise LocationError(
                    f"The local stack is just being brought up by process {starter['pid']}: wait, or end that process."
                )
        left = [Process(**process) for note in notes for process in note["processes"]]
        ended = [process for process in reversed(left) if end(process)]
        _remove_files(location)
    return ended


def _undo(supervisor: Supervisor, location: Location) -> None:
    with supervisor.interrupts.deferred():
        supervisor.end_all()
        _remove_files(location)


def _remove_files(location: Location) -> None:
    for file in (location.stack_file, location.journal):
        file.unlink(missing_ok=True)
    shutil.rmtree(location.scratch, ignore_errors=True)


def _bring_up(supervisor: Supervisor, location: Location, context: Mapping[str, str], phases: Phases) -> LocalStack:
    cdk = CdkCommand.find()
    settings = full_context(location, context)
    for process in bring_down(location):
        phases.say(f"Ended the {process.name}, which an earlier run had left behind.")
    location.check_ports()
    location.log("up").parent.mkdir(parents=True, exist_ok=True)
    with phases.phase("Start local cloud and stand-ins"):
        stand_ins = _start_stand_ins(supervisor, location)
        cloud = start_local_cloud(supervisor, location, Path(sys.executable))
    with phases.phase("Bootstrap CDK and store the vendors' secrets"):
        bootstrap(cloud, bootstrap_template(cdk, location.directory))
        secrets = cloud.client("secretsmanager")
        for vendor, secret in credentials().items():
            name = f"recording-insights/{STAGE}/{vendor}"
            secrets.create_secret(Name=name, SecretString=json.dumps(secret))
    with phases.phase("Deploy the stack") as report:
        outputs = deploy(supervisor, location, cdk, cloud, settings, report)
        try:
            rotate_key(STAGE, cloud.client, report)
        except OperationFailed as failure:
            raise StartError(str(failure)) from failure
    with phases.phase("Wait for the stand-ins"):
        wait_until_ready(supervisor, stand_ins, f"{location.sandbox_url}/health", location.log("stand-ins"))
    stack = LocalStack(
        endpoint_url=cloud.endpoint_url,
        region=REGION,
        access_key_id=cloud.access_key_id,
        secret_access_key=cloud.secret_access_key,
        api_url=location.api_url,
        sandbox_url=location.sandbox_url,
        outputs=outputs,
        context=settings,
        processes=tuple(supervisor.processes),
    )
    stack.save(location.stack_file)
    supervisor.close_journal()
    return stack


def _start_stand_ins(supervisor: Supervisor, location: Location) -> Process:
    """Start them without AWS credentials: they get only those that the stack sends to a vendor."""
    return supervisor.start(
        "stand-ins",
        [
            *(sys.executable, "-m", "sandbox.stand_ins"),
            *("--port", str(location.sandbox_port), "--webhooks", f"{location.api_url}/webhooks"),
        ],
        env={**plain_environment(), "AWS_ENDPOINT_URL": location.endpoint_url, "AWS_EC2_METADATA_DISABLED": "true"},
        cwd=PROJECT,
        log=location.log("stand-ins"),
    )
