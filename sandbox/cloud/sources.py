"""Digests of the code that a local stack runs, to notice that it has changed since."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from sandbox.cloud.location import PROJECT

STACK = "stack"
STAND_INS = "stand-ins"
LOCAL_CLOUD = "local cloud"

SOURCES: Mapping[str, tuple[str, ...]] = {
    STACK: ("functions", "infra", "app.py", "cdk.json", "requirements-lock.txt", "package-lock.json"),
    STAND_INS: ("sandbox/stand_ins", "sandbox/sample", "sandbox/doors.py", "sandbox/shapes.py"),
    LOCAL_CLOUD: ("sandbox/cloud/emulator", "sandbox/doors.py", "sandbox/shapes.py"),
}
"""Files and folders of each part of a local stack."""


def source_digests() -> dict[str, str]:
    """Return the digest of each part's code, by the part's name."""
    return {part: source_digest(part) for part in SOURCES}


def source_digest(part: str, project: Path = PROJECT) -> str:
    """Return the digest of the code of one part. Names and contents of files count, dates do not."""
    digest = hashlib.sha256()
    for name in SOURCES[part]:
        for file in _files(project / name):
            digest.update(f"{file.relative_to(project)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for entry in sorted(path.iterdir()):
        # Caches and the files that editors write beside the real ones.
        if not entry.name.startswith((".", "__pycache__")):
            yield from _files(entry)
