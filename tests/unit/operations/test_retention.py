"""The dry run of the retention: it counts what the sweep would begin with, and changes nothing."""

import json
from typing import Any

import pytest

from infra.settings import StackSettings
from operations import retention
from operations.deployed_stack import OperationFailed
from operations.retention import Due, count_due
from recording_insights.store.keys import recording_key
from recording_insights.store.media import MediaStore
from tests.unit.operations.fake_account import Account

OLD, OLDER = "2020-01-02T00:00:00.000000Z", "2020-01-01T00:00:00.000000Z"


@pytest.fixture
def table(media_store: MediaStore) -> Any:
    due: list[tuple[str, str, str, dict[str, Any]]] = [
        ("a", "done", OLD, {}),
        ("b", "failed", OLDER, {"media_deleted_at": OLD, "media_runs": 1, "updated_at": OLD}),
        ("c", "processing", OLDER, {}),
        ("d", "done", "2999-01-01T00:00:00.000000Z", {}),
    ]
    for name, status, at, more in due:
        row: dict[str, Any] = {"recording_id": name, "status": status, "created_at": at, "updated_at": at, "version": 1}
        media_store.table.put_item(Item={**recording_key(name), **row, **more})
    return media_store.table


ACCOUNT = Account(outputs={"InsightsTableName": "insights"})


def test_what_is_due_is_counted_and_nothing_changes(table: Any) -> None:
    before = table.scan()["Items"]
    settings = StackSettings("dev", "symbl", media_days=30, segments_days=20)
    outcome = count_due(settings, ACCOUNT, lambda name: table)
    assert outcome.due == {"media": Due(2, 1, OLDER)}
    outcome = count_due(StackSettings("dev", "symbl", media_days=30, insights_days=365), ACCOUNT, lambda name: table)
    assert outcome.due == {"insights": Due(2, 0, OLDER)}
    assert count_due(StackSettings("dev", "symbl"), ACCOUNT, lambda name: table).due == {}
    assert table.scan()["Items"] == before


def test_the_command(table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(retention, "clients_in", lambda region: ACCOUNT)
    monkeypatch.setattr(retention, "tables_in", lambda region: lambda name: table)
    given = ["--stage", "dev", "-c", "provider=symbl"]
    assert retention.main(given) == 0
    assert capsys.readouterr().out.startswith("The settings keep everything")
    assert retention.main([*given, "-c", "mediaDays=30"]) == 0
    assert capsys.readouterr().out == f"2 recordings would lose their media; the oldest is of {OLDER}; begun: 1\n"
    assert retention.main([*given, "-c", "mediaDays=30", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["due"] == {"media": {"recordings": 2, "begun": 1, "oldest": OLDER}}
    assert retention.main([*given, "-c", "mediaDays=3"]) == 1
    assert "mediaDays: 3 is too few; at least 18" in capsys.readouterr().err


def test_a_stage_that_is_not_deployed_is_named(table: Any) -> None:
    with pytest.raises(OperationFailed, match="make deploy"):
        count_due(StackSettings("dev", "symbl", media_days=30), Account(stacks=()), lambda name: table)
