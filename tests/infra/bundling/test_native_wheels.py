"""The package with PyAV fits into Lambda and works on this host; the shared zip does not contain PyAV."""

import subprocess
import sys
from pathlib import Path

import pytest

from dependencies.locks import locked
from infra.bundling.native_wheels import HOST_WHEELS, LAMBDA_WHEELS, native_wheels
from infra.bundling.packages import Wheels
from infra.settings import StackSettings

ARM64 = 183
"""EM_AARCH64. Source: https://man7.org/linux/man-pages/man5/elf.5.html"""
LAMBDA_LIMIT = 250_000_000
"""Bytes of a function's package, unzipped. Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
LARGEST_PACKAGE = 110_000_000
"""An upgrade that exceeds this is noticed long before the limit."""


def libraries_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.so*") if path.is_file()]


@pytest.mark.matrix
def test_on_lambda_the_package_is_smaller_than_the_limit(on_lambda: Path) -> None:
    size = sum(path.stat().st_size for path in on_lambda.rglob("*") if path.is_file())
    assert size < LARGEST_PACKAGE < LAMBDA_LIMIT
    assert (on_lambda / "states" / "prepare_media.py").is_file()
    assert (on_lambda / "recording_insights" / "__init__.py").is_file()
    assert (on_lambda / "aws_lambda_powertools").is_dir()
    assert not list(on_lambda.glob("*.txt"))
    assert not [path for path in on_lambda.rglob("*") if path.suffix in (".pxd", ".pyi", ".pyc", ".h")]


@pytest.mark.matrix
def test_every_library_on_lambda_is_of_arm64_and_the_modules_are_for_any_python(on_lambda: Path) -> None:
    """The stable ABI: what this host's wheel shows under the runtime's Python holds for arm64, too."""
    libraries = libraries_of(on_lambda)
    modules = [path for path in libraries if path.parent.name != "av.libs"]
    assert modules
    assert {path.suffixes[0] for path in modules} == {".abi3"}
    for path in libraries:
        header = path.read_bytes()[:20]
        assert header.startswith(b"\x7fELF"), path.name
        assert int.from_bytes(header[18:20], "little") == ARM64, path.name


def test_on_this_host_it_is_imported_from_the_package(on_this_host: Path) -> None:
    script = "import av, av.audio.resampler, recording_insights; print(av.__file__, av.__version__)"
    arguments = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, sys.argv[1]); {script}",
        str(on_this_host),
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(on_this_host / "av" / "__init__.py"), pinned(LAMBDA_WHEELS)]


def pinned(wheels: Wheels) -> str:
    return locked(wheels.lock)["av"]


def test_the_shared_zip_has_none_of_it(shared_package: Path) -> None:
    assert not libraries_of(shared_package)
    assert not (shared_package / "av").exists()


def test_only_the_local_stage_gets_this_hosts_wheels() -> None:
    assert native_wheels(StackSettings("local", "marsview")) is HOST_WHEELS
    assert native_wheels(StackSettings("dev", "marsview")) is LAMBDA_WHEELS
