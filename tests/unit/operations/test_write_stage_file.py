"""`make stage-file`: the settings of the deployed stack become a file, and the file gives the same settings again."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.settings import StackSettings
from infra.stack_metadata import KEY, metadata_of, project_version
from infra.stage_file import StageFile, context_of, read_stage_file
from operations import write_stage_file as command
from operations.deployed_settings import DeployedSettings, deployed_settings
from operations.deployed_stack import OperationFailed
from operations.write_stage_file import Outcome, toml_of, write_stage_file
from tests.unit.operations.fake_account import Account, aws_error

GIVEN = {
    "provider": "deepgram",
    "otherProviders": "transcribe, assemblyai",
    "prefixProviders": '{"interviews/": ["symbl"], "ü \\"board\\"/": "deepgram,transcribe"}',
    "deepgramOptions": '{"custom_vocabulary": ["Käse", "a \\\\ b"]}',
    "linkMinutes": "90",
    "dailyBudget": "12.5",
    "retainData": "False",
    "deepgramSlots": "none",
    "symblSlots": "7",
    "insightsModel": "eu.amazon.nova-lite-v1:0",
    "insightsPrompt": 'Schreib "kurz".\nWe sell tables.\x7f',
    "insightsPricePerMillionTokens": "0.06,4",
}


def deployed(settings: dict[str, Any]) -> Account:
    """An account with a stage that was deployed with these settings."""
    metadata = metadata_of(StackSettings.from_context({"stage": "dev", **settings}))
    return Account(template=json.loads(json.dumps({"Metadata": {KEY: metadata}})))


def write(account: Account, folder: Path, stage: str = "dev", forced: bool = False, **typed: str) -> Outcome:
    return write_stage_file(stage, typed, account, lambda line: None, folder=folder, forced=forced)


def test_the_settings_of_the_deployed_stack_become_a_file(stages: Path) -> None:
    assert write(deployed(GIVEN), stages, linkMinutes="30") == Outcome("dev", "stages/dev.toml", deployed=True)
    file = read_stage_file(stages, "dev")
    assert file is not None
    assert (file.account, file.region) == ("111122223333", "eu-central-1")
    assert context_of(file.settings) == context_of({**GIVEN, "linkMinutes": "30"})
    assert file.settings["otherProviders"] == ["transcribe", "assemblyai"]
    assert (file.settings["retainData"], file.settings["dailyBudget"]) == (False, 12.5)
    assert file.settings["insightsPrompt"] == GIVEN["insightsPrompt"]
    assert StackSettings.from_context({"stage": "dev", **file.settings}) == StackSettings.from_context(
        {"stage": "dev", **GIVEN, "linkMinutes": "30"}
    )


def test_a_new_stage_has_the_settings_that_are_typed(stages: Path) -> None:
    account = Account(stacks=())
    assert write(account, stages, "prod", provider="symbl", throttles='{"write": 5}').deployed is False
    text = (stages / "prod.toml").read_text()
    assert "docs/settings.md" in text
    assert "# one of assemblyai, deepgram, " in text
    assert read_stage_file(stages, "prod") == StageFile(
        "prod", "111122223333", "eu-central-1", {"provider": "symbl", "throttles": {"write": 5}}
    )
    with pytest.raises(OperationFailed, match="provider: missing"):
        write(account, stages, "test")
    with pytest.raises(OperationFailed, match="The stage local has no file"):
        write(account, stages, "local", provider="symbl")
    assert [file.name for file in stages.iterdir()] == ["prod.toml"]


def test_a_file_that_is_there_is_kept_unless_forced(stages: Path) -> None:
    file = stages / "dev.toml"
    file.write_text("mine")
    with pytest.raises(OperationFailed, match=r"stages/dev\.toml is there, and was not changed.*FORCE=1"):
        write(deployed(GIVEN), stages)
    assert file.read_text() == "mine"
    write(deployed(GIVEN), stages, forced=True)
    assert read_stage_file(stages, "dev")


def test_a_stage_of_an_earlier_version_is_asked_for_its_settings(stages: Path) -> None:
    lines: list[str] = []
    account = Account(template={"Resources": {}})
    outcome = write_stage_file("dev", {"provider": "symbl"}, account, lines.append, folder=stages)
    assert outcome.deployed is False
    assert "noted no settings" in lines[0]
    assert "make diff STAGE=dev" in lines[0]


def test_what_was_deployed_is_read_as_it_was_given() -> None:
    read = deployed_settings("dev", deployed(GIVEN))
    assert read == DeployedSettings(project_version(), context_of(GIVEN))
    assert deployed_settings("dev", Account(template={"Resources": {}})) is None
    assert deployed_settings("dev", Account(template="Resources: {}")) is None, "boto3 does not parse YAML"
    with pytest.raises(OperationFailed, match="There is no stack RecordingInsights-prod"):
        deployed_settings("prod", Account())


def test_who_may_not_read_the_template_learns_which_right_is_needed(stages: Path) -> None:
    def refuse(call: str) -> None:
        if call == "get_template":
            raise aws_error("AccessDenied", "GetTemplate", 403)

    with pytest.raises(OperationFailed, match="cloudformation:GetTemplate"):
        write(Account(before=refuse), stages)


def test_the_metadata_have_ascii_only_since_cloudformation_keeps_nothing_else() -> None:
    metadata = metadata_of(StackSettings.from_context({"stage": "dev", **GIVEN}))
    assert all(text.isascii() for text in metadata["settings"].values())
    assert "stage" not in metadata["settings"]
    assert metadata["settings"]["linkMinutes"] == "90"


def test_a_file_without_settings_can_be_read(stages: Path) -> None:
    (stages / "dev.toml").write_text(toml_of(StageFile("dev", "111122223333", "eu-central-1")))
    assert read_stage_file(stages, "dev") == StageFile("dev", "111122223333", "eu-central-1")


def test_the_command(
    stages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "aws_client", deployed(GIVEN))
    monkeypatch.setattr(command, "STAGES", tmp_path / "new")
    assert command.main(["--stage", "dev"]) == 0
    assert capsys.readouterr().out.startswith("stages/dev.toml has the settings of the deployed stack. `make diff")
    assert command.main(["--stage", "dev", "--settings", "linkMinutes=30"]) == 1
    assert command.main(["--stage", "dev", "--settings", "linkMinutes=30", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"stage": "dev", "file": "stages/dev.toml", "deployed": True}
