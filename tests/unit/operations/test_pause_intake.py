"""The switch before an upgrade: the intake is paused and goes on, and every door of it keeps to that."""

import json
from typing import Any

import pytest

from operations import pause_intake as command
from operations.deployed_stack import OperationFailed
from operations.pause_intake import Outcome, main, pause_intake, resume_intake, show_intake
from recording_insights.store.intake import IntakeStore
from tests.unit.operations.fake_account import Account, aws_error


@pytest.fixture
def account() -> Account:
    return Account(outputs={"InsightsTableName": "insights"})


def test_a_pause_keeps_its_moment_and_its_operator_until_it_ends(account: Account, table: Any) -> None:
    first = pause_intake("dev", account, lambda name: table)
    found = IntakeStore(table).find_pause()

    assert found
    assert first == pause_intake("dev", account, lambda name: table) == show_intake("dev", account, lambda name: table)
    assert first == Outcome("dev", found["paused_at"], "arn:aws:iam::111122223333:user/operator")
    assert resume_intake("dev", account, lambda name: table) == resume_intake("dev", account, lambda name: table)
    assert IntakeStore(table).find_pause() is None
    assert show_intake("dev", account, lambda name: table) == Outcome("dev")


def test_who_may_not_write_to_the_table_learns_which_rights_are_needed(account: Account) -> None:
    def denied(name: str) -> Any:
        raise aws_error("AccessDeniedException", "UpdateItem")

    with pytest.raises(OperationFailed, match="dynamodb:GetItem, UpdateItem and DeleteItem on the table"):
        pause_intake("dev", account, denied)
    account.stacks = ()
    with pytest.raises(OperationFailed, match="There is no stack RecordingInsights-dev"):
        resume_intake("dev", account, denied)


def test_the_command(
    account: Account, table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "aws_client", account)
    monkeypatch.setattr(command, "_table", lambda name: table)

    assert main(["--stage", "dev", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["paused_at"]
    assert main(["--stage", "dev"]) == 0
    assert capsys.readouterr().out.startswith("The intake is paused since 20")
    assert main(["--stage", "dev", "--resume"]) == 0
    assert capsys.readouterr().out == "The intake is open.\n"
