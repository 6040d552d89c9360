"""Callbacks at every moment: before, while and after somebody waits, twice, for others, and forged."""

import json
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from recording_insights.aws.reply_bucket import kept_result_key
from recording_insights.errors import (
    CallbackForged,
    CallbackUnusable,
    NotFound,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.processing.callbacks import Callbacks, callback_token
from recording_insights.processing.job_name import JobName
from recording_insights.processing.progress import Progress
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, JobState
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeClock, FakeStarter
from tests.unit.processing.flow import RUNNING, Flow, R

CALLS_BACK = Capabilities("url", Pace(5, 0.3), callback="optional")
JOB = {"id": "job-1"}
LOST = SubmissionUnconfirmed("Marsview did not answer in time")
DONE = JobState("succeeded", "completed")


class Adapter:
    """Proves a request by its path; the body is a `Callback` as JSON, or null."""

    @staticmethod
    def read_callback(request: CallbackRequest) -> Callback | None:
        request.prove(request.path_token)
        told = json.loads(request.body)
        if isinstance(told, str):
            raise CallbackUnusable("it has no field status", told)
        return Callback(**told) if told else None


class World:
    """A flow whose provider calls back, and the receiving end; `woken` are the tokens of waits that ended."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.media_id = flow.media.media_id
        flow.provider.capabilities = CALLS_BACK
        self.woken: list[str] = []
        self.started = FakeStarter()
        self.callbacks = Callbacks(flow.store, flow.replies, self.woken.append, self.started)
        self.name = str(JobName(R, self.media_id, 0))
        self.token = callback_token("secret", "marsview", self.name)

    def call(
        self, told: Any = None, *, name: str | None = None, token: str | None = None, provider: str = "marsview"
    ) -> str:
        body = json.dumps({"job": JOB} if told is None else told).encode()
        request = CallbackRequest(body, {}, self.token if token is None else token, secrets=[[self.token]])
        return self.callbacks.receive_webhook(provider, Adapter(), request, name=name or self.name)

    def wait(self) -> bool:
        """What "Await callback" does; False if its write meets a callback that was noted."""
        if "callback_at" in self.flow.item:
            return False
        self.flow.store.note(R, self.media_id, task_token="task-token")
        return True

    def parked(self) -> Progress:
        """Submit twice without a response, and wait for a turn after the second one."""
        self.flow.provider.submits = [LOST, LOST]
        progress = self.flow.poll(self.flow.submit())
        progress = self.flow.poll(self.flow.submit(progress))
        progress = self.flow.submit(progress)
        key = {"pk": "PROVIDER#marsview", "sk": progress.place}
        self.flow.store.table.update_item(
            Key=key, UpdateExpression="SET task_token = :t", ExpressionAttributeValues={":t": "turn-token"}
        )
        return progress


@pytest.fixture
def world(flow: Flow) -> World:
    return World(flow)


@pytest.fixture
def placed(world: World) -> World:
    """The provider has the job, the workflow awaits its callback."""
    world.flow.provider.submits = [JOB]
    progress = world.flow.submit()
    assert (progress.outcome, progress.wait_seconds) == ("awaiting", 0)
    return world


def test_the_callback_ends_the_wait_and_a_second_one_nothing(placed: World) -> None:
    assert placed.wait()

    assert placed.call() == "noted"
    before = placed.flow.item
    assert placed.call() == "known already"

    assert "delivery" not in before, "a message that the job has ended is no result"
    # Ended again, since the first may have broken off before: a wait that is over does not mind.
    assert placed.woken == ["task-token", "task-token"]
    assert placed.flow.item == before


def test_a_callback_whose_receiver_broke_off_is_made_good_by_the_next(placed: World) -> None:
    def break_off(token: str) -> None:
        raise TimeoutError("no answer from Step Functions")

    assert placed.wait()
    broken = Callbacks(placed.flow.store, placed.flow.replies, break_off, placed.started)
    with pytest.raises(TimeoutError):
        broken.receive_state_change("marsview", placed.name)

    assert placed.call() == "known already"
    assert placed.woken == ["task-token"]


def test_of_two_callbacks_at_once_one_is_noted_and_both_end_the_wait(
    placed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert placed.wait()
    note = MediaStore.note_callback
    outcomes: list[str] = []

    def meanwhile(*arguments: Any, **named: Any) -> bool:
        monkeypatch.setattr(MediaStore, "note_callback", note)
        outcomes.append(placed.call())
        return note(*arguments, **named)

    monkeypatch.setattr(MediaStore, "note_callback", meanwhile)

    assert placed.call() == "known already"
    assert outcomes == ["noted"]
    assert placed.woken == ["task-token", "task-token"]


def test_an_early_callback_leaves_nobody_waiting(world: World) -> None:
    world.flow.provider.submits = [JOB]
    assert world.call() == "noted"
    assert world.flow.submit().outcome == "awaiting"

    assert not world.wait()
    world.flow.provider.polls, world.flow.provider.replies = [DONE], [b"{}"]
    assert world.flow.poll().outcome == "succeeded"
    assert not world.woken


def test_the_row_says_which_callback_came_and_why_it_was_refused(placed: World) -> None:
    assert placed.wait()

    with pytest.raises(CallbackUnusable):
        placed.call("")

    refused = f"a callback was refused at {placed.flow.store.timestamp}: body: it has no field status"
    assert placed.flow.item["callback_refusal"] == refused
    assert not placed.woken
    placed.flow.provider.polls = [RUNNING]
    placed.flow.poll()
    assert placed.flow.item["last_word"] == f"{RUNNING.word}; {refused}"

    assert placed.call() == "noted"


def test_a_refusal_belongs_to_its_job(placed: World) -> None:
    with pytest.raises(CallbackUnusable):
        placed.call("")
    assert "callback_refusal" in placed.flow.item
    placed.flow.store.give_up(R, placed.media_id, "the link expired", "link_expired")
    assert "callback_refusal" not in placed.flow.item

    with pytest.raises(CallbackUnusable):
        placed.call("")
    assert "callback_refusal" not in placed.flow.item, "the path names the job before"


def test_a_late_callback_is_noted_and_the_next_poll_finds_the_end(placed: World) -> None:
    placed.flow.provider.polls = [RUNNING]
    progress = placed.flow.poll(replace(placed.flow.progress, outcome="awaiting"))
    assert progress.outcome == "running"
    assert placed.call() == "noted"


def test_a_callback_after_the_result_changes_nothing(placed: World) -> None:
    placed.flow.store.finish(R, placed.media_id, "done")
    before = placed.flow.item

    assert placed.call() == "over already"
    assert placed.flow.item == before


class TestLateResults:
    """A genuine result is kept whenever it comes, and finishes a failed media object."""

    def test_after_the_ceiling_the_media_object_is_processed_with_it(self, placed: World) -> None:
        placed.flow.store.finish(R, placed.media_id, "failed", reason="the ceiling", reason_code="no_result")

        assert placed.call() == "noted"

        [name] = placed.started.executions
        assert name == placed.flow.item["execution"]
        placed.flow.provider.polls, placed.flow.provider.replies = [DONE], [b"{}"]
        assert placed.flow.submit().outcome == "awaiting"
        assert not placed.wait(), "the callback is noted, so nothing waits for it"
        assert placed.flow.poll().outcome == "succeeded"
        assert len(placed.flow.provider.submissions) == 1, "nothing is paid for twice"
        [failed] = placed.flow.tries
        assert (failed["status"], failed["reason_code"]) == ("failed", "no_result")

    def test_after_a_cancellation_it_is_noted_and_starts_nothing(self, placed: World) -> None:
        placed.flow.store.finish(R, placed.media_id, "failed", reason="enough", reason_code="cancelled")

        assert placed.call() == "over already"

        assert placed.started.executions == {}
        assert placed.flow.item["status"] == "failed"
        assert placed.flow.item["callback_job"]

    def test_the_second_callback_of_the_job_finds_the_new_try(self, placed: World) -> None:
        placed.flow.store.finish(R, placed.media_id, "failed", reason="the ceiling", reason_code="no_result")

        assert [placed.call() for _ in range(3)] == ["noted", "known already", "known already"]
        assert len(placed.started.executions) == 1

    def test_a_start_that_failed_is_made_good_by_the_next_callback(self, placed: World) -> None:
        placed.flow.store.finish(R, placed.media_id, "failed", reason="the ceiling", reason_code="no_result")
        placed.started.fault = TimeoutError("Step Functions did not answer")
        with pytest.raises(TimeoutError):
            placed.call()
        placed.started.fault = None

        assert placed.call() == "known already"

        assert [*placed.started.executions] == [placed.flow.item["execution"]]

    def test_a_result_whose_reply_could_not_be_read_is_not_processed_at_each_repeat(self, placed: World) -> None:
        placed.flow.store.note(R, placed.media_id, reply="kept.json")
        placed.flow.store.finish(R, placed.media_id, "failed", reason="the reply is odd")

        assert placed.call() == "over already"
        assert not placed.started.executions

    def test_word_of_a_job_that_the_provider_had_ended_changes_nothing(self, placed: World) -> None:
        placed.flow.store.finish(R, placed.media_id, "failed", reason="no speech", reason_code="job_failed")

        assert placed.call() == "over already"
        assert not placed.started.executions

    def test_a_result_of_a_job_that_was_given_up_waits_with_its_try(self, placed: World) -> None:
        key = placed.flow.provider.submissions[0].delivery.key
        placed.flow.store.give_up(R, placed.media_id, "the link expired", "link_expired", provider="symbl")

        assert placed.callbacks.receive_delivery(key) == "of a job that was given up"

        [earlier] = placed.flow.tries
        assert earlier["delivery"] == key
        assert "delivery" not in placed.flow.item

    def test_a_result_of_a_job_that_was_given_up_finishes_what_failed_since(self, placed: World) -> None:
        key = placed.flow.provider.submissions[0].delivery.key
        placed.flow.store.give_up(R, placed.media_id, "the link expired", "link_expired", provider="symbl")
        placed.flow.store.finish(R, placed.media_id, "failed", reason="no credit")

        assert placed.callbacks.receive_delivery(key) == "noted"

        row = placed.flow.item
        assert (row["status"], row["provider"], row["job"]) == ("submitted", "marsview", JOB)
        assert (row["delivery"], row["try_number"]) == (key, 2)
        assert placed.started.executions

    def test_a_result_that_finishes_nothing_is_received_once(self, placed: World) -> None:
        key = placed.flow.provider.submissions[0].delivery.key
        placed.flow.store.give_up(R, placed.media_id, "the link expired", "link_expired")
        for outcome in ("noted", "over already"):
            placed.flow.store.finish(R, placed.media_id, "failed", reason="no link", reason_code="link_expired")
            assert placed.callbacks.receive_delivery(key) == outcome

    def test_a_result_that_was_read_and_is_none_begins_no_other_try(self, placed: World) -> None:
        key = placed.flow.provider.submissions[0].delivery.key
        assert placed.callbacks.receive_delivery(key) == "noted"
        placed.flow.store.give_up(R, placed.media_id, "the link expired", "link_expired")
        placed.flow.store.finish(R, placed.media_id, "failed", reason="no link", reason_code="link_expired")

        assert placed.callbacks.receive_delivery(key) == "over already"
        assert not placed.started.executions

    def test_a_present_result_that_was_read_and_is_none_begins_no_other_try(self, placed: World) -> None:
        key = placed.flow.provider.submissions[0].delivery.key
        assert placed.callbacks.receive_delivery(key) == "noted"
        placed.flow.store.finish(R, placed.media_id, "failed", reason="no link", reason_code="link_expired")

        assert placed.callbacks.receive_delivery(key) == "over already"
        assert not placed.started.executions


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_forged_callback_changes_nothing(placed: World, token: str) -> None:
    assert placed.wait()
    before = placed.flow.item

    with pytest.raises(CallbackForged):
        placed.call(token=token)

    assert placed.flow.item == before
    assert not placed.woken


@pytest.mark.parametrize("position", [0, 31, 63])
def test_one_flipped_digit_of_the_token_is_enough(placed: World, position: int) -> None:
    digit = "0" if placed.token[position] != "0" else "1"

    with pytest.raises(CallbackForged):
        placed.call(token=placed.token[:position] + digit + placed.token[position + 1 :])


def test_without_a_media_object_in_the_path_no_token_is_good() -> None:
    with pytest.raises(CallbackForged):
        CallbackRequest(b"", {}).prove("")


def test_tokens_differ_by_secret_provider_and_job() -> None:
    tokens = {callback_token(s, p, n) for s in "ab" for p in ("symbl", "seameet") for n in ("x-0", "x-1")}

    assert len(tokens) == 8


def test_news_that_end_nothing_change_nothing(placed: World) -> None:
    before = placed.flow.item

    assert placed.call(False) == "nothing to do"
    assert placed.flow.item == before


@pytest.mark.parametrize("told", [{"job": {"id": "another"}}, {"job": JOB}], ids=["another job", "another provider"])
def test_a_callback_of_a_job_that_was_given_up(placed: World, told: Any) -> None:
    provider = "marsview" if told["job"] != JOB else "deepgram"

    assert placed.call(told, provider=provider) == "of a job that was given up"
    assert "callback_at" not in placed.flow.item


class TestReplays:
    """A callback that is proven by its body alone, replayed on the path of another job."""

    REPLAYED: ClassVar = {"job": {"meeting_id": "X", "callback_key": "X"}, "is_result": True, "key": "X"}

    @pytest.mark.parametrize(
        "job", [{}, {"meeting_id": "Y"}, {"meeting_id": "Y", "callback_key": "Y"}, REPLAYED["job"]]
    )
    def test_it_never_counts_for_that_job(self, world: World, job: Any) -> None:
        world.flow.store.note(R, world.media_id, job=job)
        before = world.flow.item

        with pytest.raises(NotFound):
            world.call(self.REPLAYED)

        s3: Any = world.flow.replies.s3
        assert (world.flow.item, s3.objects) == (before, {}), "nothing is noted, and nothing kept as that job's result"

    def test_it_never_reopens_that_job(self, placed: World) -> None:
        placed.flow.store.finish(R, placed.media_id, "failed", reason="the ceiling", reason_code="no_result")

        with pytest.raises(NotFound):
            placed.call(self.REPLAYED)

        assert not placed.started.executions

    def test_one_whose_path_proves_the_job_may_come_before_the_row_has_the_job(self, world: World) -> None:
        assert "job" not in world.flow.item
        assert world.call({"job": JOB, "is_result": True}) == "noted"


def test_an_unknown_media_object_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.call(name=str(JobName(R, "f" * 20, 0)))


class TestResults:
    def test_a_result_in_the_body_is_kept_before_it_is_noted_and_read_by_the_poll(self, placed: World) -> None:
        assert placed.wait()
        told = {"job": JOB, "is_result": True}
        assert placed.call(told) == "noted"

        placed.flow.provider.polls = [DONE]
        assert placed.flow.poll().outcome == "succeeded"
        assert placed.flow.provider.deliveries == [json.dumps(told).encode()]
        assert placed.flow.replies.read(placed.flow.item["reply"]) == json.dumps(told).encode()

    @pytest.mark.parametrize("end", ["done", "failed", "given up", "row deleted"])
    def test_a_result_in_the_body_is_kept_whenever_it_comes(self, placed: World, end: Any) -> None:
        if end == "given up":
            placed.flow.store.give_up(R, placed.media_id, "the link expired", "link_expired")
        elif end == "row deleted":
            table: Any = placed.flow.store.table
            table.items.clear()
        else:
            placed.flow.store.finish(R, placed.media_id, end, reason="the ceiling")
        told = {"job": JOB, "is_result": True}

        try:
            assert placed.call(told) in ("over already", "of a job that was given up", "noted")
        except NotFound:
            assert end == "row deleted"
        assert bool(placed.started.executions) == (end == "failed"), "a failed one is processed with it"

        body = json.dumps(told).encode()
        assert placed.flow.replies.read(kept_result_key("marsview", body, placed.name)) == body

    def test_a_stored_result_is_received_by_its_key_too(self, placed: World) -> None:
        assert placed.wait()
        key = kept_result_key("marsview", b"{}", placed.name)

        assert placed.callbacks.receive_kept_result(key) == "noted"
        assert placed.flow.item["delivery"] == key

    def test_the_result_of_a_second_callback_does_not_replace_the_first(self, placed: World) -> None:
        told = {"job": JOB, "is_result": True}
        assert placed.call(told) == "noted"
        assert placed.call({**told, "key": None}) == "known already"

        assert placed.flow.replies.read(placed.flow.item["delivery"]) == json.dumps(told).encode()

    def test_a_result_laid_into_our_bucket_is_found_by_its_name(self, placed: World) -> None:
        assert placed.wait()
        key = placed.flow.provider.submissions[0].delivery.key
        placed.flow.replies.put(key, b'{"results": {}}')

        assert placed.callbacks.receive_delivery(key) == "noted"
        assert placed.callbacks.receive_delivery(key) == "known already"

        placed.flow.provider.polls = [DONE]
        assert placed.flow.poll().outcome == "succeeded"
        assert set(placed.woken) == {"task-token"}

    def test_an_event_of_aws_names_the_job(self, placed: World) -> None:
        name = f"recording-insights-dev-{JobName(R, placed.media_id, 0)}"

        assert placed.callbacks.receive_state_change("marsview", name) == "noted"

    @pytest.mark.parametrize("name", ["", "deliveries/marsview/x.json", f"{R}-{'f' * 20}-0", f"{R}-{'f' * 20}-x"])
    def test_a_name_of_somebody_elses_job(self, placed: World, name: str) -> None:
        with pytest.raises(NotFound):
            placed.callbacks.receive_state_change("marsview", name)


class TestLostAnswer:
    """The call that buys got no answer: the callback tells whether it was heard."""

    def test_it_is_awaited_and_the_callback_confirms_the_job(self, world: World) -> None:
        world.flow.provider.submits = [LOST]
        assert world.flow.submit().outcome == "awaiting"
        assert world.wait()
        assert world.call() == "noted"

        world.flow.provider.polls, world.flow.provider.replies = [DONE], [b"{}"]
        assert world.flow.poll().outcome == "succeeded"
        assert len(world.flow.provider.submissions) == 1
        assert "unconfirmed" not in world.flow.item

    def test_it_is_asked_again_when_the_callback_tells_no_id(self, world: World) -> None:
        world.flow.provider.submits = [LOST, JOB]
        progress = world.flow.submit()
        name = f"recording-insights-dev-{world.name}"
        assert world.callbacks.receive_state_change("marsview", name) == "noted"

        progress = world.flow.poll(progress)
        assert progress.outcome == "submit"
        assert world.flow.submit(progress).outcome == "awaiting"
        assert world.flow.item["job"] == JOB

    def test_it_is_asked_again_when_no_callback_came(self, world: World) -> None:
        world.flow.provider.submits = [LOST, JOB]
        progress = world.flow.submit()
        progress = world.flow.poll(progress)
        assert progress.outcome == "submit"

        assert world.flow.submit(progress).outcome == "awaiting"
        assert world.flow.item["status"] == "submitted"
        assert "unconfirmed" not in world.flow.item

    def test_the_second_in_a_row_is_not_followed_by_a_third(self, world: World) -> None:
        progress = world.parked()

        assert (progress.outcome, progress.probes) == ("parked", True)
        assert len(world.flow.provider.submissions) == 2
        assert world.flow.item["reason_code"] == "provider_unavailable"

    def test_a_callback_that_comes_while_it_is_parked_wakes_it_and_nothing_is_bought_again(self, world: World) -> None:
        progress = world.parked()
        assert world.call() == "noted"
        assert world.woken == ["turn-token"]

        progress = world.flow.submit(progress)

        assert progress.outcome == "awaiting"
        assert not world.wait(), "the callback has come"
        world.flow.provider.polls, world.flow.provider.replies = [DONE], [b"{}"]
        assert world.flow.poll(progress).outcome == "succeeded"
        assert len(world.flow.provider.submissions) == 2
        standing = world.flow.turns.store.read("marsview")
        assert (standing.health, world.flow.turns.store.head("marsview")) == (None, None)
        assert "queue_place" not in world.flow.item

    def test_a_callback_between_poll_and_submission_is_the_confirmation(self, world: World) -> None:
        world.flow.provider.submits = [LOST]
        progress = world.flow.poll(world.flow.submit())
        assert world.call() == "noted"

        assert world.flow.submit(progress).outcome == "awaiting"
        assert len(world.flow.provider.submissions) == 1

    def test_it_ends_at_the_ceiling_without_buying_again(self, world: World) -> None:
        world.flow.provider.submits = [LOST]
        progress = world.flow.poll(world.flow.submit())
        world.flow.clock.elapsed += 73 * 3600

        progress = world.flow.submit(progress)

        assert (progress.outcome, progress.reason) == ("failed", f"not accepted in time; last: {LOST}")
        assert progress.reason_code == "submission_unconfirmed"

    def test_a_crash_between_the_answer_and_the_row_is_not_paid_twice(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def throttled(*ids: str, **values: Any) -> None:
            raise TimeoutError("DynamoDB throttles")

        world.flow.provider.submits = [JOB]
        with monkeypatch.context() as patch:
            patch.setattr(MediaStore, "submitted", throttled)
            with pytest.raises(TimeoutError):
                world.flow.submit()

        assert world.flow.submit().outcome == "awaiting"
        assert len(world.flow.provider.submissions) == 1
        assert world.call() == "noted"
        world.flow.provider.polls, world.flow.provider.replies = [DONE], [b"{}"]
        assert world.flow.poll().outcome == "succeeded"
        assert "asking" not in world.flow.item

    def test_after_a_crash_without_a_callback_it_is_asked_again(self, world: World) -> None:
        world.flow.provider.submits = [OSError("the function died"), JOB]
        with pytest.raises(OSError, match="died"):
            world.flow.submit()
        progress = world.flow.poll(world.flow.submit())

        assert progress.outcome == "submit"
        assert world.flow.submit(progress).outcome == "awaiting"
        assert world.flow.item["status"] == "submitted"

    def test_a_clear_refusal_leaves_nothing_to_wait_for(self, world: World) -> None:
        world.flow.provider.submits = [ProviderUnavailable("no connection"), JOB]
        progress = world.flow.submit()

        assert "asking" not in world.flow.item
        assert world.flow.again(progress).outcome == "awaiting"
        assert len(world.flow.provider.submissions) == 2

    def test_one_that_never_calls_back_is_asked_again_soon(self, world: World) -> None:
        world.flow.provider.capabilities = replace(CALLS_BACK, callback="none")
        world.flow.provider.submits = [LOST]

        assert world.flow.submit().outcome == "parked"

    def test_a_provider_out_of_reach_has_nothing_to_call_back_for(self, world: World) -> None:
        world.flow.provider.submits = [ProviderUnavailable("no connection")]

        assert world.flow.submit().outcome == "parked"


def test_a_repeated_submit_finds_the_job_and_awaits_on(placed: World) -> None:
    assert placed.flow.submit().outcome == "awaiting"
    assert len(placed.flow.provider.submissions) == 1


def test_the_wait_and_the_callback_cannot_miss_each_other(
    either_table: Any, clock: FakeClock, make_media: MakeMedia
) -> None:
    store = MediaStore(either_table, clock.now, clock.sleep)
    media = make_media()
    store.admit(R, media, providers=["symbl"], duration_ms=None)
    note: dict[str, Any] = {"provider": "symbl", "job": JOB, "delivery": None, "calls": 1}

    assert not store.note_callback(R, media.media_id, **{**note, "provider": "deepgram"})
    assert "callback_at" not in store.get(R, media.media_id)
    store.note(R, media.media_id, task_token="token")
    assert store.note_callback(R, media.media_id, **{**note, "delivery": "callbacks/x.json"})
    assert not store.note_callback(R, media.media_id, **note)
    item = store.get(R, media.media_id)
    assert (item["callback_job"], item["delivery"], item["task_token"]) == (JOB, "callbacks/x.json", "token")
    store.finish(R, media.media_id, "done")
    assert not store.note_callback(R, media.media_id, **note)
    assert "task_token" not in store.get(R, media.media_id)


def test_named_jobs(either_table: Any) -> None:
    store = MediaStore(either_table)
    store.jobs.name(R, "media", provider="seameet", key="m-1")

    assert store.jobs.find("seameet", "m-1") == (R, "media")
    assert store.jobs.find("symbl", "m-1") is None


def test_a_webhook_of_a_job_that_was_given_up(placed: World) -> None:
    placed.flow.store.give_up(R, placed.media_id, "the link expired", "link_expired")

    assert placed.call() == "of a job that was given up"
    assert "callback_at" not in placed.flow.item
