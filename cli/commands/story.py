"""What `recordings show` prints of one recording: what it is, how it goes, why, and what it costs."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cli.answer import Answer, Show, table
from cli.timeline.recording_steps import READY, recorder_may_run
from cli.visible import visible_line

if TYPE_CHECKING:
    from rich.console import Console

    from cli.session import Session

Row = Mapping[str, Any]


def story(recording: Row) -> Show:
    """Show a recording: facts, one to a line, then a table of its media objects and one of their tries."""
    facts = [(name, visible_line(text)) for name, text in _facts(recording) if text]
    media = recording.get("media", [])
    tries = [{**each, "media_id": item["media_id"]} for item in media for each in item.get("tries", ())]

    def show(console: "Console") -> None:
        for name, text in facts:
            console.print(f"{name:<12}{text}", markup=False, highlight=False, soft_wrap=True)
        if media:
            console.print()
            table(MEDIA_COLUMNS, media, empty="")(console)
        if tries:
            console.print("\nEarlier tries", markup=False, highlight=False)
            table(TRY_COLUMNS, tries, empty="")(console)

    return show


def answer_at_end(session: "Session", recording_id: str) -> Answer:
    """Wait for the end of a recording, and answer with it. Its steps go to standard error meanwhile."""
    from cli.waiting import exit_code_of, wait_until_ended

    found = wait_until_ended(session, recording_id)
    return Answer(found, story(found), next_steps_of(session, found), exit_code_of(found))


def next_steps_of(session: "Session", recording: Row) -> list[str]:
    """Return the commands that fit the state of a recording."""
    recording_id, status = recording["recording_id"], recording["status"]
    steps = []
    if status in READY:
        steps.append(session.command("insights", "show", recording_id))
    if recorder_may_run(recording):
        steps.append(session.command("stop", recording_id))
    if status in ("starting", "recording", "stopping", "processing") or recording.get("insights") == "pending":
        steps.append(session.command("watch", recording_id))
    if any(item.get("status") == "failed" and item.get("retryable", True) for item in recording.get("media", [])):
        steps.append(session.command("retry", recording_id, "--dry-run"))
    return steps


def duration(ms: object) -> str | None:
    """`1:02:03`, or None if the length is not known."""
    if not isinstance(ms, int | float):
        return None
    seconds = int(ms) // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"


def at(text: object) -> str | None:
    """A moment of the API without the fractions of its second."""
    return f"{str(text)[:19]}Z" if text and str(text).endswith("Z") else None if text is None else str(text)


def cost_of(item: Row) -> str | None:
    """The cost of a recording or a media object in dollars; None if a part of it is not known."""
    cost = item.get("cost") or {}
    parts = [cost.get(name, 0) for name in ("aws", "provider", "model")]
    return None if not cost or None in parts else f"${sum(parts):.6f}"


MEDIA_COLUMNS = {
    "MEDIA": lambda item: item["media_id"],
    "STATUS": lambda item: item.get("status"),
    "PROVIDER": lambda item: item.get("provider"),
    "TRY": lambda item: item.get("try_number", 0),
    "LENGTH": lambda item: duration(item.get("duration_ms")),
    "ARRIVED": lambda item: at(item.get("arrived_at")),
    "FINISHED": lambda item: at(item.get("finished_at")),
    "COST": cost_of,
    "KEY": lambda item: item.get("key"),
    "WHY": lambda item: ": ".join(str(item[name]) for name in ("reason_code", "reason") if item.get(name)),
}
TRY_COLUMNS = {
    "MEDIA": lambda each: each["media_id"],
    "TRY": lambda each: each.get("number"),
    "STATUS": lambda each: each.get("status"),
    "PROVIDER": lambda each: each.get("provider"),
    "FINISHED": lambda each: at(each.get("finished_at")),
    "WHY": lambda each: ": ".join(str(each[name]) for name in ("reason_code", "reason") if each.get(name)),
}


def _facts(recording: Row) -> Iterator[tuple[str, str | None]]:
    yield "Recording", recording["recording_id"]
    yield "Status", _status(recording)
    yield "Why", why(recording)
    yield "What to do", advice(recording.get("reason_code"))
    yield "Channel", _with(recording.get("channel"), recording.get("mode"))
    yield "File", (recording.get("file") or {}).get("name")
    yield "Reference", recording.get("reference")
    yield "Metadata", ", ".join(f"{key}={value}" for key, value in recording.get("metadata", {}).items())
    yield "Consent", recording.get("consent")
    yield "Provider", recording.get("provider")
    yield "Started", _with(at(recording["created_at"]), recording.get("started_by"), "by ")
    if live := recording.get("live"):
        yield "Recorder", _with(f"Agora: {live.get('meaning')}", at(live.get("as_of")), "at ")
    yield "Stopped", _with(at(recording.get("stopped_at")), _ended(recording))
    yield "Complete", at(recording.get("complete_at")) or _not_complete(recording)
    yield "Length", duration(recording.get("duration_ms"))
    yield "Insights", _insights(recording)
    if cost := recording.get("cost"):
        from cli.terminal.insights import cost_line

        yield "Cost", cost_line(cost)
    yield "Media gone", at(recording.get("media_deleted_at"))
    yield "Watch", recording.get("watch_reason")


def why(recording: Row) -> str:
    """The stage, the code and the reason of a failure or a wait; empty without."""
    coded = [str(recording[name]) for name in ("stage", "reason_code") if recording.get(name)]
    return ": ".join(part for part in (", ".join(coded), str(recording.get("reason") or "")) if part)


def advice(code: object) -> str | None:
    """What to do about a reason code, as docs/reasons.md has it."""
    if not code:
        return None
    from recording_insights.model.reasons import REASONS

    return REASONS[str(code)].advice if str(code) in REASONS else None


def _status(recording: Row) -> str:
    counts = recording.get("media_counts") or {}
    return _with(recording["status"], ", ".join(f"{count} {status}" for status, count in counts.items())) or ""


def _ended(recording: Row) -> str:
    ended = {"stop": "by a stop", "recorder": "the recorder left by itself"}.get(recording.get("ended_by", ""), "")
    return " of ".join(part for part in (ended, recording.get("stopped_by", "")) if part)


def _not_complete(recording: Row) -> str | None:
    return "not yet: more files may come" if "channel" in recording and recording["status"] in READY else None


def _insights(recording: Row) -> str:
    reason = ": ".join(str(recording[name]) for name in ("insights_code", "insights_reason") if recording.get(name))
    return _with(recording.get("insights"), reason) or ""


def _with(text: str | None, more: str | None, before: str = "") -> str | None:
    return f"{text} ({before}{more})" if text and more else text
