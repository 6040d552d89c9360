"""Recordings of which something is older than the settings allow."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from recording_insights.deadline import Deadline
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow, SweepRow
from recording_insights.store.sweeps import SweepStore
from recording_insights.sweep.step import RESERVE_SECONDS, Step
from recording_insights.upkeep.erase import Executions
from recording_insights.upkeep.retention import Kind, Retention, begin_retention, is_due, may_be_due


def delete_too_old(
    row: SweepRow,
    retention: Retention,
    *,
    store: RecordingStore,
    sweeps: SweepStore,
    executions: Executions,
    after: str,
    deadline: Deadline,
    every: timedelta,
) -> Step:
    """Begin the deletion of what is too old, the oldest recordings first. All of them are looked at once in a while.

    `every` is how long after a look that came to its end the next one begins.
    """
    cutoffs = retention.cutoffs(store.now())
    if not cutoffs or (not after and _is_recent(row, store.now() - every)):
        return Step()
    step = Step(cursor=after)
    for recording, place in store.oldest_first(max(cutoffs.values()), after=after):
        if deadline.seconds_left < RESERVE_SECONDS:
            return step
        step.attempt(_begin, recording, cutoffs, store, executions)
        step.cursor = place
    sweeps.note_retention()
    return Step(step.counts)


def due_kind(recording: RecordingRow, cutoffs: Mapping[Kind, str], store: RecordingStore) -> Kind | None:
    """Return what goes of a recording by now, most of all first; None if nothing does."""
    kinds = [kind for kind, cutoff in cutoffs.items() if may_be_due(recording, kind, cutoff)]
    media = store.media_rows(recording["recording_id"]) if kinds else []
    return next((kind for kind in kinds if is_due(recording, media, kind, cutoffs[kind])), None)


def _begin(
    recording: RecordingRow, cutoffs: Mapping[Kind, str], store: RecordingStore, executions: Executions
) -> str | None:
    kind = due_kind(recording, cutoffs, store)
    if kind is None:
        return None
    begun = begin_retention(recording, kind, store=store, executions=executions)
    return f"{kind}_begun" if begun else f"{kind}_at_work"


def _is_recent(row: SweepRow, moment: datetime) -> bool:
    return "retained_at" in row and datetime.fromisoformat(row["retained_at"]) > moment
