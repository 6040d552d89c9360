"""The package of the one function that needs more than pure Python: PyAV, with FFmpeg's libraries in its wheel.

On AWS it runs on Lambda's arm64 under the runtime's Python. The local cloud runs functions on its own host, under
the Python that synthesises.
"""

import mmap
import platform
import shutil
import sysconfig
from functools import partial
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from infra.bundling.loadable_elf import loadable
from infra.bundling.packages import FUNCTIONS, RUNTIME_VERSION, SHARED_WHEELS, Wheels, package
from infra.settings import StackSettings

LAMBDA_PAGE = 4096
"""Bytes: what the kernel of Amazon Linux has on arm64, where others have 16 or 64 KiB."""

_REQUIREMENTS = FUNCTIONS / "prepare-requirements.txt"
_RECIPE = (Path(__file__), Path(__file__).with_name("loadable_elf.py"))
_FOR_COMPILERS = ("*.pyi", "*.pxd", "*.c", "*.h", "py.typed")
# The runtime is Amazon Linux 2023 with glibc 2.34, which takes what was built for an older one.
_PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")


def prepare_code(settings: StackSettings) -> lambda_.Code:
    """The code of the function that prepares media: what the shared zip has, and PyAV for where it will run."""
    return package(SHARED_WHEELS, native_wheels(settings))


def native_wheels(settings: StackSettings) -> Wheels:
    """PyAV for where a stage runs."""
    return HOST_WHEELS if settings.local else LAMBDA_WHEELS


def slim(wheels: Path, *, page: int) -> None:
    """Leave out of a folder what only compilers and debuggers read; that is nearly half of PyAV."""
    for pattern in _FOR_COMPILERS:
        for path in wheels.rglob(pattern):
            path.unlink()
    shutil.rmtree(wheels / "bin", ignore_errors=True)
    for path in wheels.rglob("*.so*"):
        path.write_bytes(loadable(path.read_bytes(), page=page))


LAMBDA_WHEELS = Wheels(
    _REQUIREMENTS,
    f"Lambda on arm64, Python {RUNTIME_VERSION}",
    (
        *(word for name in _PLATFORMS for word in ("--platform", name)),
        *("--implementation", "cp", "--python-version", RUNTIME_VERSION),
    ),
    partial(slim, page=LAMBDA_PAGE),
    _RECIPE,
)
HOST_WHEELS = Wheels(
    _REQUIREMENTS,
    f"{sysconfig.get_platform()}, Python {platform.python_version()}",
    (),
    partial(slim, page=mmap.PAGESIZE),
    _RECIPE,
)
