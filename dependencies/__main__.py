"""`make lock`, `make update`, `make audit` and `make sbom`."""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))

from dependencies.audit import NPM_LOCKS, Audit, audit_all, exit_code
from dependencies.locks import LOCKS, PROJECT, renew
from dependencies.tools import NPM


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the command."""
    parser = argparse.ArgumentParser(prog="dependencies", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lock", help="write the locks anew; versions that still fit stay")
    commands.add_parser("update", help="write the locks anew with the newest versions that fit")
    audit = commands.add_parser("audit", help="look for known vulnerabilities of the locked packages")
    audit.add_argument("--json", action="store_true", help="print JSON on standard output")
    commands.add_parser("sbom", help="write the bills of materials of the Lambda packages")
    chosen = parser.parse_args(arguments)
    if chosen.command == "audit":
        return _audit(chosen.json)
    if chosen.command == "sbom":
        return _sbom()
    return _lock(upgrade=chosen.command == "update")


def _lock(*, upgrade: bool) -> int:
    npm = ("update", "--package-lock-only") if upgrade else ("install", "--package-lock-only")
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved")
    try:
        renew(upgrade=upgrade)
        for file in NPM_LOCKS:
            folder = (PROJECT / file).parent
            subprocess.run([NPM, *npm, *options, "--silent", "--prefix", folder], check=True, cwd=folder)  # noqa: S603
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[0]} failed, see above. Locks that it did not reach are as they were.", file=sys.stderr)
        return 1
    for name in (*(lock.file for lock in LOCKS), *NPM_LOCKS):
        print(name)
    return 0


def _audit(as_json: bool) -> int:
    audits = []
    for audit in audit_all():
        audits.append(audit)
        if not as_json:
            _show(audit)
    code = exit_code(audits)
    if as_json:
        print(json.dumps({"clean": code == 0, "audits": [asdict(audit) for audit in audits]}, indent=2))
    elif code == 2:
        print("NOT EVERYTHING WAS CHECKED: the source of advisories was not reached. This is no clean result.")
    return code


def _show(audit: Audit) -> None:
    for found in audit.vulnerabilities:
        fixed = f", fixed in {', '.join(found.fixed_in)}" if found.fixed_in else ""
        print(f"{audit.lock}: {found.package} {found.version} has {found.advisory}{fixed}")
    if audit.not_checked:
        more = f" ({len(audit.not_checked)} such packages)" if len(audit.not_checked) > 1 else ""
        print(f"{audit.lock}: NOT CHECKED: {audit.not_checked[0]}{more}")
    elif not audit.vulnerabilities:
        print(f"{audit.lock}: no known vulnerability")


def _sbom() -> int:
    # CDK takes seconds to import, and the other commands do not need it.
    from dependencies.sbom import ToolFailed, write_all

    try:
        for file in write_all():
            print(file.relative_to(PROJECT))
    except ToolFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
