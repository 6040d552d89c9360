"""A package holds what its lock names and nothing else, and its asset has the hash of what it holds."""

import base64
import hashlib
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
import pytest

from infra.bundling import packages
from infra.bundling.native_wheels import LAMBDA_WHEELS
from infra.bundling.packages import FUNCTIONS, RUNTIME, SHARED_WHEELS, Wheels, package


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that pip takes wheels from."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def build_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """From here on, wheels are installed as on a machine that has installed none."""

    def build(name: str) -> Path:
        monkeypatch.setattr(packages, "WHEELS", tmp_path / name)
        return tmp_path / name

    build("wheels")
    return build


def publish(registry: Path, name: str, source: str) -> str:
    """Put a wheel with one module and a script into the registry. Return its line in a lock."""
    records = {
        f"{name}.py": source,
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}-1.0.dist-info/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    lines = [f"{path},sha256={digest(text)},{len(text)}" for path, text in records.items()]
    records[f"{name}-1.0.dist-info/RECORD"] = "\n".join(lines)
    file = registry / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        for path, text in records.items():
            wheel.writestr(path, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def wheels_of(tmp_path: Path, *lines: str) -> Wheels:
    lock = tmp_path / "requirements-lock.txt"
    lock.write_text("".join(lines))
    return replace(SHARED_WHEELS, lock=lock)


def assets_of(folder: Path, *packages: Sequence[Wheels]) -> list[str]:
    """The key of each package's asset in S3, which has the asset's hash."""
    app = cdk.App(outdir=str(folder))
    stack = cdk.Stack(app, "Stack")
    keys = []
    for number, wheels in enumerate(packages):
        function = cdk.aws_lambda.Function(
            stack,
            f"Function{number}",
            code=package(*wheels),
            handler="states.prepare_media.handler",
            runtime=RUNTIME,
        )
        keys.append(str(stack.resolve(function.node.default_child.code)["s3Key"]))
    return keys


@pytest.mark.matrix
def test_two_builds_of_one_lock_are_one_asset(
    tmp_path: Path, registry: Path, build_elsewhere: Callable[[str], Path]
) -> None:
    wheels = wheels_of(tmp_path, publish(registry, "sound", "def main(): pass\n"))
    first = assets_of(tmp_path / "first", [wheels])
    built = build_elsewhere("another machine")
    assert assets_of(tmp_path / "second", [wheels]) == first
    files = {path.name for path in (built / wheels.digest).rglob("*") if path.is_file()}
    assert files == {"sound.py", "METADATA", "WHEEL", "entry_points.txt"}


@pytest.mark.matrix
def test_each_package_is_an_asset_and_another_one_when_a_file_of_its_wheels_changes(
    tmp_path: Path, registry: Path, build_elsewhere: Callable[[str], Path]
) -> None:
    sound, picture = publish(registry, "sound", ""), publish(registry, "picture", "")
    one = wheels_of(tmp_path, sound)
    other = replace(one, lock=tmp_path / "other-lock.txt")
    other.lock.write_text(picture)
    before = assets_of(tmp_path / "before", [one], [other], [one, other])
    assert len(set(before)) == 3
    (one.folder() / "sound.py").write_text("def main(): raise SystemExit\n")
    after = assets_of(tmp_path / "after", [one], [other], [one, other])
    assert [key in before for key in after] == [False, True, False]


def test_a_wheel_that_is_not_the_locked_one_is_refused(
    tmp_path: Path, registry: Path, build_elsewhere: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    wheels = wheels_of(tmp_path, publish(registry, "sound", ""))
    publish(registry, "sound", "import os\n")
    with pytest.raises(subprocess.CalledProcessError):
        wheels.folder()
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert not (packages.WHEELS / wheels.digest).exists()


def test_a_package_without_a_hash_is_refused(
    tmp_path: Path, registry: Path, build_elsewhere: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    publish(registry, "sound", "")
    wheels = wheels_of(tmp_path, "sound==1.0\n")
    with pytest.raises(subprocess.CalledProcessError):
        wheels.folder()
    assert "--require-hashes" in capfd.readouterr().err


def test_the_folder_of_wheels_follows_from_what_it_is_built_of(tmp_path: Path) -> None:
    wheels = replace(LAMBDA_WHEELS, lock=tmp_path / "requirements-lock.txt")
    wheels.lock.write_text("av==1.0")
    before = wheels.digest
    assert before == wheels.digest
    assert before != replace(wheels, built_for="elsewhere").digest
    assert before != replace(wheels, recipe=()).digest
    wheels.lock.write_text("av==2.0")
    assert before != wheels.digest


@pytest.mark.parametrize("wheels", [SHARED_WHEELS, LAMBDA_WHEELS], ids=["shared", "prepare_media"])
def test_functions_are_built_from_the_locks_beside_them(wheels: Wheels) -> None:
    assert wheels.lock.parent == FUNCTIONS
    assert wheels.lock.name.endswith("-lock.txt")
