"""Commands about the providers of a stage."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from cli.answer import Answer, table
from cli.commands.story import at
from cli.errors import UsageWrong
from cli.session import Session
from cli.values import name

COLUMNS: Mapping[str, Callable[[Any], object]] = {
    "PROVIDER": lambda row: row["provider"],
    "TAKES JOBS": lambda row: _state(row),
    "SLOTS": lambda row: f"{row['slots_used']} of {'any' if row['slots'] is None else row['slots']}",
    "QUEUED": lambda row: row["queued"],
    "OLDEST": lambda row: at(row.get("oldest_queued_at")),
    "SINCE": lambda row: at(row.get("since")),
    "NEXT TRY": lambda row: at(row.get("retry_at")),
    "WHY": lambda row: ": ".join(str(row[key]) for key in ("reason_code", "reason") if row.get(key)),
    "CHANGED BY": lambda row: row.get("changed_by"),
}
_HEALTH = {"closed": "yes", "open": "no", "half_open": "one tries"}
Named = Annotated[str, typer.Argument(metavar="NAME", help="The provider.")]


def list_providers(session: Session) -> Answer:
    """List the providers, the default one first: whether they take jobs, their slots and their queues."""
    rows = session.api.call("GET", "/providers")["providers"]
    return Answer(rows, table(COLUMNS, rows, empty="The stage has no provider."))


def pause(session: Session, provider: Named) -> Answer:
    """Hold back every media object that comes to a provider. Jobs that run go on."""
    return _changed(session, provider, {"paused": True})


def resume(session: Session, provider: Named) -> Answer:
    """Let a provider that was paused go on, with what waits in its order."""
    return _changed(session, provider, {"paused": False})


def slots(
    session: Session,
    provider: Named,
    number: Annotated[str, typer.Argument(metavar="N|none", help="1 to 10000, or none for the setting.")],
) -> Answer:
    """Change how many media objects a provider works on at a time."""
    if number != "none" and not (number.isdecimal() and 1 <= int(number) <= 10_000):
        raise UsageWrong(f"{number!r}: give a number from 1 to 10000, or none for the setting.")
    return _changed(session, provider, {"slots": None if number == "none" else int(number)})


def _changed(session: Session, provider: str, body: Mapping[str, Any]) -> Answer:
    row = session.api.call("PUT", f"/providers/{name(provider, 'provider')}", body)
    return Answer(row, table(COLUMNS, [row], empty=""))


def _state(row: Mapping[str, Any]) -> str:
    return "paused" if row.get("paused") else _HEALTH.get(row["health"], row["health"])
