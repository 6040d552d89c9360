"""Commands about recordings: start, stop, list, show, watch, cancel."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from cli.answer import Answer, sentence, table
from cli.commands import options
from cli.commands.story import answer_at_end, at, cost_of, duration, next_steps_of, story
from cli.errors import Conflict, UsageWrong
from cli.session import Session
from cli.values import moment, recording_id, request_body

Columns = Mapping[str, Callable[[Any], object]]
COLUMNS: Columns = {
    "ID": lambda row: row["recording_id"],
    "STATUS": lambda row: row["status"],
    "CREATED": lambda row: at(row["created_at"]),
    "LENGTH": lambda row: duration(row.get("duration_ms")),
    "CHANNEL": lambda row: row.get("channel"),
    "REFERENCE": lambda row: row.get("reference"),
    "PROVIDER": lambda row: row.get("provider"),
    "REASON": lambda row: row.get("reason_code"),
}
ENDED_MEDIA = ("done", "failed")
MOST_CALLS = 100
Id = Annotated[str, typer.Argument(metavar="ID", help="The recording.")]


def start(
    session: Session,
    channel: Annotated[str | None, typer.Argument(help="The Agora channel; with --url a label of your own.")] = None,
    mode: Annotated[str | None, typer.Option(help="mix, individual or web. By default mix, with --url web.")] = None,
    url: Annotated[str | None, typer.Option(help="The page to record in mode web.")] = None,
    uid: Annotated[int | None, typer.Option(help="The recorder's own uid.")] = None,
    consent: Annotated[str | None, typer.Option(help="Your note of how the participants consented.")] = None,
    max_hours: Annotated[int | None, typer.Option(help="Hours during which it can be stopped, 1 to 24.")] = None,
    provider: options.Provider = None,
    option: options.OfProvider = None,
    reference: options.Reference = None,
    metadata: options.Metadata = None,
    speaker: options.Speakers = None,
    insights: options.Insights = None,
    request: options.Request = None,
    idempotency_key: options.Key = None,
    wait: options.Wait = False,
) -> Answer:
    """Start a recording of a channel or a page.

    A channel that is being recorded already gives the recording that runs.
    """
    given = options.fields(provider, option, reference, metadata, speaker, insights)
    own = {"channel": channel, "mode": mode or ("web" if url else None), "url": url, "uid": uid}
    own |= {"consent": consent, "max_hours": max_hours}
    body = {**request_body(request), **{name: value for name, value in own.items() if value is not None}, **given}
    if "channel" not in body:
        raise UsageWrong("Which channel? Give CHANNEL, or a body with one: --request FILE.")
    answer = session.api.answer("POST", "/recordings", body, headers=options.key_header(idempotency_key))
    recording = answer.json()
    begun = "has started" if answer.status_code == 201 else "was running already, or has this idempotency key"
    words = f"Recording {recording['recording_id']} {begun}."
    if not wait:
        return Answer(recording, sentence(words), next_steps_of(session, recording))
    session.say(words)
    return answer_at_end(session, recording["recording_id"])


def stop(session: Session, recording: Id) -> Answer:
    """Stop a recording: the recorder leaves its channel."""
    answer = session.api.call("POST", f"/recordings/{recording_id(recording)}/stop")
    why = f": {answer['reason']}" if answer.get("reason") else ""
    words = f"Recording {answer['recording_id']} is {answer['status']}{why}."
    return Answer(answer, sentence(words), [session.command("watch", answer["recording_id"])])


def list_recordings(
    session: Session,
    status: Annotated[list[str] | None, typer.Option(help="Only these statuses. Repeat it for several.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only of this channel.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only of this provider.")] = None,
    reference: Annotated[str | None, typer.Option(help="Only with this id of your own.")] = None,
    since: Annotated[str | None, typer.Option(help="Started from then on: a moment, or 24h, 7d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Started before then.")] = None,
    updated_since: Annotated[str | None, typer.Option(help="Changed since then, the oldest change first.")] = None,
    cost: Annotated[bool, typer.Option("--cost", help="With what each costs: one more call for each.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> Answer:
    """List recordings, newest first."""
    from itertools import islice

    query: dict[str, Any] = {
        "status": status,
        "channel": channel,
        "provider": provider,
        "reference": reference,
        "since": moment(since, "--since"),
        "until": moment(until, "--until"),
        "updated_since": moment(updated_since, "--updated-since"),
        "limit": min(limit, 100),
    }
    rows = list(islice(session.api.pages("/recordings", "recordings", query), limit))
    columns = COLUMNS
    if cost:
        rows = [{**row, **_cost(session, row)} for row in rows]
        columns = {**COLUMNS, "COST": cost_of}
    return Answer(rows, table(columns, rows, empty="There are no such recordings."))


def show(
    session: Session,
    recording: Id,
    fresh: Annotated[bool, typer.Option("--fresh", help="Have Agora asked now about the recorder.")] = False,
) -> Answer:
    """Show a recording: its state and why, its media objects with their tries, and what it costs."""
    query = {"fresh": True} if fresh else None
    found = session.api.call("GET", f"/recordings/{recording_id(recording)}", query=query)
    return Answer(found, story(found), next_steps_of(session, found))


def watch(session: Session, recording: Id) -> Answer | None:
    """Follow a recording live until it has ended.

    With --json each change is one line. Without the right to read Step Functions the steps come from the API alone.
    """
    from cli.waiting import exit_code_of, print_changes_until_ended, wait_until_ended

    wanted = recording_id(recording)
    if not session.as_json:
        found = wait_until_ended(session, wanted, to=session.out)
        why = f": {found['reason']}" if found.get("reason") else ""
        words = f"Recording {wanted} is {found['status']}{why}."
        return Answer(found, sentence(words), next_steps_of(session, found), exit_code_of(found))
    found = print_changes_until_ended(session, wanted)
    named = ("recording_id", "status", "insights", "stage", "reason_code", "reason")
    session.line({name: found[name] for name in named if name in found})
    if code := exit_code_of(found):
        raise typer.Exit(code)
    return None


def cancel(session: Session, recording: Id, yes: options.Yes = False, dry_run: options.DryRun = False) -> Answer:
    """End every media object of a recording that waits or is at work.

    A job that runs at the provider is not stopped and is paid for. A retry takes its result.
    """
    wanted = recording_id(recording)
    found = session.api.call("GET", f"/recordings/{wanted}")
    open_media = [item for item in found.get("media", []) if item.get("status") not in ENDED_MEDIA]
    words = f"Cancel {len(open_media)} media object{'' if len(open_media) == 1 else 's'} of recording {wanted}"
    if dry_run:
        named = [{name: item.get(name) for name in ("media_id", "key", "status")} for item in open_media]
        return Answer({"dry_run": True, "recording_id": wanted, "media": named}, sentence(f"It would {words.lower()}."))
    if open_media:
        session.confirm(f"{words}. Jobs that run at the provider are paid for.", yes=yes)
    for _ in range(MOST_CALLS):
        found = session.api.call("POST", f"/recordings/{wanted}/cancel")
        if not set(found.get("media_counts", {})) - {*ENDED_MEDIA}:
            words = f"Recording {wanted} is {found['status']}."
            return Answer(found, sentence(words), [session.command("show", wanted)])
        session.say(f"Goes on: {found['media_counts']}")
    raise Conflict(f"Recording {wanted} still has media objects at work: repeat the command.")


def _cost(session: Session, row: Mapping[str, Any]) -> dict[str, Any]:
    """The cost of a listed recording; empty for one that is erased by now."""
    try:
        found = session.api.call("GET", f"/recordings/{row['recording_id']}")
    except Conflict:
        return {}
    return {"cost": found.get("cost")}
