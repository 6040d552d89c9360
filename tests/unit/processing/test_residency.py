"""With a residency no provider outside of it gets a media object, whatever the rows name that are older than it."""

from dataclasses import replace

import pytest

from recording_insights.processing.reopen import reopen
from recording_insights.providers.port import Capabilities, JobState
from recording_insights.providers.registry import options_in
from tests.unit.fakes import FakeProvider
from tests.unit.processing.flow import JOB, RUNNING, Flow, R

REFUSAL = "marsview documents no host that keeps data in the residency EU"
RECEIVED = JobState("succeeded", "processed", reply=b'{"data": {}}')


@pytest.fixture
def three(flow: Flow) -> Flow:
    """A media object of Marsview, which has no host in the EU, with Symbl, which has none, and Deepgram behind it."""
    flow.others["symbl"] = FakeProvider(submits=[{"job_id": "j-1"}])
    flow.others["deepgram"] = FakeProvider(submits=[{"request_id": "r-1"}])
    flow.provider.submits = [JOB]
    return flow


@pytest.mark.parametrize("is_of_recording", [False, True])
def test_only_a_provider_inside_takes_over(three: Flow, is_of_recording: bool) -> None:
    names = ["symbl", "deepgram"]
    if is_of_recording:
        three.change_recording(failover=names)

    progress = three.submit(residency="EU", failover=[] if is_of_recording else names)
    progress = three.submit(progress, residency="EU", failover=[] if is_of_recording else names)

    assert not three.provider.submissions + three.others["symbl"].submissions
    assert (progress.outcome, three.item["provider"], three.item["residency"]) == ("running", "deepgram", "EU")
    [refused] = three.tries
    assert (refused["provider"], refused["reason_code"], refused["reason"]) == (
        "marsview",
        "outside_residency",
        REFUSAL,
    )


def test_without_a_provider_inside_it_is_the_end(three: Flow) -> None:
    progress = three.submit(residency="EU", failover=["symbl"])

    assert (progress.outcome, progress.reason_code, progress.reason) == ("failed", "outside_residency", REFUSAL)
    assert not three.provider.submissions + three.others["symbl"].submissions
    assert three.item["provider"] == "marsview"


def test_a_job_that_runs_outside_is_fetched_from_there(three: Flow) -> None:
    three.submit()
    three.provider.polls = [RUNNING, RECEIVED]

    assert three.poll(three.submit(residency="EU")).outcome == "running"
    assert three.poll().outcome == "succeeded"
    assert len(three.provider.submissions) == 1
    assert three.loaded[-2:] == [("marsview", None), ("marsview", None)]


def test_a_job_is_polled_where_it_was_submitted_also_if_the_response_was_lost(three: Flow) -> None:
    three.others["deepgram"].capabilities = Capabilities("url", three.provider.capabilities.pace, callback="required")
    three.store.note(R, three.media.media_id, provider="deepgram")
    three.others["deepgram"].submits = [RuntimeError("the function was ended")]
    with pytest.raises(RuntimeError):
        three.submit(residency="EU")

    assert (three.item["status"], three.item["residency"]) == ("waiting", "EU")
    assert three.submit().outcome == "awaiting"


def test_a_try_that_may_be_placed_outside_is_awaited_not_repeated(three: Flow) -> None:
    three.provider.capabilities = Capabilities("url", three.provider.capabilities.pace, callback="required")
    three.store.note(R, three.media.media_id, asking="2026-03-12T10:00:00Z")

    assert three.submit(residency="EU").outcome == "awaiting"
    assert three.poll(replace(three.progress, outcome="running", attempt=1)).outcome == "submit"
    assert three.submit(residency="EU").reason_code == "outside_residency"
    assert not three.provider.submissions


def test_a_retry_fetches_the_job_where_it_is(three: Flow) -> None:
    three.store.note(R, three.media.media_id, provider="deepgram")
    three.submit(residency="EU")
    three.store.finish(R, three.media.media_id, "failed", reason_code="no_result")

    assert reopen(three.store.get(R, three.media.media_id), store=three.store)["residency"] == "EU"
    three.store.finish(R, three.media.media_id, "failed", reason_code="job_unknown")
    assert "residency" not in reopen(three.store.get(R, three.media.media_id), store=three.store)


def test_nobody_overrides_what_the_residency_needs(three: Flow) -> None:
    three.store.note(R, three.media.media_id, provider="deepgram", options={"mip_opt_out": False})

    three.submit(residency="EU", options={"deepgram": {"mip_opt_out": False}})

    [submission] = three.others["deepgram"].submissions
    assert submission.options == options_in("deepgram", "EU") == {"mip_opt_out": True}
