"""Write the file of a stage, with the settings that it was deployed with or with those of the command line."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.settings import LOCAL, SETTINGS
from infra.stage_file import STAGES, StageFile, as_toml, name_of
from operations.command import run_command
from operations.deployed_settings import RIGHT, deployed_settings
from operations.deployed_stack import Clients, OperationFailed, Report, aws_client, explained, find_outputs
from operations.stage_settings import IDENTITY_RIGHT, GivenSettings, account_of, add_settings, pairs_of, typed_settings

RIGHTS = ("cloudformation:DescribeStacks", RIGHT, IDENTITY_RIGHT)
_HEAD = """\
# The stage {stage}: where it is, and its settings. `make deploy STAGE={stage}` reads this file.
# docs/settings.md explains each setting, and stages/example.toml shows all of them.
# PROVIDER and CONTEXT on the command line count before this file, for one deployment.
"""


@dataclass(frozen=True)
class Outcome:
    """The file that was written. `deployed` is whether its settings are those of the deployed stack."""

    stage: str
    file: str
    deployed: bool


def write_stage_file(
    stage: str, typed: Mapping[str, str], client: Clients, report: Report, *, folder: Path, forced: bool = False
) -> Outcome:
    """Write the file of a stage in the account and region of the credentials.

    The settings are those of the deployed stack, and over them what was `typed`. An earlier version notes no settings,
    and a new stage has none: then they are what was typed. `forced` replaces a file that is there.

    Raises:
        OperationFailed: the file is there, a setting is missing or wrong, or AWS refuses a call.
    """
    name, path = name_of(stage), folder / f"{stage}.toml"
    if stage == LOCAL:
        raise OperationFailed(f'The stage {LOCAL} has no file: give its settings as `make up CONTEXT="key=value"`.')
    if path.exists() and not forced:
        raise OperationFailed(f"{name} is there, and was not changed. Edit it. FORCE=1 writes it anew.")
    with explained(RIGHTS):
        found = _settings_of_stack(stage, client, report)
        account, region = account_of(client), str(client("cloudformation").meta.region_name)
    settings = {**(found or {}), **typed}
    GivenSettings(stage, None, settings).checked()
    toml = {key: as_toml(key, settings[key]) for key in SETTINGS if key in settings}
    folder.mkdir(exist_ok=True)
    path.write_text(toml_of(StageFile(stage, account, region, toml)), encoding="utf-8")
    return Outcome(stage, name, found is not None)


def toml_of(file: StageFile) -> str:
    """Return the text of a stage's file, with comments of what is allowed."""
    return "".join(f"{line}\n" for line in _lines(file))


def _lines(file: StageFile) -> Iterator[str]:
    yield from _HEAD.format(stage=file.stage).splitlines()
    yield ""
    yield f"account = {_toml(file.account)}"
    yield f"region = {_toml(file.region)}"
    yield ""
    yield "[settings]"
    for key, value in file.settings.items():
        if not isinstance(value, list | Mapping):  # of which the text says how a command line has them
            yield f"# {SETTINGS[key].allowed}"
        yield f"{key} = {_toml(value)}"


def _toml(value: Any) -> str:
    """Write a value of TOML on one line."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_toml(key)} = {_toml(each)}' for key, each in value.items())}}}"
    return str(value)


def _settings_of_stack(stage: str, client: Clients, report: Report) -> Mapping[str, str] | None:
    """Return the settings that a stage was deployed with; None if it was not, or if an earlier version did it."""
    if find_outputs(stage, client) is None:
        return None
    deployed = deployed_settings(stage, client)
    if deployed is None:
        report(
            f"An earlier version deployed the stage {stage} and noted no settings. Give all that you deployed it with, "
            f"as PROVIDER and CONTEXT. Afterwards `make diff STAGE={stage}` shows what the file would change."
        )
        return None
    return deployed.settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m operations.write_stage_file", description=__doc__)
    add_settings(parser)
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON on standard output")
    options = parser.parse_args(arguments)

    def operation(report: Report) -> Outcome:
        typed = typed_settings(options.stage, pairs_of(options))
        return write_stage_file(options.stage, typed, aws_client, report, folder=STAGES, forced=options.force)

    return run_command(operation, _sentence, as_json=options.json)


def _sentence(outcome: Outcome) -> str:
    origin = "of the deployed stack" if outcome.deployed else "of the command line"
    return f"{outcome.file} has the settings {origin}. `make diff STAGE={outcome.stage}` shows what it would change."


if __name__ == "__main__":
    sys.exit(main())
