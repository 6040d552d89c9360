"""The bills of materials of the Lambda packages: Python packages, and the native libraries in PyAV's wheel."""

import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dependencies.locks import PROJECT
from dependencies.tools import TOOLS, Ended, run
from infra.bundling.native_wheels import LAMBDA_WHEELS
from infra.bundling.packages import SHARED_WHEELS, Wheels, fill

FOLDER = PROJECT / ".local" / "sbom"
PACKAGES: Mapping[str, Sequence[Wheels]] = {
    "shared": (SHARED_WHEELS,),
    "prepare_media": (SHARED_WHEELS, LAMBDA_WHEELS),
}
_VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()) or "valid")
"""


class ToolFailed(Exception):
    """A tool did not write a valid bill of materials. The text is what it wrote instead."""


def write_all() -> list[Path]:
    """Build each package for AWS, and write its CycloneDX file.

    Raises:
        ToolFailed: cyclonedx-bom fails, or its own validator refuses the file.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    return [_write(FOLDER / f"{name}.cdx.json", wheels) for name, wheels in PACKAGES.items()]


def _write(file: Path, wheels: Sequence[Wheels]) -> Path:
    with tempfile.TemporaryDirectory() as temporary:
        package = Path(temporary) / "package"
        package.mkdir()
        fill(package, wheels)
        _python_packages(package, file)
        bill = json.loads(file.read_text())
        bill["components"] += native_libraries(package, licences())
        file.write_text(json.dumps(bill, indent=2) + "\n")
    checked = _succeeded(run([str(TOOLS / "python"), "-c", _VALIDATE, str(file)]))
    if checked.stdout.strip() != "valid":
        raise ToolFailed(checked.stdout)
    return file


def _python_packages(package: Path, file: Path) -> None:
    # -S: nothing but the package and the standard library is on the path of the interpreter that is looked at.
    options = ("-S", "--output-reproducible", "--sv", "1.6", "--pyproject", str(PROJECT / "pyproject.toml"))
    command = [str(TOOLS / "cyclonedx-py"), "environment", *options, "--output-file", str(file), sys.executable]
    # The folder above holds no package: an interpreter with -c also looks into its working directory.
    _succeeded(run(command, {**os.environ, "PYTHONPATH": str(package)}, package.parent))


def _succeeded(ended: Ended) -> Ended:
    if ended.code:
        raise ToolFailed(ended.stderr)
    return ended


def licences(notice: str | None = None) -> dict[str, str]:
    """Return the SPDX expression of each component that NOTICE lists in its tables, by the component's name."""
    text = (PROJECT / "NOTICE").read_text() if notice is None else notice
    return dict(re.findall(r"^  (\S+) {2,}(\S.*?) {2,}https://\S+$", text, flags=re.MULTILINE))


def native_libraries(package: Path, licences: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a CycloneDX component for each shared library that a wheel brings: auditwheel puts them into *.libs."""
    return [
        {
            "type": "library",
            "bom-ref": str(path.relative_to(package)),
            "name": name,
            "version": version,
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}],
            "licenses": [{"expression": licences[name]}],
        }
        for name, version, path in _libraries(package)
    ]


def _libraries(package: Path) -> Iterator[tuple[str, str, Path]]:
    for path in sorted(package.glob("*.libs/*.so*")):
        # libx264-fd5179c6.so.165: name, digest of auditwheel, version of the interface
        stem, _, version = path.name.partition(".so")
        yield stem.rpartition("-")[0], version.removeprefix("."), path
