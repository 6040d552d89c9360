"""Results that come by callback alone: they are stored first, and matched with their job by an event."""

import hmac
import json
from typing import Any

import pytest

from recording_insights.aws.reply_bucket import kept_result_key
from recording_insights.errors import CallbackForged, CallbackUnusable, NotFound
from recording_insights.processing.callbacks import Callbacks
from recording_insights.processing.keep_result import keep_result
from recording_insights.providers.adapters.seameet.calls import SeaMeet
from recording_insights.providers.port import CallbackRequest, JobState, SendsResult
from recording_insights.providers.registry import PROVIDERS, _adapter, sends_result
from tests.unit.fakes import FakeS3, FakeStarter
from tests.unit.processing.flow import Flow, R

SECRET = "a secret of the workspace"
LINK = "https://bucket.test/talk.mp4?X-Amz-Signature=5ec0de5ec0de5ec0de"
KEPT = {"meeting_id": "seax_1", "callback_key": "seax_1"}
RESULT: dict[str, Any] = {
    "event_name": "dashboard_analysis_finished",
    "meeting_id": "seax_1",
    "payload": {"transcript": [{"text": "Hello", "speaker": "Jane"}]},
}
UNUSABLE = b'{"event_name": "dashboard_analysis_finished", "meeting_id": "seax_1", "payload": '


class World:
    """A media object, the two receivers, and the waits that ended."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        flow.others = {"seameet": flow.provider}
        self.media_id = flow.media.media_id
        self.woken: list[str] = []
        self.started = FakeStarter()
        self.callbacks = Callbacks(flow.store, flow.replies, self.woken.append, self.started)

    def submit(self) -> None:
        """The provider has the job, and the workflow waits."""
        self.flow.store.submitted(R, self.media_id, provider="seameet", job={**KEPT, "job_id": "j-1"})
        self.flow.store.jobs.name(R, self.media_id, provider="seameet", key="seax_1")
        self.flow.store.note(R, self.media_id, task_token="task-token")

    def post(self, body: bytes, *, secret: str = SECRET) -> str:
        """What the vendor sends; returns the key that the object would have."""
        signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
        request = CallbackRequest(body, {"x-seasalt-server-signature": signature}, secrets=[[SECRET]])
        self.outcome = keep_result("seameet", SeaMeet, request, replies=self.flow.replies)
        return kept_result_key("seameet", body)

    @property
    def stored(self) -> dict[str, bytes]:
        s3: Any = self.flow.replies.s3
        assert isinstance(s3, FakeS3)
        return {key: body for (_, key), body in s3.objects.items()}


@pytest.fixture
def world(flow: Flow) -> World:
    return World(flow)


def body_of(result: Any) -> bytes:
    return json.dumps(result).encode()


def test_a_result_is_stored_and_its_event_ends_the_wait(world: World) -> None:
    world.submit()
    key = world.post(body_of(RESULT))
    assert (world.outcome, world.stored, world.woken) == ("kept", {key: body_of(RESULT)}, [])

    assert world.callbacks.receive_kept_result(key) == "noted"
    assert world.callbacks.receive_kept_result(key) == "known already"

    assert set(world.woken) == {"task-token"}
    world.flow.provider.polls = [JobState("succeeded", "finished")]
    assert world.flow.poll().outcome == "succeeded"
    assert world.flow.provider.deliveries == [body_of(RESULT)]


def test_a_repeated_callback_is_the_same_object_whatever_is_redacted_in_it(world: World) -> None:
    bodies = [body_of({**RESULT, "audio": LINK + end}) for end in ("a", "b")]
    keys = [world.post(body) for body in (*bodies, *bodies)]

    assert sorted(world.stored) == sorted(set(keys))
    assert len(set(keys)) == 2
    assert {body.count(b"5ec0de") for body in world.stored.values()} == {0}


def test_a_result_that_comes_before_its_job_is_known_is_not_lost(world: World) -> None:
    key = world.post(body_of(RESULT))
    with pytest.raises(NotFound):
        world.callbacks.receive_kept_result(key)

    world.submit()
    assert world.callbacks.receive_kept_result(key) == "noted"


@pytest.mark.parametrize("end", ["done", "failed", "given up"])
def test_a_late_result_is_kept(world: World, end: Any) -> None:
    world.submit()
    if end == "given up":
        world.flow.store.give_up(R, world.media_id, "it took too long", "no_result")
    else:
        world.flow.store.finish(R, world.media_id, end, reason="the ceiling")

    key = world.post(body_of(RESULT))

    received = world.callbacks.receive_kept_result(key)
    assert received in ("over already", "of a job that was given up", "noted")
    assert bool(world.started.executions) == (end == "failed"), "a failed one is processed with it"
    assert world.stored[key] == body_of(RESULT)
    assert not world.woken


@pytest.mark.parametrize("body", [UNUSABLE, UNUSABLE + b"\xff"], ids=["cut off", "no UTF-8"])
def test_an_unusable_callback_is_refused_kept_and_noted_in_the_row(world: World, body: bytes) -> None:
    world.submit()
    with pytest.raises(CallbackUnusable):
        world.post(body)
    [(key, stored)] = world.stored.items()
    assert stored == body

    assert world.callbacks.receive_kept_result(key) == "refused"

    refused = f"a callback was refused at {world.flow.store.timestamp}: body: it is not JSON"
    assert world.flow.item["callback_refusal"] == refused
    assert not world.woken
    assert world.callbacks.receive_kept_result(world.post(body_of(RESULT))) == "noted"


@pytest.mark.parametrize("meeting", [b"", b"seax_2"])
def test_a_refused_callback_of_nobody_changes_nothing(world: World, meeting: bytes) -> None:
    world.submit()
    before = world.flow.item
    with pytest.raises(CallbackUnusable):
        world.post(UNUSABLE.replace(b"seax_1", meeting))

    assert world.callbacks.receive_kept_result(next(iter(world.stored))) == "refused"
    assert world.flow.item == before


def test_a_forged_callback_is_not_stored(world: World) -> None:
    for body in (body_of(RESULT), UNUSABLE):
        with pytest.raises(CallbackForged):
            world.post(body, secret="another")
    assert not world.stored


def test_news_that_end_nothing_are_not_stored(world: World) -> None:
    world.post(body_of({"event_name": "meeting_created"}))
    assert (world.outcome, world.stored) == ("nothing to do", {})


def test_a_provider_sends_its_result_if_its_capabilities_say_so() -> None:
    assert [name for name in PROVIDERS if sends_result(name)] == ["seameet"]
    for name in PROVIDERS:
        assert issubclass(_adapter(name), SendsResult) == sends_result(name)
