"""The command `erase`."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from cli.answer import Answer, table
from cli.commands import options
from cli.commands.story import at
from cli.errors import FAILED, OK, CommandFailed, Conflict
from cli.session import Session
from cli.values import recording_id

PAUSE_SECONDS = 5.0
COLUMNS: Mapping[str, Callable[[Any], object]] = {
    "ID": lambda row: row["recording_id"],
    "STATUS": lambda row: row["status"],
    "CHANNEL": lambda row: row.get("channel"),
    "CREATED": lambda row: at(row.get("created_at")),
    "MEDIA": lambda row: row.get("media"),
}
RECEIPT_COLUMNS: Mapping[str, Callable[[Any], object]] = {
    "ID": lambda row: row["recording_id"],
    "STATUS": lambda row: row["status"],
    "RECEIPT": lambda row: row.get("receipt_id"),
    "ERASED": lambda row: at(row.get("erased_at")),
    "DELETED": lambda row: _counts(row.get("deleted")),
    "AT PROVIDERS": lambda row: _counts(row.get("provider_copies")),
    "NOT DELETED": lambda row: ", ".join(_not_deleted(each) for each in row.get("not_deleted", ())),
    "ERROR": lambda row: row.get("error"),
}


def erase(
    session: Session,
    recordings: Annotated[list[str], typer.Argument(metavar="ID…", help="The recordings.")],
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until they are erased: minutes, at times days.")] = False,
) -> Answer:
    """Erase recordings for good: files, replies, insights and rows, and the copies at the providers.

    A receipt is left of each. A recording that was erased before gives its receipt.
    """
    wanted = list(dict.fromkeys(map(recording_id, recordings)))
    found = [_read(session, each) for each in wanted]
    if dry_run:
        return Answer({"dry_run": True, "recordings": found}, table(COLUMNS, found, empty=""))
    left = [row["recording_id"] for row in found if row["status"] not in ("erased", "erasing")]
    if left:
        for row in found:
            session.say(f"{row['recording_id']}  {row['status']}  {row.get('channel') or ''}")
        count = f"{len(left)} recording{'' if len(left) == 1 else 's'}"
        session.confirm(f"Erase {count} for good. This cannot be undone.", yes=yes)
    receipts = [_erase(session, each) for each in wanted]
    if wait:
        receipts = [_await_receipt(session, receipt) for receipt in receipts]
    failed = any("error" in receipt for receipt in receipts)
    again = [session.command("erase", "--wait", "--yes", *wanted)] if not wait else []
    return Answer(receipts, table(RECEIPT_COLUMNS, receipts, empty=""), again, FAILED if failed else OK)


def _read(session: Session, wanted: str) -> dict[str, Any]:
    try:
        row = session.api.call("GET", f"/recordings/{wanted}")
    except Conflict as erased:
        return {"recording_id": wanted, "status": "erased", **_receipt(erased)}
    named = {name: row[name] for name in ("recording_id", "status", "channel", "created_at") if name in row}
    return {**named, "media": len(row.get("media", []))}


def _erase(session: Session, wanted: str) -> dict[str, Any]:
    """Erase one recording. The others are erased although the call for one of them fails."""
    try:
        answer: dict[str, Any] = session.api.call("DELETE", f"/recordings/{wanted}")
    except Conflict as erased:
        return {"recording_id": wanted, "status": "erased", **_receipt(erased)}
    except CommandFailed as failure:
        return {"recording_id": wanted, "status": "not erased", "error": str(failure)}
    return answer


def _await_receipt(session: Session, receipt: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt with what was deleted, once it is there."""
    wanted, said = receipt["recording_id"], False
    while receipt["status"] == "erasing":
        found = _read(session, wanted)
        if found["status"] == "erased" and "erased_at" in found:
            return found
        if not said:
            session.say(f"Erasing {wanted}. Ctrl-C ends the wait alone.")
            said = True
        time.sleep(PAUSE_SECONDS)
    return receipt


def _receipt(erased: Conflict) -> dict[str, Any]:
    """The receipt in a refusal. Raises the refusal again if it is another one."""
    receipt = erased.problem.get("receipt")
    if not isinstance(receipt, dict):
        raise erased
    return receipt


def _counts(counts: Any) -> str:
    return ", ".join(f"{count} {name}" for name, count in (counts or {}).items())


def _not_deleted(each: Mapping[str, Any]) -> str:
    return " ".join(str(value) for value in each.values())
