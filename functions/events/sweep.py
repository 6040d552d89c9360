"""EventBridge Scheduler, or an operator: one sweep."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES
from recording_insights.deadline import Deadline
from recording_insights.logs import function_logger, with_ids
from recording_insights.media.executions import begin
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.receive_result_event import receive_result_event
from recording_insights.processing.reopen import reopen
from recording_insights.processing.report_failure import report_stopped_execution
from recording_insights.settings import SweepSettings
from recording_insights.store.rows import MediaRow, SweepRow
from recording_insights.sweep.broken_erases import begin_broken_erases
from recording_insights.sweep.dead_letters import bring_back, handle_dead_letters
from recording_insights.sweep.jobs_not_fetched import fetch_forgotten_jobs
from recording_insights.sweep.media_without_row import admit_media_without_row
from recording_insights.sweep.results import receive_results
from recording_insights.sweep.rows_without_execution import begin_rows_without_execution
from recording_insights.sweep.state_measures import measure_found, measure_state
from recording_insights.sweep.step import AT_ONCE, Ages, Step
from recording_insights.sweep.sweep import Work, modified_since, sweep, sweeping_since
from recording_insights.sweep.too_old import delete_too_old
from recording_insights.sweep.turns import tidy_turns
from recording_insights.sweep.uploads import end_missing_uploads
from recording_insights.upkeep.retention import Retention
from wiring import Wiring, utc_now

logger = function_logger("sweep")
wiring = Wiring(SweepSettings)


@with_ids(logger)
def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Sweep once; returns the counts of each step. With {"at_once": true}, nothing needs to have lain for a while."""
    ages = AT_ONCE if event.get("at_once") else Ages()
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    steps: Mapping[str, Work] = {
        "arrivals": partial(_arrivals, ages),
        **({"transcripts": partial(_transcripts, ages)} if wiring.settings.transcripts_arn else {}),
        "dead_letters": lambda row, after: handle_dead_letters(
            wiring.dead_letters, handle=_handle, now=utc_now(), deadline=deadline, age=ages.letters
        ),
        "results": partial(_results, DELIVERIES, wiring.callbacks.receive_delivery, deadline),
        "kept_results": partial(_results, CALLBACKS, wiring.callbacks.receive_kept_result, deadline),
        "media": partial(_media, deadline),
        "uploads": partial(_uploads, deadline),
        "rows": partial(_rows, deadline, ages),
        "jobs": partial(_jobs, deadline, ages),
        "turns": partial(_turns, deadline),
        "erases": partial(_erases, deadline, ages),
        "retention": partial(_retention, deadline, ages),
    }
    counts = sweep(steps, sweeps=wiring.sweeps, deadline=deadline)
    measure_found(counts)
    measure_state(wiring.takers(wiring.settings.providers), recordings=wiring.recordings, turns=wiring.turns.store)
    logger.info("swept", extra={"counts": counts})
    return counts


def _arrivals(ages: Ages, row: SweepRow, after: str) -> Step:
    wiring.intake.check_open()
    return bring_back(wiring.unadmitted, wiring.settings.arrivals_arn, now=utc_now(), age=ages.letters)


def _transcripts(ages: Ages, row: SweepRow, after: str) -> Step:
    return bring_back(wiring.underived, str(wiring.settings.transcripts_arn), now=utc_now(), age=ages.letters)


def _media(deadline: Deadline, row: SweepRow, after: str) -> Step:
    wiring.intake.check_open()
    return admit_media_without_row(
        wiring.listing(wiring.settings.recordings_bucket).files(after=after),
        bucket=wiring.settings.recordings_bucket,
        store=wiring.recordings,
        admit=_admit,
        modified_since=modified_since(row),
        sweeping_since=sweeping_since(row),
        deadline=deadline,
    )


def _uploads(deadline: Deadline, row: SweepRow, after: str) -> Step:
    # In a pause the files that have come are not admitted.
    wiring.intake.check_open()
    return end_missing_uploads(store=wiring.recordings, after=after, deadline=deadline)


def _rows(deadline: Deadline, ages: Ages, row: SweepRow, after: str) -> Step:
    return begin_rows_without_execution(
        store=wiring.recordings, begin=_begin, after=after, deadline=deadline, age=ages.rows
    )


def _jobs(deadline: Deadline, ages: Ages, row: SweepRow, after: str) -> Step:
    return fetch_forgotten_jobs(
        store=wiring.recordings, retry=_fetch_again, after=after, deadline=deadline, age=ages.jobs
    )


def _turns(deadline: Deadline, row: SweepRow, after: str) -> Step:
    return tidy_turns(
        wiring.takers(wiring.settings.providers),
        turns=wiring.turns,
        find=wiring.find_turn,
        after=after,
        deadline=deadline,
    )


def _erases(deadline: Deadline, ages: Ages, row: SweepRow, after: str) -> Step:
    return begin_broken_erases(
        store=wiring.recordings, executions=wiring.erase_machine, after=after, deadline=deadline, age=ages.erases
    )


def _retention(deadline: Deadline, ages: Ages, row: SweepRow, after: str) -> Step:
    settings = wiring.settings
    return delete_too_old(
        row,
        Retention(settings.media_days, settings.segments_days, settings.insights_days),
        store=wiring.recordings,
        sweeps=wiring.sweeps,
        executions=wiring.erase_machine,
        after=after,
        deadline=deadline,
        every=ages.retention,
    )


def _begin(media: MediaRow) -> str | None:
    return begin(media, store=wiring.media, start_execution=wiring.start_processing)


def _fetch_again(media: MediaRow) -> str | None:
    reopened = reopen(media, store=wiring.media, start="job")
    wiring.media.note(media["recording_id"], media["media_id"], swept_at=wiring.media.timestamp)
    return _begin(reopened)


def _results(prefix: str, receive: Callable[[str], str], deadline: Deadline, row: SweepRow, after: str) -> Step:
    return receive_results(
        wiring.listing(wiring.settings.replies_bucket).files(prefix=prefix, after=after),
        receive=receive,
        modified_since=modified_since(row),
        deadline=deadline,
    )


def _handle(event: Mapping[str, Any]) -> object:
    """Do what the function would have done that failed with the event."""
    if event["source"] == "aws.states":
        return report_stopped_execution(event["detail"], store=wiring.media, turns=wiring.turns)
    if event["detail"].get("bucket", {}).get("name") == wiring.settings.recordings_bucket:
        wiring.intake.check_open()
        return _admit(MediaObject.from_event(event))
    return receive_result_event(event, callbacks=wiring.callbacks, providers=wiring.settings.providers)


def _admit(media: MediaObject) -> Mapping[str, Any]:
    outcome = wiring.admit(media)
    logger.info("ignored" if "ignored" in outcome else "admitted", extra={"key": media.key, **outcome})
    return outcome
