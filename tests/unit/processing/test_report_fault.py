"""What failed by AWS or by ourselves waits for its repair, and goes on where it was."""

from itertools import accumulate
from typing import Any, cast

import pytest

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.model.insights import Insights
from recording_insights.model.reasons import REASONS
from recording_insights.processing.poll_job import poll_job
from recording_insights.processing.progress import Outcome, Progress
from recording_insights.processing.report_fault import PASSING, report_fault, seconds_waited
from recording_insights.processing.save_insights import save_insights
from recording_insights.providers.port import JobState
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeClock, FakeProvider, FakeS3, turns_of
from tests.unit.processing.test_report_failure import lambda_error

R = "b1946ac92492d2347c6235b4d2611184"
MOST_EVENTS = 25_000
"""Of an execution; AWS ends it then.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""
AWAY = lambda_error("ClientError", "An error occurred (InternalServerError) when calling the GetItem operation: sorry")
NO_DATA = lambda_error("ReplyUnreadable", "it has no field data; stored as a/b.json")


@pytest.fixture
def progress(store: MediaStore, make_media: MakeMedia) -> Progress:
    """The progress of a media object with a job."""
    media = make_media("talk.mp4")
    store.admit(R, media, providers=["marsview"], duration_ms=None)
    store.submitted(R, media.media_id, job={"id": "j1"})
    return Progress(R, media.media_id, media.key, "running")


def fault(progress: Progress, error: Any = AWAY, *, failed_state: str = "Poll job", again: Outcome = "running") -> Any:
    """What a Catch gives to "Report fault"."""
    return {**progress.to_state(), "error": error, "failed_state": failed_state, "outcome": again, "wait_seconds": 300}


def reported(state: Any, store: MediaStore) -> Progress:
    return report_fault(state, store=store, give_up_hours=72)


def why(store: MediaStore, progress: Progress) -> tuple[str | None, ...]:
    row = cast(dict[str, Any], store.get(R, progress.media_id))
    return row["status"], row.get("stage"), row.get("reason_code"), row.get("reason")


def test_the_longest_patience_does_not_fill_the_history_of_the_execution(progress: Progress, store: MediaStore) -> None:
    rounds, give_up_hours = 0, 336
    while progress.outcome == "running" and rounds < 10_000:
        progress, rounds = report_fault(fault(progress), store=store, give_up_hours=give_up_hours), rounds + 1

    assert seconds_waited(rounds, give_up_hours) >= give_up_hours * 3600
    # Events of a state that is called seven times, of "Report fault", of two choices and a wait.
    assert rounds * (2 + 7 * 3 + 5 + 3 * 2) < MOST_EVENTS


def test_the_waits_grow_until_the_patience_is_over(progress: Progress, store: MediaStore) -> None:
    waits = []
    while (progress := reported(fault(progress), store)).outcome == "running":
        waits.append(progress.wait_seconds)

    assert waits[:7] == [30, 60, 120, 240, 480, 900, 900]
    assert set(waits[7:]) == {900}
    *before, whole = accumulate(waits)
    assert before[-1] < 72 * 3600 <= whole
    assert (progress.outcome, progress.reason_code) == ("failed", "aws_unavailable")


@pytest.mark.parametrize("again", ["prepare", "submit", "running", "succeeded"])
def test_it_goes_on_where_it_was(progress: Progress, store: MediaStore, again: Outcome) -> None:
    assert reported(fault(progress, again=again), store).outcome == again


def test_the_first_wait_after_a_success_is_short_again(progress: Progress, store: MediaStore) -> None:
    for _ in range(5):
        progress = reported(fault(progress), store)

    assert reported(fault(progress.wait(60)), store).wait_seconds == 30


def test_what_is_waited_for_has_a_code() -> None:
    assert REASONS.keys() >= PASSING


def test_what_the_content_explains_fails_at_once(progress: Progress, store: MediaStore) -> None:
    state = fault(progress, NO_DATA, failed_state="Save insights", again="succeeded")
    failed = reported(state, store)

    assert (failed.outcome, failed.reason_code) == ("failed", "reply_unreadable")
    assert failed.reason.endswith("it has no field data; stored as a/b.json")
    assert why(store, progress) == ("submitted", None, None, None), '"Report failure" writes it'


def test_the_row_says_why_it_waits_until_the_next_poll(progress: Progress, store: MediaStore, clock: FakeClock) -> None:
    assert reported(fault(progress), store).outcome == "running"
    expected = ("submitted", "result", "aws_unavailable", "A service of AWS did not answer, or throttled")
    assert why(store, progress) == expected
    assert store.recordings.get(R)["reason_code"] == "aws_unavailable"

    poll(progress, store, clock, FakeProvider(polls=[JobState("running", "at work")]))
    assert why(store, progress) == ("submitted", None, None, None)
    assert "reason_code" not in store.recordings.get(R)


def test_the_row_says_why_it_waits_until_the_insights_are_saved(
    progress: Progress, store: MediaStore, clock: FakeClock
) -> None:
    provider = FakeProvider(polls=[JobState("succeeded", "done", reply=b"{}")], insights=Insights())
    s3 = FakeS3()
    succeeded = poll(progress, store, clock, provider, s3)
    waiting = reported(fault(succeeded, failed_state="Save insights", again="succeeded"), store)
    assert (waiting.outcome, why(store, progress)[1:3]) == ("succeeded", ("saving", "aws_unavailable"))

    save_insights(
        waiting,
        store=store,
        insight_store=InsightStore(store.table),
        replies=ReplyStore(cast(Any, s3), "replies"),
        provider_for=lambda name: provider,
    )
    assert why(store, progress) == ("done", None, None, None)


def test_a_media_object_that_has_ended_meanwhile_keeps_its_reason(progress: Progress, store: MediaStore) -> None:
    store.finish(R, progress.media_id, "failed", reason="cancelled by an operator", reason_code="cancelled")

    reported(fault(progress), store)

    assert why(store, progress)[3] == "cancelled by an operator"


def poll(
    progress: Progress, store: MediaStore, clock: FakeClock, provider: FakeProvider, s3: FakeS3 | None = None
) -> Progress:
    return poll_job(
        progress,
        store=store,
        provider_for=lambda name, residency=None: provider,
        replies=ReplyStore(cast(Any, s3 or FakeS3()), "replies"),
        turns=turns_of(store),
        ceiling_minutes=240,
        now=clock.now,
    )
