"""Every package that is installed stands in a lock, with the version that people wrote and with hashes."""

import re
from pathlib import Path

import pytest

from dependencies.locks import LOCKS, PROJECT, Lock, locked

every_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.file)


def wanted(file: Path) -> dict[str, str]:
    """The direct packages of a file, those of the files that it includes too."""
    versions: dict[str, str] = {}
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            versions |= wanted(PROJECT / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            name, _, version = line.partition("==")
            versions[re.sub(r"\[.*\]", "", name).lower()] = version
    return versions


@every_lock
def test_a_lock_has_the_versions_that_people_wrote(lock: Lock) -> None:
    """`make lock` writes a lock that is older than its requirements."""
    versions = wanted(PROJECT / lock.requirements)
    if lock.overrides:
        versions |= wanted(PROJECT / lock.overrides)
    assert versions.items() <= locked(PROJECT / lock.file).items()


@every_lock
def test_every_package_of_a_lock_has_a_hash_and_no_lock_names_a_registry(lock: Lock) -> None:
    text = (PROJECT / lock.file).read_text()
    packages = re.findall(r"^[^#\s](?:.*\\\n)*.*", text, flags=re.MULTILINE)
    assert len(packages) >= len(locked(PROJECT / lock.file)) > 0
    assert [package for package in packages if "--hash=sha256:" not in package] == []
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)


def test_the_tests_run_with_the_packages_that_run_on_lambda() -> None:
    project = locked(PROJECT / "requirements-lock.txt").items()
    assert locked(PROJECT / "functions/requirements-lock.txt").items() <= project
    assert locked(PROJECT / "functions/prepare-requirements-lock.txt").items() <= project


def test_every_requirements_file_has_a_lock() -> None:
    files = {
        str(path.relative_to(PROJECT))
        for folder in (".", "functions", "dependencies", "lint_cloud", "tests/*")
        for path in PROJECT.glob(f"{folder}/*requirements*.txt")
    }
    people = {lock.requirements for lock in LOCKS} | {lock.overrides for lock in LOCKS if lock.overrides}
    assert files == people | {lock.file for lock in LOCKS}
