"""Rows of a restored table come back into the stage's table, and what is there stays."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations import restore_rows as command
from operations.deployed_stack import OperationFailed
from operations.restore_rows import Outcome, main, restore_rows
from recording_insights.store.keys import SWEEP_KEY, change_of_row, media_key, receipt_key, recording_key
from recording_insights.store.references import ReferenceStore
from tests.unit.fake_table import FakeTable
from tests.unit.operations.fake_account import Account, aws_error

Restore = Callable[..., Outcome]
LOST, DAMAGED = "4736218b480a44149a6bac9cd17457c6", "5736218b480a44149a6bac9cd17457c6"


@pytest.fixture
def account() -> Account:
    return Account(outputs={"InsightsTableName": "insights"})


@pytest.fixture
def tables() -> dict[str, Any]:
    """The stage's table has lost one recording, and has another one in a wrong state."""
    restored, present = FakeTable(), FakeTable()
    for recording_id in (LOST, DAMAGED):
        restored.put_item(Item={**recording_key(recording_id), "status": "done"})
        restored.put_item(Item={**media_key(recording_id, "m"), "status": "done"})
    restored.put_item(Item={**SWEEP_KEY, "sweeping_since": "2026-01-01"})
    present.put_item(Item={**recording_key(DAMAGED), "status": "wrong"})
    return {"restored": restored, "insights": present}


@pytest.fixture
def restore(account: Account, tables: dict[str, Any]) -> Restore:
    def call(source: str = "restored", **options: Any) -> Outcome:
        return restore_rows("dev", source, account, tables.__getitem__, lambda line: None, **options)

    return call


def status(tables: dict[str, Any], recording_id: str) -> Any:
    return tables["insights"].get_item(Key=recording_key(recording_id)).get("Item", {}).get("status")


def test_rows_that_are_gone_come_back_and_others_stay(restore: Restore, tables: dict[str, Any]) -> None:
    assert restore() == Outcome("dev", "insights", written=3, kept=1, erased=0)
    assert (status(tables, LOST), status(tables, DAMAGED)) == ("done", "wrong")
    assert restore() == Outcome("dev", "insights", written=0, kept=4, erased=0)


def test_a_recording_that_comes_back_is_a_change(restore: Restore, tables: dict[str, Any]) -> None:
    tables["restored"].put_item(Item={**recording_key(LOST), **change_of_row(LOST, "2026-01-01"), "status": "done"})

    restore()

    row = tables["insights"].get_item(Key=recording_key(LOST))["Item"]
    assert row["change_shard"] == change_of_row(LOST, "")["change_shard"]
    assert row["change_place"] > f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    assert "change_place" not in tables["insights"].get_item(Key=media_key(LOST, "m"))["Item"]


def test_the_row_of_the_sweep_is_left_out(restore: Restore, tables: dict[str, Any]) -> None:
    restore(force=True)
    assert "Item" not in tables["insights"].get_item(Key=SWEEP_KEY)


def test_one_recording_is_replaced_by_force(restore: Restore, tables: dict[str, Any]) -> None:
    assert restore(recording_id=DAMAGED, force=True) == Outcome("dev", "insights", written=2, kept=0, erased=0)
    assert (status(tables, LOST), status(tables, DAMAGED)) == (None, "done")


@pytest.mark.parametrize("options", [{}, {"force": True}, {"recording_id": LOST, "force": True}])
def test_what_was_erased_since_stays_erased(restore: Restore, tables: dict[str, Any], options: dict[str, Any]) -> None:
    reference = {"pk": "REFERENCE#ticket", "sk": f"2026#{LOST}", "recording_id": LOST}
    tables["restored"].put_item(Item=reference)
    tables["restored"].put_item(Item={"pk": "CALLBACK#seameet#7", "sk": "CALLBACK", "job_of_recording": LOST})
    tables["insights"].put_item(Item={**receipt_key(LOST), "receipt_id": "r"})

    outcome = restore(**options)

    assert outcome.erased == (2 if "recording_id" in options else 4)
    assert [key for key in tables["insights"].items if LOST in "".join(key)] == [tuple(receipt_key(LOST).values())]


def test_all_pages_are_copied(restore: Restore, tables: dict[str, Any]) -> None:
    for number in range(5):
        tables["restored"].put_item(Item={**media_key(LOST, f"n{number}"), "text": "x" * 390_000})
    assert restore(recording_id=LOST).written == 7


def test_the_stages_own_table_is_refused(restore: Restore) -> None:
    with pytest.raises(OperationFailed, match="is the table of the stage"):
        restore("insights")


def test_a_refused_call_names_the_rights(restore: Restore, tables: dict[str, Any]) -> None:
    def refuse(**_: Any) -> None:
        raise aws_error("AccessDeniedException", "PutItem", 400)

    tables["insights"].put_item = refuse
    with pytest.raises(OperationFailed, match=r"dynamodb:GetItem and PutItem on the table"):
        restore()


def test_the_command_prints_its_outcome(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], account: Account, tables: dict[str, Any]
) -> None:
    monkeypatch.setattr(command, "aws_client", account)
    monkeypatch.setattr(command, "_table", tables.__getitem__)
    assert main(["--stage", "dev", "--source", "restored"]) == 0
    assert capsys.readouterr().out == "3 rows were written to insights, 1 were there already.\n"
    assert main(["--stage", "dev", "--source", "restored", "--recording-id", LOST, "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == 2


def test_the_reference_of_one_recording_leads_to_it_again(restore: Restore, tables: dict[str, Any]) -> None:
    named = {**recording_key(LOST), "recording_id": LOST, "created_at": "2026-11-28", "reference": "ticket 7"}
    tables["restored"].put_item(Item={**named, "status": "done"})

    assert restore(recording_id=LOST) == Outcome("dev", "insights", written=2, kept=0, erased=0)

    assert [*ReferenceStore(tables["insights"]).of("ticket 7")] == [("2026-11-28", LOST)]
