"""What goes up as a function's code: functions/ and the wheels of its requirements, built without Docker."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

FUNCTIONS = Path(__file__).parent.parent.parent / "functions"
RUNTIME = lambda_.Runtime.PYTHON_3_14
RUNTIME_VERSION = RUNTIME.name.removeprefix("python")
WHEELS = FUNCTIONS.parent / ".local" / "wheels"


@dataclass(frozen=True)
class Wheels:
    """The wheels of a requirements file, installed for where they will run, and what is left out of them.

    `built_for` is that place, in any words, `pip` how pip is told it. `finish` works on the folder that pip has
    filled; `recipe` are the files that it is written in.
    """

    requirements: Path
    built_for: str
    pip: Sequence[str]
    finish: Callable[[Path], None]
    recipe: Sequence[Path]

    @property
    def digest(self) -> str:
        """Changes with what the folder holds."""
        followed = (path.read_bytes() for path in (self.requirements, *self.recipe))
        words = (word.encode() for word in (self.built_for, *self.pip))
        return hashlib.sha256(b"\0".join((*followed, *words))).hexdigest()[:16]

    def folder(self) -> Path:
        """Where they are; built once, so that a synth needs no network after the first."""
        folder = WHEELS / self.digest
        if folder.exists():
            return folder
        WHEELS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{self.digest}.", dir=WHEELS) as building:
            built = Path(building) / "wheels"
            subprocess.run(  # noqa: S603 - fixed arguments
                [
                    *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                    *("--no-compile", "--only-binary=:all:", *self.pip),
                    *("--requirement", str(self.requirements), "--target", str(built)),
                ],
                check=True,
            )
            self.finish(built)
            if not folder.exists():  # another synth may have been faster
                built.rename(folder)
        return folder


def _drop_unused(wheels: Path) -> None:
    # Powertools' router, with a documentation page for browsers, is a third of its size; routes have a function each.
    for path in ("aws_lambda_powertools/event_handler", "bin"):
        shutil.rmtree(wheels / path, ignore_errors=True)


SHARED_WHEELS = Wheels(
    FUNCTIONS / "requirements.txt",
    f"any platform, Python {RUNTIME_VERSION}",
    ("--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", RUNTIME_VERSION),
    _drop_unused,
    (Path(__file__),),
)
"""Pure Python only, so that one zip runs on arm64 Lambda and on any laptop."""


def package(*wheels: Wheels) -> lambda_.Code:
    """functions/ with these wheels; they are installed when the zip has to be built, and not before."""
    return lambda_.Code.from_asset(
        str(FUNCTIONS),
        exclude=["**/__pycache__"],
        asset_hash_type=cdk.AssetHashType.SOURCE,
        bundling=cdk.BundlingOptions(
            image=cdk.DockerImage.from_registry("none"),
            local=_LocalBundling(wheels),
            # Nobody reads it: it is part of the asset's hash.
            environment={"WHEELS": " ".join(part.digest for part in wheels)},
        ),
    )


@jsii.implements(cdk.ILocalBundling)
class _LocalBundling:
    def __init__(self, wheels: Sequence[Wheels]) -> None:
        self._wheels = wheels

    def try_bundle(self, output_dir: str, *, image: Any = None, **_: Any) -> bool:
        fill(Path(output_dir), self._wheels)
        return True


def fill(folder: Path, wheels: Sequence[Wheels]) -> None:
    """Put functions/ and the wheels into a folder."""
    for part in wheels:
        shutil.copytree(part.folder(), folder, dirs_exist_ok=True)
    shutil.copytree(FUNCTIONS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.txt"))
