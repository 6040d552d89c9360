"""The code packages of the functions: functions/ and the wheels of its locks, built without Docker."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from infra.settings import StackSettings
from recording_insights.settings import STAGE_SETTINGS_FILE, StageSettings

FUNCTIONS = Path(__file__).parent.parent.parent / "functions"
RUNTIME = lambda_.Runtime.PYTHON_3_13
"""The newest Python that the tests run the functions under."""
RUNTIME_VERSION = RUNTIME.name.removeprefix("python")
WHEELS = FUNCTIONS.parent / ".local" / "wheels"


POWERTOOLS_UTILITIES = ("jmespath_utils", "parameters", "typing")
"""What the package keeps of them. A function is imported from the package in a test: what is missing shows there."""


@dataclass(frozen=True)
class Wheels:
    """The wheels of a lock, installed for the platform that runs them.

    `lock` has every package with its version and its hashes. `built_for` names the platform, and `pip` are pip's
    options for it. `finish` changes the folder that pip has filled. `recipe` are the source files of `finish`.
    """

    lock: Path
    built_for: str
    pip: Sequence[str]
    finish: Callable[[Path], None]
    recipe: Sequence[Path]

    @property
    def digest(self) -> str:
        """The name of the folder. It follows from everything that the folder is built of."""
        sources = (path.read_bytes() for path in (self.lock, *self.recipe))
        options = (option.encode() for option in (self.built_for, *self.pip))
        return hashlib.sha256(b"\0".join((*sources, *options))).hexdigest()[:16]

    def folder(self) -> Path:
        """The folder with the wheels. It is built once: later synths need no network."""
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
                    *("--require-hashes", "--requirement", str(self.lock), "--target", str(built)),
                ],
                check=True,
            )
            _drop_traces(built)
            self.finish(built)
            if not folder.exists():  # unless another synth has built it meanwhile
                built.rename(folder)
        return folder


def _drop_traces(wheels: Path) -> None:
    # What pip notes about an installation differs between machines: RECORD has hashes of scripts, which have paths.
    for name in ("INSTALLER", "RECORD", "REQUESTED"):
        for path in wheels.glob(f"*.dist-info/{name}"):
            path.unlink()


def _drop_unused(wheels: Path) -> None:
    # A third of Powertools is its router, with a documentation page for browsers. Our routes have a function each.
    for path in ("aws_lambda_powertools/event_handler", "bin"):
        shutil.rmtree(wheels / path, ignore_errors=True)
    # Another third are utilities of which the functions use one, and the logger another.
    for folder in wheels.glob("aws_lambda_powertools/utilities/*"):
        if folder.is_dir() and folder.name not in POWERTOOLS_UTILITIES:
            shutil.rmtree(folder)


SHARED_WHEELS = Wheels(
    FUNCTIONS / "requirements-lock.txt",
    f"any platform, Python {RUNTIME_VERSION}",
    ("--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", RUNTIME_VERSION),
    _drop_unused,
    (Path(__file__),),
)
"""Pure Python only, so that one zip runs on arm64 Lambda and on any laptop."""


def shared_code(settings: StackSettings) -> lambda_.Code:
    """The code of every function that needs only pure Python, with the stage's settings in a file."""
    stage_settings = StageSettings(settings.provider_options, settings.prefix_providers, settings.insights_prompt)
    return package(SHARED_WHEELS, files={STAGE_SETTINGS_FILE: stage_settings.to_json()})


def package(*wheels: Wheels, files: Mapping[str, str] | None = None) -> lambda_.Code:
    """functions/, these wheels, and files by their name with their text; built only when CDK needs the zip."""
    files = files or {}
    texts = json.dumps(files, sort_keys=True)
    return lambda_.Code.from_asset(
        str(FUNCTIONS),
        exclude=["**/__pycache__"],
        # The hash of what is in the package: CDK uploads each change, wherever it comes from.
        asset_hash_type=cdk.AssetHashType.OUTPUT,
        bundling=cdk.BundlingOptions(
            image=cdk.DockerImage.from_registry("none"),
            local=_LocalBundling(wheels, files),
            # No build reads these variables. CDK builds assets of equal options once.
            environment={
                "WHEELS": " ".join(part.digest for part in wheels),
                "FILES": hashlib.sha256(texts.encode()).hexdigest(),
            },
        ),
    )


@jsii.implements(cdk.ILocalBundling)
class _LocalBundling:
    def __init__(self, wheels: Sequence[Wheels], files: Mapping[str, str]) -> None:
        self._wheels = wheels
        self._files = files

    def try_bundle(self, output_dir: str, *, image: Any = None, **_: Any) -> bool:
        fill(Path(output_dir), self._wheels, self._files)
        return True


def fill(folder: Path, wheels: Sequence[Wheels], files: Mapping[str, str] | None = None) -> None:
    """Put functions/, the wheels, license and notice, and files by their name with their text into a folder."""
    for part in wheels:
        shutil.copytree(part.folder(), folder, dirs_exist_ok=True)
    shutil.copytree(FUNCTIONS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.txt"))
    for name in ("LICENSE", "NOTICE"):  # whoever gets the package gets its terms
        shutil.copy(FUNCTIONS.parent / name, folder)
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
