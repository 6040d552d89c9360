"""Cancel a recording: what waits ends with a code of its own, and what has ended stays as it is."""

from dataclasses import replace
from typing import Any

import pytest

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import Conflict, NotFound, ProviderUnavailable
from recording_insights.processing.callbacks import Callbacks
from recording_insights.processing.cancel_recording import cancel_recording
from recording_insights.processing.reopen import reopen
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeClock, FakeStarter
from tests.unit.processing.flow import JOB, RUNNING, Flow, R


@pytest.fixture
def flow(store: MediaStore, replies: ReplyStore, clock: FakeClock, make_media: MakeMedia) -> Flow:
    return Flow(store, replies, clock, make_media("talk.mp4"))


def cancel(flow: Flow, recording_id: str = R, *, seconds: float = 27.0) -> dict[str, Any]:
    return cancel_recording(
        recording_id,
        store=flow.store,
        turns=flow.turns,
        end_wait=flow.woken.append,
        deadline=flow.clock.deadline(seconds),
        who="night-shift",
    )


def test_who_waits_for_a_turn_leaves_the_queue_and_its_execution_ends(flow: Flow) -> None:
    flow.limits["marsview"] = 1
    flow.turns.store.take_slot("marsview", 0, "another one", 2**40)
    assert flow.submit().outcome == "parked"
    place = flow.item["queue_place"]
    key = {"pk": "PROVIDER#marsview", "sk": place}
    token = {"UpdateExpression": "SET task_token = :t", "ExpressionAttributeValues": {":t": "token"}}
    flow.store.table.update_item(Key=key, **token)  # type: ignore[arg-type]

    cancelled = cancel(flow)

    assert (cancelled["status"], cancelled["reason_code"]) == ("failed", "cancelled")
    assert flow.item["reason"] == "it was cancelled by night-shift"
    assert flow.woken == ["token"]
    assert flow.turns.store.length("marsview") == 0
    assert flow.submit().outcome == "over"


def test_a_job_that_runs_gives_its_slot_to_the_next_and_stays_known(flow: Flow) -> None:
    flow.limits["marsview"] = 1
    flow.provider.submits, flow.provider.polls = [JOB], [RUNNING]
    flow.submit()
    flow.store.note(R, flow.media.media_id, task_token="of the wait")

    cancel(flow)

    assert flow.turns.has_room("marsview")
    assert flow.woken == ["of the wait"]
    assert (flow.item["status"], flow.item["job"]) == ("failed", JOB)
    assert flow.submit(flow.poll()).outcome == "over"
    assert len(flow.provider.submissions) == 1


def test_its_execution_does_not_poll_the_job_of_the_retry(flow: Flow) -> None:
    """It waits by the clock, and ends later than the retry begins."""
    machine = "arn:aws:states:eu-central-1:000000000000:execution:processing"
    flow.provider.submits = [JOB]
    running = flow.submit(replace(flow.progress, execution=f"{machine}:{flow.item['execution']}"))
    cancel(flow)
    reopened = reopen(flow.item, store=flow.store)  # type: ignore[arg-type]
    flow.running = {f"{machine}:{reopened['execution']}"}

    polled = flow.poll(running)

    assert polled.outcome == "submit", "the script of the provider has no poll"
    assert flow.submit(polled).outcome == "over"
    assert flow.item == reopened


def test_of_late_callbacks_the_first_counts_and_nobody_waits_for_another(flow: Flow) -> None:
    flow.provider.submits = [JOB]
    flow.submit()
    cancel(flow)
    callbacks = Callbacks(flow.store, flow.replies, flow.woken.append, FakeStarter())
    for delivery in ("the first", "the second"):
        callbacks._receive("marsview", flow.item, job=JOB, delivery=delivery)  # type: ignore[arg-type]

    reopened = reopen(flow.item, store=flow.store)  # type: ignore[arg-type]

    assert (reopened["began_from"], reopened["delivery"]) == ("job", "the first")
    assert "callback_at" in reopened


def test_who_cancelled_is_on_the_row_until_a_retry_and_then_on_the_try(flow: Flow) -> None:
    cancel(flow)
    assert flow.item["canceled_by"] == "night-shift"

    reopened = reopen(flow.item, store=flow.store)  # type: ignore[arg-type]

    assert ("canceled_by" in reopened, flow.tries[0].get("canceled_by")) == (False, "night-shift")


def test_what_one_call_has_no_time_for_is_left_to_the_next(flow: Flow, make_media: MakeMedia) -> None:
    for number in range(2):
        flow.store.admit(R, make_media(f"{number}.mp4"), providers=["marsview"])

    counts = [cancel(flow, seconds=5)["media_counts"] for _ in range(3)]

    assert counts == [{"waiting": 2, "failed": 1}, {"waiting": 1, "failed": 2}, {"failed": 3}]


def test_a_second_call_changes_nothing(flow: Flow) -> None:
    first = cancel(flow)
    before = flow.store.table.scan()["Items"]
    assert cancel(flow) == first
    assert flow.store.table.scan()["Items"] == before


def test_what_is_done_meanwhile_stays_done(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    read = type(flow.store.recordings).media_rows

    def read_before_the_end(recordings: Any, recording_id: str) -> Any:
        monkeypatch.undo()
        rows = read(recordings, recording_id)
        flow.store.finish(R, flow.media.media_id, "done")
        return rows

    monkeypatch.setattr(type(flow.store.recordings), "media_rows", read_before_the_end)

    assert cancel(flow)["status"] == "done"
    assert "reason_code" not in flow.item


def test_what_has_ended_otherwise_cannot_be_cancelled(flow: Flow) -> None:
    flow.store.finish(R, flow.media.media_id, "done")
    with pytest.raises(Conflict, match="nothing is left to cancel: the recording is done"):
        cancel(flow)


@pytest.mark.parametrize("status", ["starting", "recording", "stopping", "processing"])
def test_a_recorder_that_runs_has_to_be_stopped_first(flow: Flow, status: str) -> None:
    """The first part of a long recording is processed while the recorder goes on."""
    flow.change_recording(status=status, channel="team", sid="s")
    with pytest.raises(Conflict, match="stop it first"):
        cancel(flow)
    assert flow.item["status"] == "waiting"


def test_an_unknown_recording_is_not_found(flow: Flow) -> None:
    with pytest.raises(NotFound):
        cancel(flow, "0" * 32)


def test_a_job_that_is_accepted_at_that_moment_stays_known(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.provider.submits = [JOB]
    flow.limits["marsview"] = 1
    submit = type(flow.provider).submit

    def cancelled_meanwhile(provider: Any, *given: Any) -> Any:
        cancel(flow)
        return submit(provider, *given)

    monkeypatch.setattr(type(flow.provider), "submit", cancelled_meanwhile)

    assert flow.submit().outcome == "over"
    assert (flow.item["status"], flow.item["reason_code"], flow.item["job"]) == ("failed", "cancelled", JOB)
    assert flow.turns.has_room("marsview")


def test_who_was_to_try_the_provider_leaves_that_to_the_next(flow: Flow) -> None:
    flow.provider.submits = [ProviderUnavailable("away")]
    assert flow.submit().outcome == "parked"
    health = flow.turns.store.read("marsview").health
    assert health is not None
    assert health["prober"] == f"{R} {flow.media.media_id}"

    cancel(flow)

    assert flow.turns.store.read("marsview").health is None, "nobody else waits: whoever comes next tries it"
