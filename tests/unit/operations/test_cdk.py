"""`make deploy`, `diff`, `synth` and `bootstrap`: what they refuse, what they say, and what the CDK is run with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from operations.cdk import __main__ as command
from operations.cdk.command_line import PROJECT, CdkCommand, ToolMissing
from operations.cdk.commands import Desk, bootstrap, deploy, diff, import_data, run_cdk, synth
from operations.deployed_stack import OperationFailed
from operations.stage_settings import given_settings
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.operations.fake_account import Account, aws_error
from tests.unit.operations.test_stage_settings import PROD

ASKS_NOT = ["--require-approval", "never"]
NO_FILE = (
    "There is no stages/dev.toml: the settings come from the command line only. "
    "`make stage-file STAGE=dev` writes a file."
)


def examine(stage: str) -> str:
    """The last line of a deployment that succeeded."""
    return f"Next: `.venv/bin/recordings doctor --stage {stage} --after-deploy`"


@dataclass
class FakeCdk:
    """Notes how the CDK is run, and what the operator is shown."""

    code: int = 0
    runs: list[list[str]] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __call__(self, arguments: list[str], environment: Mapping[str, str]) -> int:
        self.runs.append(arguments)
        self.environment = environment
        return self.code


@pytest.fixture
def cdk() -> FakeCdk:
    return FakeCdk()


@pytest.fixture
def account() -> Account:
    return Account(stacks=())


@pytest.fixture
def desk(cdk: FakeCdk, account: Account, media_store: MediaStore) -> Desk:
    return Desk(account, lambda name: media_store.table, cdk, cdk.lines.append, {"HOME": "/x"}, None, terminal=True)


@pytest.fixture
def prod(stages: Path) -> Path:
    file = stages / "prod.toml"
    file.write_text(PROD)
    return file


def test_a_stage_is_deployed_with_its_file(prod: Path, cdk: FakeCdk, desk: Desk, account: Account) -> None:
    assert deploy(given_settings("prod", ["linkMinutes=90"]), desk) == 0
    assert cdk.runs == [["deploy", "-c", "stage=prod", "-c", "linkMinutes=90"]]
    assert cdk.environment == {"HOME": "/x", "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
    assert cdk.lines == ["override: linkMinutes=90 instead of 60 of stages/prod.toml", examine("prod")]
    assert account.calls == ["get_caller_identity", "describe_stacks"]


def test_a_stage_without_a_file_is_deployed_as_it_is_typed(cdk: FakeCdk, desk: Desk, account: Account) -> None:
    assert deploy(given_settings("dev", ["provider=symbl"]), desk) == 0
    assert cdk.runs == [["deploy", "-c", "stage=dev", "-c", "provider=symbl"]]
    assert (cdk.lines, cdk.environment) == ([NO_FILE, examine("dev")], {"HOME": "/x"})
    assert account.calls == ["describe_stacks"]


@pytest.mark.parametrize(
    ("terminal", "unasked", "reason"), [(False, False, "there is no terminal"), (True, True, "YES=1")]
)
def test_nobody_is_asked_without_a_terminal_or_on_request(
    prod: Path, cdk: FakeCdk, desk: Desk, terminal: bool, unasked: bool, reason: str
) -> None:
    assert deploy(given_settings("prod", []), replace(desk, terminal=terminal), unasked=unasked) == 0
    assert cdk.runs == [["deploy", *ASKS_NOT, "-c", "stage=prod"]]
    assert cdk.lines == [
        f"The CDK does not ask before it widens rights: {reason}. `make diff STAGE=prod` shows the changes.",
        examine("prod"),
    ]


@pytest.mark.parametrize("run", [deploy, diff, bootstrap])
def test_another_account_or_region_is_refused_before_the_cdk_runs(
    prod: Path, cdk: FakeCdk, desk: Desk, run: Any
) -> None:
    elsewhere = replace(desk, environment={"AWS_REGION": "us-east-1"})
    with pytest.raises(OperationFailed, match="AWS_REGION is us-east-1"):
        run(given_settings("prod", []), elsewhere)
    prod.write_text(PROD.replace("111122223333", "444455556666"))
    with pytest.raises(OperationFailed, match="credentials are of the account 111122223333"):
        run(given_settings("prod", []), desk)
    assert cdk.runs == []


def test_a_provider_that_is_needed_is_not_removed_unless_forced(
    prod: Path, cdk: FakeCdk, desk: Desk, account: Account, media_store: MediaStore, make_media: MakeMedia
) -> None:
    account.stacks = ("RecordingInsights-prod",)
    account.outputs = {"InsightsTableName": "insights", "Providers": "symbl,deepgram"}
    media_store.admit("waits", make_media("waits.mp4", etag="waits"), providers=["deepgram"])
    with pytest.raises(OperationFailed, match="deepgram: media objects that wait: 1"):
        deploy(given_settings("prod", []), desk)
    assert cdk.runs == []
    assert deploy(given_settings("prod", []), desk, forced=True) == 0
    assert cdk.runs == [["deploy", "-c", "stage=prod"]]


def test_wrong_settings_and_refusals_of_aws_are_said(desk: Desk, cdk: FakeCdk, account: Account, prod: Path) -> None:
    for run in (deploy, diff, synth):
        with pytest.raises(OperationFailed, match="linkMinutes: '1' is not allowed"):
            run(given_settings("prod", ["linkMinutes=1"]), desk)

    def refuse(call: str) -> None:
        raise aws_error("ExpiredToken", "GetCallerIdentity", 403)

    account.before = refuse
    with pytest.raises(OperationFailed, match="sign in again"):
        deploy(given_settings("prod", []), desk)
    assert cdk.runs == []


def test_a_diff_asks_nothing_and_needs_no_table(prod: Path, cdk: FakeCdk, desk: Desk, account: Account) -> None:
    cdk.code = 1
    assert diff(given_settings("prod", []), replace(desk, terminal=False)) == 1
    assert cdk.runs == [["diff", "-c", "stage=prod"]]
    assert account.calls == ["get_caller_identity"]


def test_data_is_imported_by_the_file_of_its_deletion(prod: Path, cdk: FakeCdk, desk: Desk, tmp_path: Path) -> None:
    given, mapping = given_settings("prod", []), tmp_path / "retained-prod-1.json"
    with pytest.raises(OperationFailed, match="DATA names the one that `make destroy` wrote"):
        import_data(given, desk, mapping)
    mapping.write_text("{}")
    assert import_data(given, desk, mapping) == 0
    assert cdk.runs == [["import", "-c", "stage=prod", "--resource-mapping", str(mapping)]]


def test_a_synth_calls_nobody(prod: Path, cdk: FakeCdk, desk: Desk, account: Account) -> None:
    assert synth(given_settings("prod", ["queueDays=3"]), desk) == 0
    assert cdk.runs == [["synth", "--quiet", "-c", "stage=prod", "-c", "queueDays=3"]]
    assert cdk.lines == [
        "override: queueDays=3, which stages/prod.toml does not set",
        "cdk.out/RecordingInsights-prod.template.json",
    ]
    assert account.calls == []
    cdk.code = 1
    assert synth(given_settings("dev", ["provider=symbl"]), desk) == 1
    assert len(cdk.lines) == 2, "there is no template"


def test_a_bootstrap_needs_a_place_and_no_provider(prod: Path, cdk: FakeCdk, desk: Desk) -> None:
    assert bootstrap(given_settings("prod", []), desk) == 0
    assert bootstrap(given_settings("dev", []), replace(desk, region="us-east-1")) == 0
    assert cdk.runs == [
        ["bootstrap", "aws://111122223333/eu-central-1", "--no-version-reporting"],
        ["bootstrap", "aws://111122223333/us-east-1", "--no-version-reporting"],
    ]
    with pytest.raises(OperationFailed, match="Set AWS_REGION"):
        bootstrap(given_settings("dev", []), desk)


def test_the_command_returns_the_exit_code_of_the_cdk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cdk: FakeCdk, account: Account
) -> None:
    monkeypatch.setattr(command, "run_cdk", cdk)
    monkeypatch.setattr(command, "clients_in", lambda region: account)
    monkeypatch.delenv("AWS_REGION", raising=False)
    deployment = ["deploy", "--stage", "dev", "-c", "provider=symbl", "--settings", "failover=deepgram", "--yes"]
    for code, returned in ((0, 0), (7, 7), (-9, 137)):
        cdk.code = code
        assert command.main(deployment) == returned
    assert cdk.runs[0] == ["deploy", *ASKS_NOT, "-c", "stage=dev", "-c", "provider=symbl", "-c", "failover=deepgram"]
    assert command.main(["synth", "--stage", "dev"]) == 1
    assert "provider: missing" in capsys.readouterr().err


def test_the_cdk_runs_with_the_terminal_and_the_node_of_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text("import os, sys; print(os.environ['PATH'], os.getcwd(), sys.argv[1]); sys.exit(5)")
    fake = CdkCommand(Path(sys.executable), script, "1")
    monkeypatch.setattr(CdkCommand, "find", lambda: fake)
    assert run_cdk(["deploy"], {"PATH": "/nowhere"}) == 5
    path = f"{Path(sys.executable).parent}:/nowhere"
    assert capfd.readouterr().out == f"{path} {PROJECT} deploy\n"
    assert run_cdk(["bootstrap"], {"PATH": "/nowhere"}) == 5
    assert capfd.readouterr().out == f"{path} {tmp_path} bootstrap\n", "there is no cdk.json"


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> CdkCommand:
        raise ToolMissing("Node is not installed: run `make install`.")

    monkeypatch.setattr(CdkCommand, "find", missing)
    assert command.main(["synth", "--stage", "dev", "-c", "provider=symbl"]) == 1
    assert "make install" in capsys.readouterr().err
