"""Commands that process again: one recording, or everything that failed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import typer

from cli.answer import Answer, sentence, table
from cli.commands import options
from cli.commands.story import at, duration
from cli.errors import Conflict
from cli.session import Session
from cli.values import moment, name, options_of, recording_id, without_none

Columns = Mapping[str, Callable[[Any], object]]
Begin = Literal["saved", "job", "media"]
From = Annotated[
    Begin | None,
    typer.Option("--from", help="Where it begins: the saved reply, the job, or the media anew, which is paid for."),
]
ToProvider = Annotated[str | None, typer.Option("--to-provider", help="Another provider. The media is sent anew.")]
Force = Annotated[bool, typer.Option("--force", help="Also what is done, or what was refused for good.")]
PLAN_COLUMNS: Columns = {
    "MEDIA": lambda item: item["media_id"],
    "STATUS": lambda item: item["status"],
    "FROM": lambda item: item["from"],
    "PROVIDER": lambda item: item["provider"],
    "PAID": lambda item: "yes" if item["paid"] else "no",
    "LENGTH": lambda item: duration(item.get("duration_ms")),
    "WHY": lambda item: item.get("reason_code"),
    "KEY": lambda item: item["key"],
}
BEGUN_COLUMNS: Columns = {
    "MEDIA": lambda item: item["media_id"],
    "FROM": lambda item: item.get("from"),
    "PROVIDER": lambda item: item.get("provider"),
    "TRY": lambda item: item.get("try"),
    "NOT RETRIED": lambda item: item.get("reason"),
}
RETRY_COLUMNS: Columns = {
    "ID": lambda row: row["retry_id"],
    "STATUS": lambda row: row["status"],
    "REQUESTED": lambda row: at(row.get("requested_at")),
    "ENDED": lambda row: at(row.get("ended_at")),
    "SEEN": lambda row: row.get("counts", {}).get("seen"),
    "BEGUN": lambda row: row.get("counts", {}).get("begun"),
    "REFUSED": lambda row: _counts(row.get("counts", {}).get("refused")),
    "FILTERS": lambda row: ", ".join(f"{key}={value}" for key, value in row.get("filters", {}).items()),
    "REASON": lambda row: row.get("reason"),
}
MOST_CALLS = 1000


def retry(
    session: Session,
    recording: Annotated[str, typer.Argument(metavar="ID", help="The recording.")],
    media: Annotated[str | None, typer.Option(help="This media object alone.")] = None,
    to_provider: ToProvider = None,
    option: options.OfProvider = None,
    begin: From = None,
    force: Force = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
) -> Answer:
    """Process the failed media objects of a recording again.

    A try begins as late as it can: with the saved reply, then with the job, then with the media, which is paid for.
    """
    wanted = recording_id(recording)
    given = {"media_id": media, "provider": to_provider, "options": options_of(option), "from": begin}
    body = without_none({**given, "force": force or None})
    plan = planned(session.api.call("GET", f"/recordings/{wanted}")["media"], body)
    if dry_run:
        data = {"dry_run": True, "recording_id": wanted, "media": plan}
        return Answer(data, table(PLAN_COLUMNS, plan, empty="No media object would be retried."))
    if any(item["paid"] for item in plan):
        session.confirm(f"Retry recording {wanted}. {what_is_paid(plan)}", yes=yes)
    begun, refused = _begin(session, wanted, body)
    data = {"recording_id": wanted, "media": begun, "not_retried": refused}
    return Answer(data, table(BEGUN_COLUMNS, [*begun, *refused], empty=""), [session.command("watch", wanted)])


def planned(media: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a retry would most probably begin, by what the API shows: each media object, where, and if paid for.

    The API decides: a reply that failed is not read again, for example.
    """
    chosen = [item for item in media if body.get("media_id", item["media_id"]) == item["media_id"]]
    failed = [item for item in chosen if item["status"] == "failed"]
    fitting = failed if failed or not body.get("force") else [item for item in chosen if item["status"] == "done"]
    fresh = "provider" in body or "options" in body
    plan = []
    for item in fitting:
        late = "saved" if item.get("reply") else "job" if item.get("job_id") else "media"
        start = "media" if fresh else body.get("from", late)
        named = {key: item.get(key) for key in ("media_id", "status", "reason_code", "duration_ms", "key")}
        provider = body.get("provider", item.get("provider"))
        plan.append({**named, "from": start, "provider": provider, "paid": start == "media"})
    return plan


