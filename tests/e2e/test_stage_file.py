"""A stage with a file is deployed to the local cloud as an operator does it, without a Node on the PATH."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.stage_file import context_of
from operations.deployed_settings import deployed_settings
from sandbox.cloud.local_cloud import LocalCloud
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT, REGION

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(600)]

STAGE = "trial"
FILE = f"""\
account = "000000000000"
region = "{REGION}"
[settings]
provider = "symbl"
prefixProviders = {{"interviews/" = ["deepgram", "transcribe"]}}
symblOptions = {{custom_vocabulary = ["Käse", "a b"]}}
retainData = false
sweepMinutes = 0
"""
COPIED = ("app.py", "cdk.json", "pyproject.toml", "LICENSE", "NOTICE", "functions", "infra", "operations")
LINKED = (".venv", "node_modules", ".local/wheels")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with a file of a stage. Packages and tools are those of this project."""
    folder = tmp_path / "project"
    (folder / ".local").mkdir(parents=True)
    (PROJECT / ".local" / "wheels").mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        copy(PROJECT / name, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(PROJECT / name)
    (folder / "stages").mkdir()
    (folder / "stages" / f"{STAGE}.toml").write_text(FILE)
    return folder


@pytest.fixture
def cloud(stack: LocalStack) -> Iterator[LocalCloud]:
    """The local cloud, from which the stage is deleted again."""
    cloud = LocalCloud(stack.endpoint_url, stack.access_key_id, stack.secret_access_key)
    yield cloud
    cloudformation = cloud.client("cloudformation")
    cloudformation.delete_stack(StackName=f"RecordingInsights-{STAGE}")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=f"RecordingInsights-{STAGE}", WaiterConfig={"Delay": 1}
    )


def run(project: Path, cloud: LocalCloud, module: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in cloud.environment().items() if name.startswith(("AWS_", "NO_PROXY"))}
    python = project / ".venv" / "bin" / Path(sys.executable).name
    return subprocess.run(  # noqa: S603
        [python, "-m", module, *arguments],
        cwd=project,
        env={**environment, "PATH": os.devnull, "CDK_DISABLE_VERSION_CHECK": "1", "CDK_DISABLE_CLI_TELEMETRY": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_stage_is_deployed_from_its_file_and_gives_the_file_back(project: Path, cloud: LocalCloud) -> None:
    file = project / "stages" / f"{STAGE}.toml"
    stage = ["--stage", STAGE]

    deployed = run(project, cloud, "operations.cdk", ["deploy", *stage, "-c", "linkMinutes=90"])
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert f"override: linkMinutes=90, which stages/{STAGE}.toml does not set" in deployed.stderr
    assert "The CDK does not ask before it widens rights: there is no terminal." in deployed.stderr
    given: dict[str, Any] = {
        "provider": "symbl",
        "prefixProviders": {"interviews/": ["deepgram", "transcribe"]},
        "symblOptions": {"custom_vocabulary": ["Käse", "a b"]},
        "retainData": False,
        "sweepMinutes": 0,
    }
    found = deployed_settings(STAGE, cloud.client)
    assert found is not None
    assert found.settings == context_of({**given, "linkMinutes": 90})

    # Without the override, only a default is given back; with it in the file, nothing but the metadata changes.
    file.write_text(f"{FILE}linkMinutes = 90\nqueueDays = 14\n")
    again = run(project, cloud, "operations.cdk", ["deploy", *stage, "--yes"])
    assert again.returncode == 0, again.stdout + again.stderr
    found = deployed_settings(STAGE, cloud.client)
    assert found is not None
    assert found.settings == context_of({**given, "linkMinutes": 90, "queueDays": 14})

    shown = run(project, cloud, "operations.outputs", [*stage, "--json"])
    assert json.loads(shown.stdout)["outputs"]["Providers"] == "symbl,deepgram,transcribe"
    written = run(project, cloud, "operations.write_stage_file", [*stage, "--force"])
    assert written.returncode == 0, written.stderr
    difference = run(project, cloud, "operations.cdk", ["diff", *stage])
    assert difference.returncode == 0, difference.stdout + difference.stderr
    assert "There were no differences" in difference.stdout + difference.stderr

    file.write_text(FILE.replace("000000000000", "111122223333"))
    refused = run(project, cloud, "operations.cdk", ["deploy", *stage])
    assert refused.returncode == 1
    assert "is for the account 111122223333, and your credentials are of the account 000000000000" in refused.stderr
