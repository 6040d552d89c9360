"""The package of `prepare_media`, the only function with native code: PyAV, whose wheel contains FFmpeg's libraries.

On AWS the function runs on arm64 under the runtime's Python. The local cloud runs functions on its own host, under the
Python that runs the synth.
"""

import platform
import shutil
import sysconfig
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from infra.bundling.packages import FUNCTIONS, RUNTIME_VERSION, SHARED_WHEELS, Wheels, package
from infra.settings import StackSettings

_LOCK = FUNCTIONS / "prepare-requirements-lock.txt"
_RECIPE = (Path(__file__),)
_FOR_COMPILERS = ("*.pyi", "*.pxd", "*.c", "*.h", "py.typed")
# The runtime is Amazon Linux 2023 with glibc 2.34. It loads libraries that were built for an older glibc.
_PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")


def prepare_code(settings: StackSettings) -> lambda_.Code:
    """Return the code of `prepare_media`: the content of the shared zip, and PyAV for the platform of the stage."""
    return package(SHARED_WHEELS, native_wheels(settings))


def native_wheels(settings: StackSettings) -> Wheels:
    """Return the PyAV wheels for the platform of a stage."""
    return HOST_WHEELS if settings.local else LAMBDA_WHEELS


def slim(wheels: Path) -> None:
    """Delete the files of a folder that only compilers and type checkers read, and the command line tools."""
    for pattern in _FOR_COMPILERS:
        for path in wheels.rglob(pattern):
            path.unlink()
    shutil.rmtree(wheels / "bin", ignore_errors=True)


LAMBDA_WHEELS = Wheels(
    _LOCK,
    f"Lambda on arm64, Python {RUNTIME_VERSION}",
    (
        *(argument for name in _PLATFORMS for argument in ("--platform", name)),
        *("--implementation", "cp", "--python-version", RUNTIME_VERSION),
    ),
    slim,
    _RECIPE,
)
HOST_WHEELS = Wheels(
    _LOCK,
    f"{sysconfig.get_platform()}, Python {platform.python_version()}",
    (),
    slim,
    _RECIPE,
)
