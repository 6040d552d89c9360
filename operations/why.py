"""Explain where a recording is: what each of its parts waits for, since when, and what ends that at the latest."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from operations.machine_states import Limits, Machines, State
from operations.waits import DERIVED, STATES, Limit, Wait, wait_of_media, wait_of_recording
from recording_insights.model.moments import utc_text
from recording_insights.model.reasons import INSIGHT_REASONS, REASONS
from recording_insights.model.status import ERASING, FINAL, READY

MOST_SHOWN = 20
"""Media objects that are explained, the failed ones first. A recording may have thousands."""


@dataclass(frozen=True)
class Part:
    """One part that waits or has failed: a media object, the recorder, the insights of a model, or an erase.

    `state` is the state of its execution and what happens there. `next_at` is when that ends by itself.
    `latest_at` is when the wait fails at the latest, and `limit` the setting that says so. Texts are sentences.
    """

    of: str
    name: str
    status: str
    waits_for: str
    ends: str
    command: str
    stage: str | None = None
    try_number: int | None = None
    provider: str | None = None
    provider_state: str | None = None
    since: str | None = None
    state: str | None = None
    state_since: str | None = None
    next_at: str | None = None
    queue_position: int | None = None
    expected_at: str | None = None
    limit: str | None = None
    latest_at: str | None = None
    code: str | None = None
    meaning: str | None = None
    advice: str | None = None
    reason: str | None = None
    console: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the part without what is not known."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


@dataclass(frozen=True)
class Explanation:
    """Where a recording is. `counts` are its media objects by status. `notes` say what could not be asked."""

    recording_id: str
    status: str
    sentence: str
    command: str
    parts: Sequence[Part]
    counts: Mapping[str, int]
    code: str | None = None
    meaning: str | None = None
    notes: Sequence[str] = field(default=())

    def document(self) -> dict[str, Any]:
        """Return it for a program."""
        return {**asdict(self), "parts": [part.document() for part in self.parts], "notes": list(self.notes)}


@dataclass
class Explainer:
    """Explains recordings of a stage.

    `providers` are those of `GET /providers`. `machines` is None if Step Functions is not asked. `console` makes the
    address of an execution's page, or returns None. `failed` turns an error of AWS into words.
    """

    stage: str
    providers: Mapping[str, Mapping[str, Any]]
    machines: Machines | None
    console: Callable[[str], str | None]
    failed: Callable[[Exception], str]
    notes: list[str] = field(default_factory=list)

    def explain(self, recording: Mapping[str, Any]) -> Explanation:
        """Explain a recording as `GET /recordings/{recording_id}` returns it."""
        limits = self._ask(lambda machines: machines.limits())
        media = sorted(recording.get("media", []), key=lambda row: row.get("status") != "failed")
        open_or_failed = [row for row in media if row.get("status") != "done"]
        parts = [self._media(recording, row, limits) for row in open_or_failed[:MOST_SHOWN]]
        if len(open_or_failed) > MOST_SHOWN:
            self.notes.append(f"{len(open_or_failed) - MOST_SHOWN} more media objects wait or have failed.")
        parts += self._others(recording, limits)
        code = recording.get("reason_code")
        wait = wait_of_recording(recording["status"], code)
        counts: dict[str, int] = {}
        for row in media:
            counts[row.get("status", "waiting")] = counts.get(row.get("status", "waiting"), 0) + 1
        return Explanation(
            recording["recording_id"],
            recording["status"],
            _sentence(wait),
            self._filled(wait.command, recording["recording_id"], recording.get("provider")),
            parts,
            counts,
            code,
            _meaning(code),
            tuple(self.notes),
        )

    def _media(self, recording: Mapping[str, Any], row: Mapping[str, Any], limits: Limits | None) -> Part:
        status, code = row.get("status", "waiting"), row.get("reason_code")
        wait = wait_of_media(status, row.get("stage"), code)
        is_open, execution = status not in FINAL, row.get("execution")
        state = (
            self._ask(lambda machines: machines.state_of("WorkflowArn", execution)) if is_open and execution else None
        )
        provider = self.providers.get(row.get("provider", ""))
        since = row.get("waiting_since") or row.get("submitted_at") or row.get("arrived_at")
        return Part(
            "media object",
            str(row.get("key", row["media_id"])),
            status,
            wait.waits_for,
            wait.ends,
            self._filled(wait.command, recording["recording_id"], row.get("provider")),
            stage=row.get("stage"),
            try_number=int(row.get("try_number", 0)),
            provider=row.get("provider"),
            provider_state=_state_of(provider) if provider and is_open else None,
            since=since if is_open else row.get("finished_at"),
            queue_position=row.get("queue_position"),
            expected_at=row.get("expected_turn_at") or (_expected(row) if is_open else None),
            **_limited(wait, row, limits) if is_open else {},
            **_coded(code, row.get("reason")),
            **self._state("WorkflowArn", state),
        )

    def _others(self, recording: Mapping[str, Any], limits: Limits | None) -> Iterator[Part]:
        """Yield the recorder with its watch, what a model derives, and the erase, as far as they are at work."""
        status = recording["status"]
        if status == ERASING:
            yield self._running(recording, "ErasesArn", "erase", wait_of_recording(ERASING, None), "erasing_since")
            return
        if status == "starting" and "upload_expires_at" in recording:
            wait = wait_of_recording(status, "awaiting_upload")
            yield self._part(recording, "upload", wait, recording.get("created_at"), recording["upload_expires_at"])
        elif late := self._of_recorder(recording):
            stopped = recording.get("stopped_at") if late.limit else None
            latest = _later(stopped, minutes=limits.late_files_minutes) if limits else None
            yield self._running(recording, "WatchArn", "recorder", late, "stopped_at", latest)
        if code := recording.get("insights_code"):
            yield self._part(recording, "insights", wait_of_recording("done", code), None, None, code=code)
        elif status in READY and recording.get("insights") == "pending":
            yield self._running(recording, "DerivationArn", "insights", DERIVED, "updated_at")

    def _of_recorder(self, recording: Mapping[str, Any]) -> Wait | None:
        """What the watch over the recorder waits for; None if there is none, or none any more."""
        status = recording["status"]
        if "channel" not in recording or "complete_at" in recording:
            return None
        if status in ("starting", "recording"):
            return wait_of_recording(status, recording.get("reason_code"))
        is_over = "stopped_at" in recording and status != "failed"
        return wait_of_recording("stopping", None) if is_over else None

    def _running(
        self, recording: Mapping[str, Any], machine: str, of: str, wait: Wait, since: str, latest: str | None = None
    ) -> Part:
        def find(machines: Machines) -> State | None:
            names = machines.running(machine, recording["recording_id"])
            return next((state for name in names if (state := machines.state_of(machine, name))), None)

        state = self._ask(find)
        begun = recording.get(since) or recording.get("created_at")
        return self._part(recording, of, wait, begun, latest, **self._state(machine, state))

    def _part(
        self,
        recording: Mapping[str, Any],
        of: str,
        wait: Wait,
        since: str | None,
        latest: str | None,
        *,
        code: str | None = None,
        **state: Any,
    ) -> Part:
        return Part(
            of,
            recording.get("channel") or recording["recording_id"],
            recording["status"],
            wait.waits_for,
            wait.ends,
            self._filled(wait.command, recording["recording_id"], recording.get("provider")),
            since=since,
            limit=wait.limit,
            latest_at=latest,
            **_coded(code, recording.get("watch_reason" if of == "recorder" else "insights_reason")),
            **state,
        )

    def _state(self, machine: str, state: State | None) -> dict[str, Any]:
        if state is None:
            return {}
        said = STATES[machine].get(state.name)
        return {
            "state": f"{state.name}: {said}" if said else state.name,
            "state_since": utc_text(state.since),
            "next_at": utc_text(state.until) if state.until else None,
            "console": self.console(state.execution_arn),
        }

    def _ask(self, question: Callable[[Machines], Any]) -> Any:
        """Ask Step Functions and Lambda, as long as they answer; what they refuse becomes a note, once."""
        from botocore.exceptions import BotoCoreError, ClientError

        if self.machines is None:
            return None
        try:
            return question(self.machines)
        except (BotoCoreError, ClientError) as error:
            self.machines = None
            self.notes.append(f"States of executions are not known, nor settings: {self.failed(error)}")
            return None

    def _filled(self, command: str, recording_id: str, provider: str | None) -> str:
        return command.format(id=recording_id, provider=provider or "PROVIDER", stage=self.stage)


def _sentence(wait: Wait) -> str:
    ends = wait.ends if wait.is_over else f"What ends it: {wait.ends[0].lower()}{wait.ends[1:]}"
    return f"{wait.waits_for} {ends}"


def _limited(wait: Wait, row: Mapping[str, Any], limits: Limits | None) -> dict[str, Any]:
    """The setting that bounds the wait of a media object, and the moment, if the settings are known."""
    if wait.limit is None:
        return {}
    if limits is None:
        return {"limit": wait.limit}
    return {"limit": f"{wait.limit} = {limits.of(wait.limit)}", "latest_at": _latest(wait.limit, row, limits)}


def _latest(limit: Limit, row: Mapping[str, Any], limits: Limits) -> str | None:
    """When a wait fails at the latest; None if the row does not say since when the limit counts."""
    waiting = row.get("waiting_since") or row.get("arrived_at")
    if limit == "pollCeilingMinutes":
        return _later(row.get("submitted_at") or waiting, minutes=limits.poll_ceiling_minutes)
    if limit == "lateFilesMinutes":
        return _later(waiting, minutes=limits.late_files_minutes)
    ends = [_later(row.get("first_turn_at"), hours=limits.give_up_hours)]
    if limit == "queueDays":
        ends.append(_later(waiting, days=limits.queue_days))
    return min((end for end in ends if end), default=None)


def _later(text: str | None, **time: float) -> str | None:
    try:
        return utc_text(datetime.fromisoformat(text) + timedelta(**time)) if text else None
    except ValueError:  # somebody has edited the row
        return None


def _expected(row: Mapping[str, Any]) -> str | None:
    seconds = row.get("expected_seconds")
    return _later(row.get("submitted_at"), seconds=float(seconds)) if seconds is not None else None


def _state_of(provider: Mapping[str, Any]) -> str:
    """Say whether a provider takes jobs, how many, and since when it does not."""
    slots = "" if provider.get("slots") is None else f", {provider.get('slots_used', 0)} of {provider['slots']} slots"
    queue = f", {provider['queued']} in the queue" if provider.get("queued") else ""
    if provider.get("paused"):
        by = f" by {provider['changed_by']}" if provider.get("changed_by") else ""
        return f"paused{by}{slots}{queue}"
    if provider.get("health") in (None, "closed"):
        return f"takes jobs{slots}{queue}"
    why = provider.get("reason_code", "no reason")
    return f"takes none since {provider.get('since')} ({why}), tried again at {provider.get('retry_at')}{slots}{queue}"


def _coded(code: str | None, reason: str | None) -> dict[str, Any]:
    known = REASONS.get(code or "") or INSIGHT_REASONS.get(code or "")
    return {"code": code, "meaning": _meaning(code), "advice": known.advice if known else None, "reason": reason}


def _meaning(code: str | None) -> str | None:
    known = REASONS.get(code or "") or INSIGHT_REASONS.get(code or "")
    return known.meaning if known else None
