"""What recordings cost."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.answer import Answer, Show, sentence, table
from cli.errors import Conflict, NotFound, UsageWrong
from cli.session import Session
from cli.values import moment, recording_id

if TYPE_CHECKING:
    from rich.console import Console

    from operations.costs import Costs

NOT_KNOWN = "not known"


def cost(
    session: Session,
    recording: Annotated[str | None, typer.Argument(metavar="ID", help="One recording.")] = None,
    since: Annotated[str | None, typer.Option(help="Those started from then on: a moment, or 24h, 7d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Those started before then.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Read so many recordings at most, the newest first.")] = 1000,
) -> Answer:
    """Say what a recording costs, or the recordings of a time.

    Dollars are those of list prices. What is not known is named, and is in no sum.
    """
    if recording is not None:
        if since or until:
            raise UsageWrong("Give the id of a recording, or --since and --until.")
        return _one(session, recording_id(recording))
    if since is None:
        raise UsageWrong("Give the id of a recording, or --since, such as --since 7d.")
    return _many(session, {"since": moment(since, "--since"), "until": moment(until, "--until")}, limit)


def _one(session: Session, wanted: str) -> Answer:
    from operations.costs import parts_of, provider_of

    found = session.api.call("GET", f"/recordings/{wanted}")
    parts, media = parts_of(found["cost"]), found["media"]
    columns = {
        "PART": lambda row: row["part"],
        "DOLLARS": lambda row: _dollars(row["dollars"]),
        "HOW SURE": lambda row: row["sure"],
    }
    of_media = {
        "MEDIA": lambda row: row["media_id"],
        "PROVIDER": provider_of,
        "HOURS": lambda row: _hours(row.get("duration_ms")),
        "AWS": lambda row: _dollars((row.get("cost") or {}).get("aws")),
        "FOR THE PROVIDER": lambda row: _dollars((row.get("cost") or {}).get("provider")),
    }
    data = {"recording_id": wanted, "status": found["status"], **found["cost"], "parts": parts, "media": [
        {"media_id": each["media_id"], "provider": provider_of(each), "duration_ms": each.get("duration_ms"),
         "cost": each.get("cost")} for each in media
    ]}  # fmt: skip

    def show(console: "Console") -> None:
        table(columns, parts, empty="")(console)
        if media:
            table(of_media, media, empty="")(console)

    return Answer(data, show)


def _many(session: Session, times: Mapping[str, str | None], limit: int) -> Answer:
    from itertools import islice

    from cli.progress import Progress
    from operations.costs import Costs

    with Progress(session) as progress:
        pages = session.api.pages("/recordings", "recordings", {**times, "limit": min(limit + 1, 100)})
        ids = [row["recording_id"] for row in islice(pages, limit + 1)]
        has_more, ids = len(ids) > limit, ids[:limit]
        costs = Costs.of(_read(session, ids, progress.show))
    if has_more:
        session.say(f"There are more than {limit} recordings: the sums are those of the newest {limit}. Raise --limit.")
    data = {**times, "is_whole": not has_more, **costs.data}
    return Answer(data, _shown(costs))


def _read(session: Session, ids: list[str], show: Any) -> Iterator[Mapping[str, Any] | None]:
    """Yield each recording; None for one that was erased since it was listed."""
    from operations.workers import Workers

    def read(wanted: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = session.api.call("GET", f"/recordings/{wanted}")
        except (Conflict, NotFound):
            return None
        return found

    for number, found in enumerate(Workers().each(read, ids), 1):
        show(f"{number} of {len(ids)} recordings read")
        yield found


def _shown(costs: "Costs") -> Show:
    columns = {
        "RECORDINGS": lambda row: row["recordings"],
        "HOURS": lambda row: f"{row['hours']:.2f}",
        "AWS": lambda row: _part(row, "aws"),
        "FOR PROVIDERS": lambda row: _part(row, "provider"),
        "MODEL": lambda row: _part(row, "model"),
        "AN HOUR": lambda row: _dollars(row["per_hour"]),
    }
    # What a model derives is of a recording, whichever providers it has.
    of_provider = {name: cell for name, cell in columns.items() if name != "MODEL"}
    data = costs.data

    def show(console: "Console") -> None:
        table({"DAY": lambda row: row["name"], **columns}, [*data["by_day"], data["all"]], empty="")(console)
        table({"PROVIDER": lambda row: row["name"], **of_provider}, data["by_provider"], empty="No media.")(console)
        if data["unknown_at"]:
            sentence(f"Not known, and in no sum: jobs at {', '.join(data['unknown_at'])}.")(console)

    return show


def _part(row: Mapping[str, Any], name: str) -> str:
    unknown = row["unknown"].get(name, 0)
    known = _dollars(row[name])
    return known if not unknown or known == NOT_KNOWN else f"{known} and {unknown} {NOT_KNOWN}"


def _dollars(amount: float | None) -> str:
    return NOT_KNOWN if amount is None else f"{amount:.4f}"


def _hours(milliseconds: Any) -> str:
    return f"{milliseconds / 3_600_000:.2f}" if isinstance(milliseconds, int | float) else NOT_KNOWN
