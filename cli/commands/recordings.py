"""Commands about recordings."""

from typing import Annotated, Any

import typer

from cli.answer import Answer, table
from cli.session import Session

COLUMNS = {
    "ID": lambda row: row["recording_id"],
    "STATUS": lambda row: row["status"],
    "CREATED": lambda row: row["created_at"],
    "CHANNEL": lambda row: row.get("channel"),
    "PROVIDER": lambda row: row.get("provider"),
    "REASON": lambda row: row.get("reason_code"),
}


def list_recordings(
    session: Session,
    status: Annotated[list[str] | None, typer.Option(help="Only these statuses. Repeat it for several.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only of this channel.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> Answer:
    """List recordings, newest first."""
    from itertools import islice

    query: dict[str, Any] = {"status": status, "channel": channel, "limit": min(limit, 100)}
    rows = list(islice(session.api.pages("/recordings", "recordings", query), limit))
    return Answer(rows, table(COLUMNS, rows, empty="There are no such recordings."))
