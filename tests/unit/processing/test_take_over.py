"""Which execution works on a media object."""

from dataclasses import replace

import pytest

from recording_insights.processing.progress import Progress
from tests.unit.processing.flow import JOB, RUNNING, Flow, R

MACHINE = "arn:aws:states:eu-central-1:000000000000:execution:processing"


@pytest.fixture
def by_hand(flow: Flow) -> Progress:
    """The input of an execution that somebody starts at the console."""
    flow.provider.submits = [JOB, {"transaction_id": "txn-2"}]
    return replace(flow.progress, execution=f"{MACHINE}:by-hand")


def test_the_execution_that_the_row_names_works(flow: Flow, by_hand: Progress) -> None:
    named = replace(by_hand, execution=f"{MACHINE}:{flow.item['execution']}")

    assert flow.submit(named).outcome == "running"
    assert flow.item["status"] == "submitted"


def test_another_one_ends_while_that_one_runs(flow: Flow, by_hand: Progress) -> None:
    flow.running = {f"{MACHINE}:{flow.item['execution']}"}

    progress = flow.submit(by_hand)

    assert (progress.outcome, flow.item["execution"]) == ("over", flow.item["execution"])
    assert not flow.provider.submissions


def test_another_one_takes_over_from_one_that_has_ended(flow: Flow, by_hand: Progress) -> None:
    assert flow.submit(by_hand).outcome == "running"
    assert flow.item["execution"] == "by-hand"


def test_of_two_that_take_over_at_once_one_works(flow: Flow, by_hand: Progress) -> None:
    before = flow.item
    flow.store.appoint(before, "the-winner")  # type: ignore[arg-type]

    assert flow.store.appoint(before, "by-hand") is None  # type: ignore[arg-type]
    assert flow.item["execution"] == "the-winner"


def test_one_of_an_earlier_version_goes_on_without_a_name(flow: Flow) -> None:
    flow.provider.submits, flow.provider.polls = [JOB], [RUNNING]

    assert flow.poll(flow.submit()).outcome == "running"


def test_one_that_is_started_by_hand_processes_a_failed_media_object_again(flow: Flow, by_hand: Progress) -> None:
    flow.submit()
    flow.store.finish(R, flow.media.media_id, "failed", reason="it cannot", reason_code="job_failed")

    assert flow.submit(by_hand).outcome == "running"

    assert (flow.item["status"], flow.item["execution"], flow.item["try_number"]) == ("submitted", "by-hand", 1)
    assert len(flow.provider.submissions) == 2, "the job had failed, so another one is bought"


def test_it_fetches_a_job_that_is_paid_for(flow: Flow, by_hand: Progress) -> None:
    flow.submit()
    flow.store.finish(R, flow.media.media_id, "failed", reason="aborted", reason_code="execution_stopped")

    assert flow.submit(by_hand).outcome == "running"
    assert len(flow.provider.submissions) == 1


def test_one_that_is_started_by_hand_leaves_a_result_alone(flow: Flow, by_hand: Progress) -> None:
    flow.store.finish(R, flow.media.media_id, "done")

    assert flow.submit(by_hand).outcome == "over"
    assert not flow.provider.submissions