def what_is_paid(plan: Sequence[Mapping[str, Any]]) -> str:
    """Say how many media objects will be paid for, at whom, and how long they are."""
    paid = [item for item in plan if item["paid"]]
    at = ", ".join(sorted({str(item["provider"]) for item in paid}))
    lengths = [item["duration_ms"] for item in paid if isinstance(item.get("duration_ms"), int | float)]
    length = f", {duration(sum(lengths))} in all" if len(lengths) == len(paid) else ""
    return f"{_objects(len(paid))} will be sent anew and paid for at {at}{length}."


def list_retries(session: Session) -> Answer:
    """List the last retries of many, newest first."""
    rows = session.api.call("GET", "/retries")["retries"]
    return Answer(rows, table(RETRY_COLUMNS, rows, empty="There was no retry of many."))


def show_retry(session: Session, retry_id: Annotated[str, typer.Argument(metavar="ID", help="The retry.")]) -> Answer:
    """Show a retry of many."""
    row = session.api.call("GET", f"/retries/{name(retry_id, 'id of a retry')}")
    return Answer(row, table(RETRY_COLUMNS, [row], empty=""))


def start_retry(
    session: Session,
    code: Annotated[str | None, typer.Option(help="Those that failed with this reason code.")] = None,
    status: Annotated[Literal["failed", "partial"] | None, typer.Option(help="Of such recordings alone.")] = None,
    since: Annotated[str | None, typer.Option(help="Failed from then on: a moment, or 24h, 7d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Failed before then.")] = None,
    provider: Annotated[str | None, typer.Option(help="Those that failed at this provider.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Those whose key begins with this.")] = None,
    to_provider: ToProvider = None,
    begin: From = None,
    force: Force = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
) -> Answer:
    """Retry every failed media object that fits. Without filters all fit.

    It counts first, and asks.
    """
    filters = {"reason_code": code, "status": status, "provider": provider, "prefix": prefix}
    filters |= {"since": moment(since, "--since"), "until": moment(until, "--until")}
    body = without_none({**filters, "to_provider": to_provider, "from": begin, "force": force or None})
    counted = session.api.call("POST", "/retries", {**body, "dry_run": True})
    words = _counted(counted)
    if dry_run:
        return Answer(counted, sentence(words))
    if not counted["media"]:
        raise Conflict(f"Nothing was done: {words}")
    paid = "at most so many jobs are paid for anew" if begin in (None, "media") or to_provider else "no job is paid for"
    session.confirm(f"{words} If they are retried, {paid}.", yes=yes)
    row = session.api.call("POST", "/retries", body)
    retry_id = row["retry_id"]
    return Answer(
        row, sentence(f"Retry {retry_id} is {row['status']}."), [session.command("retries", "show", retry_id)]
    )


def cancel_retry(session: Session, retry_id: Annotated[str, typer.Argument(metavar="ID", help="The retry.")]) -> Answer:
    """Cancel a retry of many. What has begun goes on."""
    row = session.api.call("POST", f"/retries/{name(retry_id, 'id of a retry')}/cancel")
    return Answer(row, sentence(f"Retry {row['retry_id']} is {row['status']}."))


def _begin(session: Session, wanted: str, body: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """Begin tries until the API has looked at all media objects; what began, and what did not."""
    begun: list[Any] = []
    for _ in range(MOST_CALLS):
        try:
            answer = session.api.call("POST", f"/recordings/{wanted}/retry", body)
        except Conflict as refusal:
            if not begun:
                raise
            return begun, [{"media_id": "", "reason": str(refusal)}]
        begun += answer["media"]
        if not answer["remaining"]:
            return begun, answer["not_retried"]
        session.say(f"{len(begun)} began, {answer['remaining']} are left.")
    return begun, answer["not_retried"]


def _counted(counted: Mapping[str, Any]) -> str:
    least = "At least " if counted.get("at_least") else ""
    refused = f" {_counts(counted['refused'])} would be refused without --force." if counted.get("refused") else ""
    return f"{least}{_objects(counted['media'])} can be retried.{refused}"


def _objects(count: int) -> str:
    return f"{count} media object{'' if count == 1 else 's'}"


def _counts(counts: Mapping[str, int] | None) -> str:
    return ", ".join(f"{count} {code}" for code, count in (counts or {}).items())
