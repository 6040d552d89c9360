"""A row that somebody changed by hand ends with a reason code, and its media object can be retried."""

from collections.abc import Callable
from typing import Any

import pytest

from recording_insights.errors import ProviderNotConfigured, ReplyGone, RowMalformed
from recording_insights.media.executions import begin
from recording_insights.model.reasons import is_retryable
from recording_insights.processing.progress import Progress
from recording_insights.processing.reopen import reopen
from recording_insights.processing.report_failure import report_failure
from recording_insights.providers.port import JobState
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeStarter, turns_of
from tests.unit.processing.flow import JOB, RUNNING, Flow, R

GONE = object()
SUCCEEDED = JobState("succeeded", "done")
NONSENSE = [
    ({"status": "banana"}, "status in its row is not one of waiting, preparing, submitted, done, failed"),
    ({"status": GONE}, "its row has no status"),
    ({"job": "txn-1"}, "job in its row is not a map"),
    ({"job": GONE}, "its row has no job"),
    ({"submitted_at": "soon"}, "submitted_at in its row is not a moment"),
    ({"submitted_at": 7}, "submitted_at in its row is not a moment"),
    ({"provider": GONE}, "its row has no provider"),
    ({"try_number": "two"}, "try_number in its row is not a whole number"),
]


@pytest.fixture
def kept(submitted: Flow) -> Flow:
    """The reply of the provider is kept."""
    submitted.provider.polls, submitted.provider.replies = [SUCCEEDED], [b"{}"]
    submitted.poll()
    return submitted


def change(flow: Flow, changes: dict[str, Any]) -> None:
    """Write to the row as somebody does at the console."""
    row = {**flow.item, **changes}
    flow.store.table.put_item(Item={name: value for name, value in row.items() if value is not GONE})


def fail(flow: Flow, progress: Progress) -> None:
    report_failure(progress.to_state(), store=flow.store, turns=turns_of(flow.store))


@pytest.mark.parametrize(("changes", "reason"), NONSENSE)
@pytest.mark.parametrize("step", [Flow.poll, Flow.submit])
def test_a_malformed_row_ends_with_a_code(
    submitted: Flow, changes: dict[str, Any], reason: str, step: Callable[[Flow], Progress]
) -> None:
    change(submitted, changes)
    jobs = len(submitted.provider.submissions)

    progress = step(submitted)
    fail(submitted, progress)

    assert (progress.outcome, progress.reason_code, progress.reason) == ("failed", "row_malformed", reason)
    assert (submitted.item["status"], submitted.item["reason_code"]) == ("failed", "row_malformed")
    assert submitted.store.recordings.get(R)["reason_code"] == "row_malformed"
    assert len(submitted.provider.submissions) == jobs, "nothing is paid for"


def test_a_provider_that_the_stack_does_not_have_is_awaited(submitted: Flow) -> None:
    """It may come back with the next deploy. The job stays open until then, or until its time is over."""
    change(submitted, {"provider": "nobody"})

    polled, resubmitted = submitted.poll(), submitted.submit()

    assert (polled.outcome, polled.wait_seconds) == ("running", 900)
    assert resubmitted.outcome == "parked"
    assert submitted.item["reason"] == "there is no provider nobody"
    assert submitted.item["reason_code"] == "provider_not_configured"
    submitted.clock.elapsed = 5 * 3600
    polled = submitted.poll()
    assert (polled.outcome, polled.reason_code) == ("failed", "provider_not_configured")


def test_a_malformed_row_can_be_retried_and_its_job_is_not_paid_for_again(submitted: Flow) -> None:
    change(submitted, {"status": "banana"})
    fail(submitted, submitted.poll())

    row = reopen(submitted.store.get(R, submitted.media.media_id), store=submitted.store)

    assert is_retryable("row_malformed")
    assert (row["status"], row["began_from"], row["job"]) == ("submitted", "job", JOB)
    assert not row.keys() & {"stage", "reason", "reason_code"}
    submitted.provider.polls = [RUNNING]
    assert submitted.poll().outcome == "running"


def test_a_row_without_a_status_does_not_keep_the_others_of_its_recording_from_ending(
    submitted: Flow, store: MediaStore, make_media: MakeMedia
) -> None:
    other = make_media(f"{R}_weekly-sync_1.mp4")
    store.admit(R, other, providers=["marsview"])
    change(submitted, {"status": GONE})

    store.finish(R, other.media_id, "done")

    assert store.recordings.get(R)["status"] == "processing"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reply": GONE}, ReplyGone),
        ({"reply": "nowhere.json"}, ReplyGone),
        ({"provider": "nobody"}, ProviderNotConfigured),
        ({"submitted_at": "soon"}, RowMalformed),
    ],
)
def test_saving_says_what_is_wrong_with_the_row(
    kept: Flow, insight_store: InsightStore, changes: dict[str, Any], error: type[Exception]
) -> None:
    change(kept, changes)

    with pytest.raises(error):
        kept.save(insight_store)


def test_a_reply_that_was_deleted_is_fetched_again(kept: Flow) -> None:
    error = {"Error": "ReplyGone", "Cause": ""}
    report_failure(
        {**kept.progress.to_state(), "error": error, "failed_state": "Save insights"},
        store=kept.store,
        turns=turns_of(kept.store),
    )

    row = reopen(kept.store.get(R, kept.media.media_id), store=kept.store)

    assert (row["began_from"], "reply" in row) == ("job", False)


def test_a_delivered_result_that_was_deleted_counts_as_not_delivered(submitted: Flow) -> None:
    submitted.store.note(R, submitted.media.media_id, delivery="callbacks/marsview/gone.json")
    submitted.provider.polls = [RUNNING]

    assert submitted.poll().outcome == "running"


def test_a_row_without_a_status_gets_an_execution_that_ends_it(submitted: Flow) -> None:
    change(submitted, {"status": GONE})
    start = FakeStarter()

    name = begin(submitted.store.get(R, submitted.media.media_id), store=submitted.store, start_execution=start)

    assert list(start.executions) == [name]
