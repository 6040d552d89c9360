"""The lock files: every package that is installed, with its version and the hashes of its files.

People write the files with the direct packages. uv resolves them.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent.parent
_UV = Path(sys.executable).parent / "uv"
_LOWEST_PYTHON = "3.11"
_RUNTIME = "3.13"
_SHIPPED = "functions/requirements-lock.txt"


@dataclass(frozen=True)
class Lock:
    """What `make install` or a build installs from one file.

    `requirements` is the file of the direct packages, relative to the project. `python` is the lowest Python that the
    lock is for. `constraints` is another lock, whose versions win. `overrides` replaces requirements. `resolved` is
    false for packages that are installed without what they require.
    """

    requirements: str
    python: str = _LOWEST_PYTHON
    constraints: str | None = None
    overrides: str | None = None
    resolved: bool = True

    @property
    def file(self) -> str:
        """The path of the lock, relative to the project."""
        return (self.overrides or self.requirements).replace(".txt", "-lock.txt")


LOCKS = (
    Lock("functions/requirements.txt"),
    Lock("functions/prepare-requirements.txt"),
    # What runs on Lambda is what the tests run with, and no other version of it.
    Lock("requirements.txt", constraints=_SHIPPED),
    Lock("tests/clients/requirements-without-dependencies.txt", resolved=False),
    Lock("requirements.txt", python=_RUNTIME, overrides="tests/unit/requirements-lambda.txt"),
    Lock("dependencies/uv-requirements.txt"),
    Lock("dependencies/requirements.txt"),
    Lock("lint_cloud/cfn-lint-requirements.txt"),
    Lock("lint_cloud/checkov-requirements.txt"),
)
"""In the order in which they are resolved."""


def locked(file: Path) -> dict[str, str]:
    """Return the version of each package of a lock, by its name as the registry spells it."""
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==([^ ;\\]+)", file.read_text(), flags=re.MULTILINE))


def renew(locks: Sequence[Lock] = LOCKS, *, upgrade: bool) -> None:
    """Resolve the direct packages again, and write the locks.

    Without `upgrade`, a version that is in a lock and still fits stays.

    Raises:
        subprocess.CalledProcessError: uv finds no solution, or does not reach the registry.
    """
    for lock in locks:
        subprocess.run(_command(lock, upgrade=upgrade), cwd=PROJECT, env=_environment(), check=True)  # noqa: S603


def _command(lock: Lock, *, upgrade: bool) -> list[str]:
    # Developers have Linux and macOS on two architectures: one lock has the files of all. A lock names no registry,
    # so that each machine uses its own mirror.
    return [
        *(str(_UV), "pip", "compile", "--quiet", "--universal", "--python-version", lock.python),
        *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"),
        *(["--upgrade"] if upgrade else []),
        *(["--constraints", lock.constraints] if lock.constraints else []),
        *(["--overrides", lock.overrides] if lock.overrides else []),
        *([] if lock.resolved else ["--no-deps"]),
        *(lock.requirements, "--output-file", lock.file),
    ]


def _environment() -> dict[str, str]:
    return {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
