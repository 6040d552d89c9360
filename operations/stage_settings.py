"""The settings of a stage, as app.py reads them: its file, over it what was typed, and below both cdk.json."""

import argparse
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.settings import SETTINGS, ContextError, StackSettings, shown
from infra.stage_file import STAGES, StageFile, context_of, merged_context, name_of, read_stage_file
from operations.deployed_stack import Clients, OperationFailed

CDK_JSON = Path(__file__).parents[1] / "cdk.json"
IDENTITY_RIGHT = "sts:GetCallerIdentity, which everybody has"


@dataclass(frozen=True)
class GivenSettings:
    """A stage, its file if it has one, and the settings that were typed: texts by key, without the stage."""

    stage: str
    file: StageFile | None
    typed: Mapping[str, str]

    @property
    def region(self) -> str | None:
        """The region of the file."""
        return self.file.region if self.file else None

    @property
    def arguments(self) -> list[str]:
        """What the CDK and app.py need to find the same settings."""
        return [
            part for key, value in (("stage", self.stage), *self.typed.items()) for part in ("-c", f"{key}={value}")
        ]

    def checked(self, cdk_json: Path = CDK_JSON) -> StackSettings:
        """Return the settings as app.py reads them.

        Raises:
            OperationFailed: a setting is wrong.
        """
        below: dict[str, Any] = json.loads(cdk_json.read_text()).get("context", {})
        context = {**below, **self.typed, "stage": self.stage}
        try:
            return StackSettings.from_context(merged_context(context, self.file, below))
        except ContextError as error:
            where = f"{self.file.name}, cdk.json or the command line" if self.file else "cdk.json or the command line"
            raise OperationFailed(f"The stack's settings are wrong ({where}):\n{error}") from None

    def overrides(self) -> Iterator[str]:
        """Name each setting that was typed and has another value in the file, or none."""
        if self.file is None:
            return
        of_file = context_of(self.file.settings)
        for key, text in context_of({key: value for key, value in self.typed.items() if key in SETTINGS}).items():
            if key not in of_file:
                yield f"override: {key}={shown(key, text)}, which {self.file.name} does not set"
            elif of_file[key] != text:
                before = shown(key, of_file[key])
                yield f"override: {key}={shown(key, text)} instead of {before} of {self.file.name}"


def given_settings(stage: str, pairs: Iterable[str], folder: Path | None = None) -> GivenSettings:
    """Read the file of a stage from `stages/` or another folder, and put `key=value` pairs over it.

    Raises:
        OperationFailed: the file is wrong, or a pair is none.
    """
    try:
        return GivenSettings(stage, read_stage_file(folder or STAGES, stage), typed_settings(stage, pairs))
    except ContextError as error:
        raise OperationFailed(str(error)) from None


def typed_settings(stage: str, pairs: Iterable[str]) -> dict[str, str]:
    """Take `key=value` pairs apart. One of them may name the stage again.

    Raises:
        OperationFailed: a pair is none, or names another stage.
    """
    typed = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise OperationFailed(f'{pair!r} is not of the form key=value. Example: CONTEXT="linkMinutes=90"')
        typed[key] = value
    if (other := typed.pop("stage", stage)) != stage:
        raise OperationFailed(f"STAGE is {stage}, and a setting says stage={other}: give STAGE alone.")
    return typed


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a stage and its typed settings."""
    parser.add_argument("--stage", required=True)
    parser.add_argument("-c", "--context", action="append", default=[], help="a setting, key=value, as for cdk")
    parser.add_argument("--settings", default="", help="several: key=value key=value, with quotes as in a shell")


def pairs_of(options: argparse.Namespace) -> list[str]:
    """Return the pairs in the arguments of `add_settings`.

    Raises:
        OperationFailed: a quote is not closed.
    """
    try:
        return [*options.context, *shlex.split(options.settings)]
    except ValueError as error:
        raise OperationFailed(f"CONTEXT={options.settings!r}: {error}. Close every quote.") from None


def check_place(given: GivenSettings, client: Clients, aws_region: str | None) -> None:
    """Check that credentials and AWS_REGION are those of the file. Without a file, any will do.

    Raises:
        OperationFailed: they are of another account or region; the text names both.
        ClientError: AWS refuses the call.
    """
    file = given.file
    if file is None:
        return
    if aws_region and aws_region != file.region:
        raise OperationFailed(
            f"{file.name} is for the region {file.region}, and AWS_REGION is {aws_region}. "
            f"Unset AWS_REGION, or set it to {file.region}. Nothing was changed."
        )
    account = account_of(client)
    if account != file.account:
        raise OperationFailed(
            f"{file.name} is for the account {file.account}, and your credentials are of the account {account}. "
            "Use credentials of the former (AWS_PROFILE). Nothing was changed."
        )


def account_of(client: Clients) -> str:
    """Return the account of the credentials."""
    return str(client("sts").get_caller_identity()["Account"])


def missing_file_line(stage: str) -> str:
    """Say that a stage has no file, and how to get one."""
    return (
        f"There is no {name_of(stage)}: the settings come from the command line only. "
        f"`make stage-file STAGE={stage}` writes a file."
    )
