"""Brings the local stack up, up to date, and down: local cloud, stand-ins, secrets, and the deployed stack.

`bring_down` keeps the state of a stack: the local cloud saves it, and the stand-ins keep running, as vendors outside of
AWS would. The next `bring_up` in the same folder restores it, unless it was dropped.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from cli.terminal.phases import Phases
from operations.agora_key import rotate_key
from operations.cdk.command_line import CdkCommand
from operations.deployed_stack import OperationFailed
from sandbox.cloud.context import STAGE, full_context
from sandbox.cloud.deployment import bootstrap_template, deploy
from sandbox.cloud.local_cloud import (
    LocalCloud,
    StartError,
    bootstrap,
    plain_environment,
    start_local_cloud,
    wait_until_ready,
)
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT, REGION, TESTS_DIRECTORY, Location, LocationError
from sandbox.cloud.processes import Interrupts, Process, Supervisor, end, is_running
from sandbox.cloud.sources import LOCAL_CLOUD, STACK, STAND_INS, source_digest, source_digests
from sandbox.doors import CONTROL_KEY_VARIABLE, new_control_key
from sandbox.stand_ins.bedrock.open_model import GREETING, URL_VARIABLE
from sandbox.stand_ins.credentials import credentials


@contextmanager
def running_stack(
    context: Mapping[str, str] | None = None, location: Location | None = None, phases: Phases | None = None
) -> Iterator[LocalStack]:
    """Run the local stack for the length of a `with`.

    A stack that is already up with these settings is updated, used, and left up. One that is down and was kept is
    taken up, and kept again.

    Raises:
        LocationError: a stack is up with other settings, or a port is taken.
        ToolMissing, StartError: the stack did not start. Nothing is left running.
        Interrupted: SIGINT, SIGTERM or SIGHUP. Nothing is left running.
    """
    location = location or Location()
    if stack := stack_that_is_up(location, context or {}):
        yield update(stack, location, phases or Phases())
        return
    with Interrupts() as interrupts:
        supervisor, kept = Supervisor(location.journal, interrupts), location.kept_file.exists()
        try:
            yield _bring_up(supervisor, location, context or {}, phases or Phases())
        finally:
            _undo(supervisor, location, kept=kept)


def bring_up(location: Location, context: Mapping[str, str], phases: Phases, project: Path = PROJECT) -> LocalStack:
    """Start the local stack, or take up the one that was kept, and leave it running. Raises as `running_stack` does.

    `project` is the folder of another version of the project, whose stack is deployed. The local cloud and the
    stand-ins are those of this version.
    """
    with Interrupts() as interrupts:
        supervisor, kept = Supervisor(location.journal, interrupts), location.kept_file.exists()
        try:
            return _bring_up(supervisor, location, context, phases, project)
        except BaseException:
            _undo(supervisor, location, kept=kept)
            raise


def stack_that_is_up(location: Location, context: Mapping[str, str]) -> LocalStack | None:
    """Return the stack that is up in this location's folder. Its ports may differ from the location's.

    Raises:
        LocationError: its settings differ from these.
    """
    stack = _running(location)
    if stack is None:
        return None
    if stack.context != full_context(_location_of(stack, location.directory), context):
        settings = " ".join(f"{key}={value}" for key, value in stack.context.items())
        raise LocationError(f"The local stack is up with other settings ({settings}): run `make down` first.")
    return stack


def require_stack(location: Location) -> LocalStack:
    """Return the stack that is up in this folder, whatever its settings. Raises LocationError if there is none."""
    stack = _running(location)
    if stack is None:
        command = "make up TESTS=1" if location.directory == TESTS_DIRECTORY else "make up"
        raise LocationError(f"No local stack is up (stack.json in {location.directory}). Start one with `{command}`.")
    return stack


def _running(location: Location) -> LocalStack | None:
    try:
        stack = LocalStack.load(location.stack_file)
    except FileNotFoundError:
        return None
    return stack if stack.runs() else None


def _location_of(stack: LocalStack, directory: Path) -> Location:
    cloud_port, sandbox_port = (int(url.rpartition(":")[2]) for url in (stack.endpoint_url, stack.sandbox_url))
    return Location(directory, cloud_port, sandbox_port)


def update(stack: LocalStack, location: Location, phases: Phases) -> LocalStack:
    """Deploy the code that has changed since this stack was deployed. Return the stack as it is now.

    The data of the local cloud stays. Invocations that run end when their function is updated. Stand-ins whose code
    changed start again: their recordings, jobs, dials and ledger are gone. The local cloud itself is not started
    again.

    Raises:
        LocationError: another command is starting or updating the stack.
        ToolMissing, StartError: the update failed. The stack stays up.
        Interrupted: SIGINT, SIGTERM or SIGHUP. The stack stays up.
    """
    sources = source_digests()
    changed = [part for part, digest in sources.items() if stack.sources.get(part) != digest]
    if LOCAL_CLOUD in changed:
        phases.say("The code of the local cloud has changed: `make down` and `make up` start it again, with its data.")
    if changed in ([], [LOCAL_CLOUD]):
        return stack
    location = _location_of(stack, location.directory)
    with Interrupts() as interrupts:
        _end_listed(location.journal, spared=stack.processes)
        supervisor = Supervisor(location.journal, interrupts)
        try:
            if STAND_INS in changed:
                stack = _restart_stand_ins(supervisor, location, stack, sources, phases)
            if STACK in changed:
                stack = _deploy_again(supervisor, location, stack, sources, phases)
        finally:
            for process in supervisor.processes[:]:
                if process not in stack.processes:
                    supervisor.end(process)
            supervisor.close_journal()
    return stack


def _restart_stand_ins(
    supervisor: Supervisor, location: Location, stack: LocalStack, sources: Mapping[str, str], phases: Phases
) -> LocalStack:
    with phases.phase("Start the changed stand-ins again"):
        for process in stack.processes:
            if process.name == STAND_INS:
                end(process)
        stand_ins = _start_stand_ins(supervisor, location, stack.control_key)
        wait_until_ready(supervisor, stand_ins, f"{location.sandbox_url}/health", location.log(STAND_INS))
    _say_which_model_answers(location, phases, started_now=True)
    others = (process for process in stack.processes if process.name != STAND_INS)
    return _saved(
        location,
        replace(stack, processes=(*others, stand_ins), sources={**stack.sources, STAND_INS: sources[STAND_INS]}),
    )


def _deploy_again(
    supervisor: Supervisor, location: Location, stack: LocalStack, sources: Mapping[str, str], phases: Phases
) -> LocalStack:
    with phases.phase("Deploy the changed code") as report:
        try:
            store_secrets(_cloud_of(stack))
            outputs = deploy(supervisor, location, CdkCommand.find(), _cloud_of(stack), stack.context, report)
        except StartError as error:
            raise StartError(f"{error}\nThe stack is still up, with the code that was deployed before.") from error
    return _saved(location, replace(stack, outputs=outputs, sources={**stack.sources, STACK: sources[STACK]}))


def _saved(location: Location, stack: LocalStack) -> LocalStack:
    stack.save(location.stack_file)
    return stack


def bring_down(location: Location) -> list[Process]:
    """End the local cloud, which saves its state, and keep the stack for `bring_up`. Its stand-ins go on.

    Without a saved state nothing is kept and all processes end. Return those that were still running.

    Raises:
        LocationError: another command is starting or updating the stack.
    """
    with Interrupts() as interrupts, interrupts.deferred():
        stack = _stack_in(location.stack_file)
        stand_ins = _stand_ins_of(stack)
        ended = _end_listed(location.journal, location.stack_file, spared=stand_ins)
        if stack and location.saved_services.exists():
            stack.save(location.kept_file)
        elif not location.kept_file.exists():
            ended += [process for process in stand_ins if end(process)]
            shutil.rmtree(location.state, ignore_errors=True)
        _remove_files(location)
    return ended


def drop(location: Location) -> list[Process]:
    """End all processes at this location and delete the state. Return the processes that were still running.

    Raises:
        LocationError: another command is starting or updating the stack.
    """
    with Interrupts() as interrupts, interrupts.deferred():
        ended = _end_listed(location.journal, location.stack_file, location.kept_file)
        _remove_files(location)
        location.kept_file.unlink(missing_ok=True)
        shutil.rmtree(location.state, ignore_errors=True)
    return ended


def _stack_in(file: Path) -> LocalStack | None:
    return LocalStack.load(file) if file.exists() else None


def _stand_ins_of(stack: LocalStack | None) -> list[Process]:
    return [process for process in (stack.processes if stack else ()) if process.name == STAND_INS]


def _end_listed(*files: Path, spared: Collection[Process] = ()) -> list[Process]:
    """End the processes that these files list, but for the spared ones. Return those that were still running."""
    notes = [json.loads(file.read_text()) for file in files if file.exists()]
    for note in notes:
        if (starter := note.get("starter")) and is_running(Process(**starter)):
            raise LocationError(
                f"The local stack is just being brought up by process {starter['pid']}: wait, or end that process."
            )
    left = dict.fromkeys(Process(**process) for note in notes for process in note["processes"])
    return [process for process in reversed(left) if process not in spared and end(process)]


def _undo(supervisor: Supervisor, location: Location, *, kept: bool) -> None:
    """End what was started. A stack that was kept before is kept again in its present state."""
    with supervisor.interrupts.deferred():
        stack = _stack_in(location.stack_file) if kept else None
        supervisor.end_all(spared=_stand_ins_of(stack))
        if stack:
            stack.save(location.kept_file)
        if not kept:
            shutil.rmtree(location.state, ignore_errors=True)
        _remove_files(location)


def _remove_files(location: Location) -> None:
    for file in (location.stack_file, location.journal):
        file.unlink(missing_ok=True)
    shutil.rmtree(location.scratch, ignore_errors=True)


def _bring_up(
    supervisor: Supervisor,
    location: Location,
    context: Mapping[str, str],
    phases: Phases,
    project: Path = PROJECT,
) -> LocalStack:
    cdk = CdkCommand.find()
    sources = {**source_digests(), STACK: source_digest(STACK, project)}
    for process in bring_down(location):
        phases.say(f"Ended the {process.name}, which an earlier run had left behind.")
    kept = _stack_in(location.kept_file)
    if kept:
        location = _location_of(kept, location.directory)
    settings = full_context(location, context)
    stand_ins = _stand_ins_that_went_on(kept, sources)
    location.check_ports(stand_ins=stand_ins is None)
    control_key = kept.control_key if kept else new_control_key()
    location.log("up").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with phases.phase("Start the local cloud again" if kept else "Start local cloud and stand-ins"):
        stand_ins = stand_ins or _start_stand_ins(supervisor, location, control_key)
        administrator = _cloud_of(kept) if kept else None
        cloud = start_local_cloud(supervisor, location, Path(sys.executable), control_key, administrator)
    if not kept:
        _prepare(cloud, cdk, location, phases)
    if kept and kept.context == settings and kept.sources.get(STACK) == sources[STACK]:
        outputs = kept.outputs
    else:
        with phases.phase("Deploy the stack") as report:
            store_secrets(cloud)
            outputs = deploy(supervisor, location, cdk, cloud, settings, report, project)
            if not kept:
                _create_key(cloud, report)
    if stand_ins in supervisor.processes:
        with phases.phase("Wait for the stand-ins"):
            wait_until_ready(supervisor, stand_ins, f"{location.sandbox_url}/health", location.log(STAND_INS))
    _say_which_model_answers(location, phases, started_now=stand_ins in supervisor.processes)
    stack = LocalStack(
        endpoint_url=cloud.endpoint_url,
        region=REGION,
        access_key_id=cloud.access_key_id,
        secret_access_key=cloud.secret_access_key,
        api_url=location.api_url,
        sandbox_url=location.sandbox_url,
        outputs=outputs,
        context=settings,
        processes=tuple(dict.fromkeys((stand_ins, *supervisor.processes))),
        sources=sources,
        control_key=control_key,
    )
    stack.save(location.stack_file)
    location.kept_file.unlink(missing_ok=True)
    supervisor.close_journal()
    return stack


def _stand_ins_that_went_on(kept: LocalStack | None, sources: Mapping[str, str]) -> Process | None:
    """Return the stand-ins of a kept stack, if they still run. End them if their code has changed."""
    for process in _stand_ins_of(kept):
        if kept and kept.sources.get(STAND_INS) == sources[STAND_INS] and is_running(process):
            return process
        end(process)
    return None


def _cloud_of(stack: LocalStack) -> LocalCloud:
    return LocalCloud(stack.endpoint_url, stack.access_key_id, stack.secret_access_key)


def _prepare(cloud: LocalCloud, cdk: CdkCommand, location: Location, phases: Phases) -> None:
    with phases.phase("Bootstrap CDK"):
        bootstrap(cloud, bootstrap_template(cdk, location.directory))


def store_secrets(cloud: LocalCloud) -> None:
    """Create the secrets of the stand-ins that do not exist. A kept state may be of code that knew fewer."""
    secrets = cloud.client("secretsmanager")
    for name, secret in credentials().items():
        with suppress(secrets.exceptions.ResourceExistsException):
            secrets.create_secret(Name=f"recording-insights/{STAGE}/{name}", SecretString=json.dumps(secret))


def _create_key(cloud: LocalCloud, report: Callable[[str], None]) -> None:
    try:
        rotate_key(STAGE, cloud.client, report)
    except OperationFailed as failure:
        raise StartError(str(failure)) from failure


def _say_which_model_answers(location: Location, phases: Phases, *, started_now: bool) -> None:
    """Pass on the stand-ins' word about a model of the user's. Those that went on know no other one than before."""
    if URL_VARIABLE not in os.environ:
        return
    if not started_now:
        phases.say(f"The stand-ins go on as they were started. {URL_VARIABLE} counts after `make down DELETE=1`.")
        return
    log = location.log(STAND_INS)
    said = [line for line in log.read_text().splitlines() if line.startswith(GREETING)] if log.exists() else []
    for line in said[-1:]:
        phases.say(line)


def _start_stand_ins(supervisor: Supervisor, location: Location, control_key: str) -> Process:
    """Start them without AWS credentials: they get only those that the stack sends to a vendor."""
    return supervisor.start(
        STAND_INS,
        [
            *(sys.executable, "-m", "sandbox.stand_ins"),
            *("--port", str(location.sandbox_port), "--webhooks", f"{location.api_url}/webhooks"),
        ],
        env={
            **plain_environment(),
            "AWS_ENDPOINT_URL": location.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            CONTROL_KEY_VARIABLE: control_key,
        },
        cwd=PROJECT,
        log=location.log(STAND_INS),
    )
