"""Runs the real `cdk deploy` against the local cloud."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from operations.cdk.command_line import CdkCommand
from sandbox.cloud.local_cloud import LocalCloud, StartError, last_lines, plain_environment
from sandbox.cloud.location import PROJECT, Location
from sandbox.cloud.processes import Supervisor

DEPLOY_SECONDS = 600
# The deployment must not need the network.
_QUIET = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "true", "NO_COLOR": "1"}


def bootstrap_template(cdk: CdkCommand, cache: Path) -> dict[str, Any]:
    """Return CDK's bootstrap template; `cache` keeps one for each version of the command line."""
    file = cache / f"bootstrap-{cdk.version}.json"
    if not file.exists():
        shown = subprocess.run(  # noqa: S603 - fixed arguments
            cdk.run_with("bootstrap", "--show-template", "--json", "--no-notices"),
            env=cdk.environment(plain_environment()) | _QUIET,
            cwd=cache,
            check=True,
            capture_output=True,
        ).stdout
        part = file.with_suffix(".part")
        part.write_bytes(shown)
        part.rename(file)
    template: dict[str, Any] = json.loads(file.read_bytes())
    return template


def deploy(
    supervisor: Supervisor,
    location: Location,
    cdk: CdkCommand,
    cloud: LocalCloud,
    context: Mapping[str, str],
    report: Callable[[str], None],
    project: Path = PROJECT,
) -> dict[str, str]:
    """Deploy the stack of a project and return its outputs. `report` gets each line of the command's output.

    Raises:
        StartError: the command failed or took too long. The text has the end of its output.
    """
    outputs = location.directory / "outputs.json"
    outputs.unlink(missing_ok=True)
    log = location.log("deploy")
    settings = [argument for key, value in context.items() for argument in ("--context", f"{key}={value}")]
    process = supervisor.start(
        "cdk deploy",
        cdk.run_with(
            "deploy",
            *("--require-approval", "never", "--no-notices", "--no-version-reporting", "--ci"),
            *("--method", "direct", "--progress", "events"),
            *("--output", str(location.directory / "cdk.out"), "--outputs-file", str(outputs)),
            *settings,
        ),
        env=cdk.environment(cloud.environment()) | _QUIET,
        cwd=project,
        log=log,
    )
    deadline = time.monotonic() + DEPLOY_SECONDS
    with log.open(errors="replace") as lines:
        while supervisor.returncode(process) is None:
            for line in lines:
                if line.strip():
                    report(line.strip())
            if time.monotonic() > deadline:
                raise StartError(f"`cdk deploy` did not end within {DEPLOY_SECONDS} s. {last_lines(log, 25)}")
            time.sleep(0.1)
    failed = supervisor.returncode(process)
    supervisor.end(process)
    if failed or not outputs.exists():
        raise StartError(f"`cdk deploy` failed. {last_lines(log, 25)}")
    [by_name] = json.loads(outputs.read_text()).values()
    return dict(by_name)
