"""Events go onto the bus: what fails is put aside, and a crash at any call loses none."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from events import publish_changes
from recording_insights.aws.change_stream import ChangeStream
from recording_insights.aws.event_bus import EventBus
from recording_insights.aws.message_queue import MessageQueue
from recording_insights.notices.events import SOURCE
from recording_insights.notices.publish import LARGEST_MESSAGE, MOST_BYTES, MOST_ENTRIES
from recording_insights.store.keys import MEDIA_PREFIX, RECORDING
from tests.unit.notices.test_changes import AT_WORK, DONE, RUNS, SUBMITTED, TRY_0, R, told

AWAY = EndpointConnectionError(endpoint_url="https://aws.test")
REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetItem")
BIG_WORDS = {"reference": "r" * 256, "metadata": {f"{number:02d}": "é" * 120 for number in range(16)}}


class Crash(BaseException):
    """Lambda ends a function without a word."""


@dataclass
class Calls:
    """Calls of AWS, counted; `fault` is raised at call number `at`, after it took effect if it `takes_effect`."""

    fault: BaseException | None = None
    at: int = 0
    takes_effect: bool = False
    made: int = 0

    def call(self, effect: Callable[[], Any]) -> Any:
        self.made += 1
        if self.fault is None or self.made != self.at:
            return effect()
        if self.takes_effect:
            effect()
        raise self.fault


@dataclass
class FakeEvents:
    """EventBridge: refuses what is too much for one call, and the entries of the types in `refuses`."""

    calls: Calls = field(default_factory=Calls)
    refuses: set[str] = field(default_factory=set)
    details: list[dict[str, Any]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        def put() -> dict[str, Any]:
            assert 0 < len(Entries) <= MOST_ENTRIES
            size = sum(len(entry[name].encode()) for entry in Entries for name in ("Source", "DetailType", "Detail"))
            assert size <= MOST_BYTES
            self.sizes.append(len(Entries))
            results = []
            for entry in Entries:
                detail = json.loads(entry["Detail"])
                assert (entry["DetailType"], entry["Source"], entry["EventBusName"]) == (detail["type"], SOURCE, "bus")
                assert entry["Resources"] == [detail["data"]["recording_id"]]
                is_refused = detail["type"] in self.refuses
                results.append({"ErrorCode": "InternalFailure"} if is_refused else {"EventId": "1"})
                self.details += [] if is_refused else [detail]
            return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

        return self.calls.call(put)  # type: ignore[no-any-return]

    @property
    def types(self) -> list[str]:
        return [detail["type"] for detail in self.details]


@dataclass
class FakeQueue:
    calls: Calls = field(default_factory=Calls)
    bodies: list[str] = field(default_factory=list)

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:
        assert len(MessageBody.encode()) <= 256 << 10
        self.calls.call(lambda: self.bodies.append(MessageBody))


@dataclass
class World:
    """What the function uses."""

    events: FakeEvents = field(default_factory=FakeEvents)
    queue: FakeQueue = field(default_factory=FakeQueue)
    find: Callable[[str], Mapping[str, Any]] = lambda _: {}
    stream: Any = None

    def publish(self, *records: Mapping[str, Any]) -> list[str]:
        """The ids of the messages that the function returns as failed."""
        failed = publish_changes.handler({"Records": list(records)}, None)["batchItemFailures"]
        return [item["itemIdentifier"] for item in failed]

    def work_off(self) -> list[str]:
        """Give the function what is in its queue, and return the messages that it does not take."""
        messages = [
            {"messageId": str(number), "eventSource": "aws:sqs", "body": body}
            for number, body in enumerate(self.queue.bodies)
        ]
        failed = self.publish(*messages) if messages else []
        self.queue.bodies = [self.queue.bodies[int(number)] for number in failed]
        return self.queue.bodies


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    wiring = publish_changes.wiring
    for name, part in {
        "bus": EventBus(world.events, "bus", SOURCE),
        "unpublished": MessageQueue(world.queue, "https://sqs.test/unpublished"),
        "change_stream": ChangeStream(world),
    }.items():
        monkeypatch.setitem(vars(wiring), name, part)
    monkeypatch.setitem(vars(wiring), "recordings", SimpleNamespace(find=lambda recording_id: world.find(recording_id)))
    return world


STARTED = told(RECORDING, {"status": "starting"}, RUNS)
READY = told(RECORDING, AT_WORK, DONE)
MEDIA = told(f"{MEDIA_PREFIX}m", SUBMITTED, TRY_0)
BATCH = (STARTED, MEDIA, READY)
ALL = ["recording.started", "media.done", "recording.completed", "transcript.ready", "insights.ready"]


def test_a_batch_is_published_in_its_order(world: World) -> None:
    world.publish(*BATCH)
    assert (world.events.types, world.queue.bodies) == (ALL, [])


@pytest.mark.parametrize(("number", "words", "calls"), [(12, {}, [10, 10, 10, 6]), (60, BIG_WORDS, None)])
def test_no_call_has_more_than_eventbridge_takes(
    world: World, number: int, words: Mapping[str, Any], calls: list[int] | None
) -> None:
    world.publish(*(told(RECORDING, AT_WORK, {**DONE, **words}) for _ in range(number)))
    assert world.events.types == ALL[2:] * number
    assert calls is None or world.events.sizes == calls


def test_what_the_bus_refuses_goes_to_the_queue_alone_and_comes_from_there(world: World) -> None:
    world.events.refuses = {"insights.ready"}
    world.publish(*BATCH)
    assert world.events.types == ALL[:-1]
    assert [json.loads(body)["eventID"] for body in world.queue.bodies] == [READY["eventID"]]
    assert len(world.work_off()) == 1, "the message stays while the bus refuses"
    world.events.refuses = set()
    assert world.work_off() == []
    ids = {detail["type"]: detail["id"] for detail in world.events.details}
    assert set(ids) == set(ALL)
    assert len({detail["id"] for detail in world.events.details}) == len(ALL), "what comes twice has the same id"


def test_a_bus_that_does_not_answer_is_asked_once_in_a_batch(world: World) -> None:
    world.events.calls = Calls(AWAY, at=1)
    records = [told(RECORDING, AT_WORK, DONE) for _ in range(20)]
    world.publish(*records)
    assert (world.events.calls.made, len(world.queue.bodies)) == (1, 20)
    assert world.work_off() == []
    assert world.events.types == ALL[2:] * 20


@pytest.mark.parametrize("broken", [{}, {"eventID": "1", "dynamodb": {"NewImage": 7}}, {"dynamodb": None}])
def test_a_record_that_nobody_can_read_keeps_none_waiting(world: World, broken: dict[str, Any]) -> None:
    world.publish(STARTED, broken, READY)
    assert world.events.types == [*ALL[:1], *ALL[2:]]
    assert len(world.work_off()) == 1


def test_words_that_cannot_be_read_are_read_later(world: World) -> None:
    def away(_: str) -> Mapping[str, Any]:
        raise REFUSED

    world.find = away
    world.publish(*BATCH)
    assert "media.done" not in world.events.types
    assert len(world.queue.bodies) == 1
    world.find = lambda _: {"reference": "ticket 7"}
    assert world.work_off() == []
    assert world.events.details[-1]["reference"] == "ticket 7"


def test_a_huge_row_breaks_nothing(world: World) -> None:
    huge = {**DONE, "reason": "x" * 300_000, "options": {"words": ["y" * 1000] * 90}}
    world.events.calls = Calls(AWAY, at=1)
    world.publish(told(RECORDING, AT_WORK, huge))
    assert len(world.queue.bodies[0]) < 2000
    assert world.work_off() == []
    assert world.events.types == ALL[2:]


def test_a_row_changed_by_hand_that_no_message_can_hold_is_named_in_one(world: World) -> None:
    world.events.calls = Calls(AWAY, at=1)
    world.publish(told(RECORDING, AT_WORK, {**DONE, "metadata": {"x": "y" * LARGEST_MESSAGE}}))
    [body] = world.queue.bodies
    assert json.loads(body)["dynamodb"]["Keys"]["pk"] == {"S": R}
    assert world.work_off() == [body]


def test_if_the_queue_takes_nothing_either_the_stream_repeats_the_batch(world: World) -> None:
    world.events.calls, world.queue.calls = Calls(AWAY, at=1), Calls(AWAY, at=1)
    with pytest.raises(EndpointConnectionError):
        world.publish(*BATCH)
    world.publish(*BATCH)
    assert set(world.events.types) == set(ALL)


@pytest.mark.parametrize("takes_effect", [False, True])
@pytest.mark.parametrize("fault", [Crash(), AWAY])
@pytest.mark.parametrize("refuses", [set(), {"media.done"}])
def test_a_fault_at_any_call_loses_no_event(
    world: World, fault: BaseException, takes_effect: bool, refuses: set[str]
) -> None:
    calls = 0
    while True:
        calls += 1
        world.events.details.clear()
        world.queue.bodies.clear()
        shared = Calls(fault, at=calls, takes_effect=takes_effect)
        world.events.calls = world.queue.calls = shared
        world.events.refuses = set(refuses)
        # The stream repeats a batch until the function returns.
        while not returns(lambda: world.publish(*BATCH)):
            pass
        world.events.refuses = set()
        while not returns(world.work_off) or world.queue.bodies:
            pass
        assert set(world.events.types) == set(ALL)
        assert len({detail["id"] for detail in world.events.details}) == len(ALL)
        if shared.made < calls:
            break
    assert calls > (2 if refuses else 1)


def returns(act: Callable[[], object]) -> bool:
    try:
        act()
    except (Crash, EndpointConnectionError):
        return False
    return True


def test_a_batch_that_lambda_has_given_up_is_read_from_the_stream(world: World) -> None:
    pages = {"first": [STARTED, MEDIA], "second": [READY, told(RECORDING, {"status": "starting"}, RUNS)]}
    numbered = iter(range(100, 200))
    for change in (change for page in pages.values() for change in page):
        change["dynamodb"]["SequenceNumber"] = str(next(numbered))

    def get_shard_iterator(**asked: str) -> dict[str, str]:
        assert asked == {
            "StreamArn": "the stream",
            "ShardId": "a shard",
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": "100",
        }
        return {"ShardIterator": "first"}

    def get_records(*, ShardIterator: str) -> dict[str, Any]:
        return {"Records": pages[ShardIterator], "NextShardIterator": "second"}

    world.get_shard_iterator, world.get_records = get_shard_iterator, get_records  # type: ignore[attr-defined]
    batch = {"streamArn": "the stream", "shardId": "a shard", "startSequenceNumber": "100", "endSequenceNumber": "102"}
    world.queue.bodies = [json.dumps({"version": "1.0", "DDBStreamBatchInfo": batch})]
    assert world.work_off() == []
    assert world.events.types == ALL
