"""The packages as shipped, under the Python of the Lambda runtime: every handler can be imported and called.

PyAV is this host's wheel, because the one for arm64 cannot be loaded here. It is the same release for the same ABI.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.bundling.packages import RUNTIME_VERSION
from sandbox.cloud.location import PROJECT

VARIABLE = f"PYTHON_{RUNTIME_VERSION.replace('.', '_')}"
OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
"""What Lambda's runtime has without our package. Pure Python: our own copies serve any version."""
IMPORT = """
import importlib, json, sys

sys.path[:0] = sys.argv[1:3]
for handler in sys.argv[3:]:
    module, _, name = handler.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name)), handler
print(json.dumps([sys.version_info[:2], [getattr(m, "__file__", None) for m in sys.modules.values()]]))
"""


def pythons() -> Iterator[str]:
    """Where an interpreter of the runtime's version may be."""
    yield os.environ.get(VARIABLE, "")
    yield shutil.which(f"python{RUNTIME_VERSION}") or ""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield str(PROJECT / ".local" / f"python{RUNTIME_VERSION}" / "bin" / "python")
    yield from map(str, root.glob(f"versions/{RUNTIME_VERSION}.*/bin/python"))


def is_of_the_runtime(python: str) -> bool:
    """Whether this interpreter starts, and has the runtime's version: a shim of pyenv may do neither."""
    if not python:
        return False
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return False
    return bool(done.stdout.strip() == RUNTIME_VERSION)


@pytest.fixture(scope="module")
def python() -> str:
    found = next(filter(is_of_the_runtime, pythons()), None)
    if found is None:
        pytest.skip(
            f"NOT TESTED: Lambda runs the functions under Python {RUNTIME_VERSION}, which this machine lacks. "
            f"Install python{RUNTIME_VERSION}, or set {VARIABLE} to its path."
        )
    return found


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runtime")
    for name in OF_THE_RUNTIME:
        (folder / name).symlink_to(Path(boto3.__file__).parents[1] / name)
    return folder


@pytest.mark.parametrize("alone", [False, True], ids=["shared", "prepare_media"])
def test_every_handler_is_imported_under_the_python_of_the_runtime(
    python: str,
    runtime: Path,
    shared_package: Path,
    on_this_host: Path,
    every_provider: dict[str, Any],
    alone: bool,
) -> None:
    functions = [
        resource["Properties"]
        for resource in every_provider["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    handlers = [function["Handler"] for function in functions if ("prepare_media" in function["Handler"]) is alone]
    assert handlers
    package = on_this_host if alone else shared_package

    # -I and -S: nothing but the standard library, the package and what the runtime adds.
    arguments = [python, "-I", "-S", "-B", "-c", IMPORT, str(package), str(runtime), *handlers]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments

    assert done.returncode == 0, done.stderr
    version, files = json.loads(done.stdout)
    assert ".".join(map(str, version)) == RUNTIME_VERSION
    assert str(package / "recording_insights" / "errors.py") in files
    assert (str(package / "av" / "__init__.py") in files) is alone
