"""`make outputs`: a table, or JSON."""

import json
from pathlib import Path

import pytest

from operations import outputs
from operations.deployed_stack import OperationFailed
from operations.outputs import show_outputs
from operations.stage_settings import given_settings
from tests.unit.operations.fake_account import Account
from tests.unit.operations.test_stage_settings import PROD

ACCOUNT = Account(outputs={"WatchArn": "arn:watch", "ApiUrl": "https://api.test"})


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(outputs, "clients_in", lambda region: ACCOUNT)
    assert outputs.main(["--stage", "dev"]) == 0
    assert capsys.readouterr().out == "ApiUrl    https://api.test\nWatchArn  arn:watch\n"
    assert outputs.main(["--stage", "dev", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"stage": "dev", "outputs": ACCOUNT.outputs}
    assert outputs.main(["--stage", "test"]) == 1
    assert "There is no stack RecordingInsights-test in eu-central-1" in capsys.readouterr().err


def test_the_outputs_of_another_account_are_not_taken_for_those_of_the_stage(stages: Path) -> None:
    (stages / "dev.toml").write_text(PROD.replace("111122223333", "444455556666"))
    with pytest.raises(OperationFailed, match="credentials are of the account 111122223333"):
        show_outputs(given_settings("dev", []), ACCOUNT, None)
