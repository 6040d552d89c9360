"""The command `recordings` as `pipx install .` brings it: a wheel without the rest of the project."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from sandbox.cloud.location import PROJECT

REST = {"sandbox", "tests", "benchmarks", "routes", "states", "events", "aws_cdk", "moto", "av"}
HEAVY = {"boto3", "botocore", "requests", "recording_insights.providers.registry"}
_IMPORT_ALL = """
import importlib, sys, zipfile
from pathlib import Path
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"{{name}} is not in the wheel")
sys.meta_path.insert(0, Absent())
for name in zipfile.ZipFile(sys.argv[1]).namelist():
    if name.startswith("cli/") and name.endswith(".py"):
        importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)  # noqa: S603
    [built] = folder.glob("*.whl")
    return built


def python(wheel: Path, *arguments: str) -> str:
    """Run Python with the wheel alone, in a folder without the project."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-P", *arguments],
        env={"PYTHONPATH": str(wheel), "PATH": ""},
        cwd=wheel.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_wheel_has_what_the_command_needs(wheel: Path) -> None:
    """Every module of the command line can be imported without the rest of the project and its packages."""
    python(wheel, "-c", _IMPORT_ALL.format(absent=REST), str(wheel))
    names = ZipFile(wheel).namelist()
    assert not [name for name in names if name.partition("/")[0] in REST]
    [entry] = [name for name in names if name.endswith("entry_points.txt")]
    assert "recordings = cli.app:main" in ZipFile(wheel).read(entry).decode()


def test_help_loads_nothing_heavy(wheel: Path) -> None:
    code = "import sys; from cli.app import main; main(['--help']); print('LOADED', *sys.modules)"
    out = python(wheel, "-c", code)
    loaded = set(out.rpartition("LOADED")[2].split())
    assert "Usage: recordings" in out
    assert not loaded & HEAVY
