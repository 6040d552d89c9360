"""Commands that run the CDK on one stage: deploy, diff, bootstrap and synth. Each returns the CDK's own exit code."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from operations.cdk.command_line import PROJECT, CdkCommand
from operations.deployed_stack import Clients, OperationFailed, Report, explained
from operations.removed_providers import check_removed_providers
from operations.stage_settings import (
    IDENTITY_RIGHT,
    GivenSettings,
    account_of,
    check_place,
    missing_file_line,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class Desk:
    """What the commands work with.

    `run` runs the CDK with arguments and an environment, and returns its exit code. `region` is that of the
    environment or the profile, None if there is none. `terminal` is whether somebody can answer a question.
    """

    client: Clients
    table_of: "Callable[[str], Table]"
    run: Callable[[list[str], Mapping[str, str]], int]
    report: Report
    environment: Mapping[str, str]
    region: str | None
    terminal: bool


def deploy(given: GivenSettings, desk: Desk, *, unasked: bool = False, forced: bool = False) -> int:
    """Deploy a stage. With a terminal, the CDK asks before it widens rights, unless `unasked`.

    `forced` leaves out the check of removed providers.

    Raises:
        OperationFailed: settings, account or region are wrong, or a provider is removed that is still needed.
    """
    _introduce(given, desk)
    settings = given.checked()
    _check_place(given, desk)
    if not forced:
        check_removed_providers(settings, desk.client, desk.table_of, desk.report)
    approval = []
    if unasked or not desk.terminal:
        approval = ["--require-approval", "never"]
        reason = "YES=1" if unasked else "there is no terminal"
        shown = f"`make diff STAGE={given.stage}` shows the changes."
        desk.report(f"The CDK does not ask before it widens rights: {reason}. {shown}")
    code = _run(given, desk, "deploy", *approval, *given.arguments)
    if code == 0:
        desk.report(f"Next: `.venv/bin/recordings doctor --stage {given.stage} --after-deploy`")
    return code


def diff(given: GivenSettings, desk: Desk) -> int:
    """Show what a deployment would change. Raises OperationFailed as `deploy` does."""
    _introduce(given, desk)
    given.checked()
    _check_place(given, desk)
    return _run(given, desk, "diff", *given.arguments)


def import_data(given: GivenSettings, desk: Desk, mapping: Path) -> int:
    """Put the data that a deleted stage has left under a new stack, by the file that `operations.destroy` wrote.

    Raises:
        OperationFailed: the file is missing, or as `deploy` does.
    """
    if not mapping.is_file():
        raise OperationFailed(f"There is no file {mapping}: DATA names the one that `make destroy` wrote.")
    _introduce(given, desk)
    given.checked()
    _check_place(given, desk)
    return _run(given, desk, "import", *given.arguments, "--resource-mapping", str(mapping.resolve()))


def synth(given: GivenSettings, desk: Desk) -> int:
    """Write the template of a stage. It needs no credentials. Raises OperationFailed: settings are wrong."""
    for line in given.overrides():
        desk.report(line)
    given.checked()
    code = _run(given, desk, "synth", "--quiet", *given.arguments)
    if code == 0:
        desk.report(f"cdk.out/RecordingInsights-{given.stage}.template.json")
    return code


def bootstrap(given: GivenSettings, desk: Desk) -> int:
    """Prepare the account and region of a stage for the CDK. It reads no other settings.

    Raises:
        OperationFailed: account or region are wrong or unknown.
    """
    _check_place(given, desk)
    region = given.region or desk.region
    if region is None:
        raise OperationFailed("The region of the stack is unknown. Set AWS_REGION.")
    with explained([IDENTITY_RIGHT]):
        account = given.file.account if given.file else account_of(desk.client)
    return _run(given, desk, "bootstrap", f"aws://{account}/{region}", "--no-version-reporting")


def run_cdk(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the project's CDK in the project's folder, with the terminal of this process. Raises ToolMissing.

    A bootstrap runs elsewhere: beside cdk.json it would synthesise the stack, which it does not need. The CDK gets
    Ctrl-C from the terminal itself, and then ends what it has begun.
    """
    cdk = CdkCommand.find()
    folder = cdk.script.parent if arguments[0] == "bootstrap" else PROJECT
    with subprocess.Popen(  # noqa: S603 - the project's own command
        cdk.run_with(*arguments), env=cdk.environment(environment), cwd=folder
    ) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def _introduce(given: GivenSettings, desk: Desk) -> None:
    for line in given.overrides() if given.file else [missing_file_line(given.stage)]:
        desk.report(line)


def _check_place(given: GivenSettings, desk: Desk) -> None:
    with explained([IDENTITY_RIGHT]):
        check_place(given, desk.client, desk.environment.get("AWS_REGION"))


def _run(given: GivenSettings, desk: Desk, *arguments: str) -> int:
    place = {"AWS_REGION": given.region, "AWS_DEFAULT_REGION": given.region} if given.region else {}
    return desk.run(list(arguments), {**desk.environment, **place})
