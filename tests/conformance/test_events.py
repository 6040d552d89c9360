"""Whole journeys end with the right events on the bus: each is told once, and fits its schema."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ministack.services.lambda_svc import _match_esm_filter  # type: ignore[import-untyped]

from infra.event_schemas import DATA, event_schemas
from infra.events import FILTERS
from recording_insights.model.insights import Insights
from recording_insights.model.media_object import MediaObject
from recording_insights.notices.events import Event
from recording_insights.notices.publish import publish
from recording_insights.processing.reopen import reopen
from recording_insights.recordings.await_upload import LATE, end_upload
from recording_insights.recordings.upload import LINK_MINUTES, open_upload
from recording_insights.store.media import MediaStore
from routes import stop_recording
from tests.conformance.conftest import MakeScene, Travel
from tests.conformance.counts import CHANGES_OF_A_RECORDING, EVENTS_OF_A_RECORDING
from tests.conformance.journey import Journey
from tests.conformance.scene import R, Scene
from tests.conformance.test_counts import CALLS_BACK, HOUR, POLLED, recorded
from tests.unit.change_stream import StreamedItems, streamed
from tests.unit.crashing_table import CrashingTable
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock
from tests.unit.recordings.test_corrections import SAID, correct
from tests.unit.recordings.test_paged_transcript import put_media, put_recording
from tests.unit.recordings.test_upload import Signer, asked
from tests.unit.upkeep.erase_scene import EraseScene

SCHEMA = Draft202012Validator(event_schemas())
ENDED = ["recording.completed", "transcript.ready", "insights.ready"]
WORDS = {"reference": "ticket 7", "metadata": {"team": "blue"}}


class Bus:
    """The bus, with all events that were put onto it."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []

    def put(self, events: Sequence[Event]) -> Sequence[None]:
        for event in events:
            envelope = json.loads(json.dumps(event.envelope()))
            SCHEMA.validate(envelope)
            assert envelope["data"].keys() <= DATA[event.type].properties.keys(), "every attribute is documented"
            self.told.append(envelope)
        return [None] * len(events)


def told(items: StreamedItems, store: Any) -> list[Mapping[str, Any]]:
    """What the bus gets of all changes that pass the filter, twice as after a fault of the stream: once each."""
    bus, changes = Bus(), passing(items)
    find = store.recordings.find
    assert publish(changes, bus=bus, find=find) == []
    once = len(bus.told)
    assert publish(changes, bus=bus, find=find) == []
    assert bus.told[once:] == bus.told[:once]
    assert len({envelope["id"] for envelope in bus.told}) == once
    everything = Bus()
    publish(items.records, bus=everything, find=find)
    assert everything.told == bus.told[:once], "the filter holds back no change that tells something"
    return bus.told[:once]


def passing(items: StreamedItems) -> list[dict[str, Any]]:
    patterns = json.loads(json.dumps(FILTERS))
    return [each for each in items.records if any(_match_esm_filter(each, pattern) for pattern in patterns)]


def types(envelopes: Sequence[Mapping[str, Any]]) -> list[str]:
    return [envelope["type"] for envelope in envelopes]


def test_a_recording_from_its_start_to_its_insights(travel: Travel) -> None:
    journey = travel(CALLS_BACK)
    items = streamed(journey.table)
    ask = journey.ask

    def ask_with_words(route: Any, recording_id: str = "", **body: Any) -> Any:
        return ask(route, recording_id, **(body or ({} if recording_id else WORDS)), **({} if recording_id else WORDS))

    journey.ask = ask_with_words  # type: ignore[method-assign]
    row = recorded(journey)

    envelopes = told(items, journey.store)

    assert types(envelopes) == ["recording.started", "recording.ended", "media.done", *ENDED]
    for envelope in envelopes:
        assert envelope["data"]["recording_id"] == row["recording_id"]
        assert {name: envelope[name] for name in WORDS} == WORDS
    assert len(passing(items)) == CHANGES_OF_A_RECORDING
    assert len(envelopes) == EVENTS_OF_A_RECORDING


def test_a_recording_of_three_parts(travel: Travel) -> None:
    journey = travel(POLLED)
    items = streamed(journey.table)
    recorded(journey, parts=3)

    found = Counter(types(told(items, journey.store)))

    assert found["media.done"] == 3
    assert (found["recording.started"], found["recording.ended"], found["recording.failed"]) == (1, 1, 0)
    assert found["recording.completed"] == found["transcript.ready"] == found["insights.ready"] >= 1


def nothing_came(journey: Journey) -> None:
    row = journey.record()
    journey.at(HOUR, partial(journey.ask, stop_recording, row["recording_id"]))
    journey.go()


def test_a_recording_without_a_file(travel: Travel) -> None:
    journey = travel(CALLS_BACK)
    items = streamed(journey.table)
    nothing_came(journey)
    assert types(told(items, journey.store)) == ["recording.started", "recording.ended", "recording.failed"]


@pytest.fixture
def provider() -> str:
    return POLLED


@pytest.fixture
def streamed_scene(make_scene: MakeScene) -> tuple[Scene, StreamedItems]:
    scene = make_scene()
    return scene, streamed(scene.table)


Streamed = tuple[Scene, StreamedItems]


def test_a_file_by_hand_that_is_done(streamed_scene: Streamed) -> None:
    scene, items = streamed_scene
    assert scene.run() == "done"
    assert types(told(items, scene.store)) == ["media.done", *ENDED]


def test_a_wait_for_the_provider_is_no_event(streamed_scene: Streamed) -> None:
    scene, items = streamed_scene
    refusal = {"status": 401, "body": {"message": "no"}, "times": 9}
    scene.dials(fail_next=[{"call": call, **refusal} for call in (scene.vendor.login, scene.vendor.submits) if call])
    assert scene.run() == "done"
    assert scene.parked
    assert types(told(items, scene.store)) == ["media.done", *ENDED]


def test_a_failure_and_a_retry_that_mends_it(streamed_scene: Streamed) -> None:
    scene, items = streamed_scene
    scene.dials(job_fails="the audio has no speech that we would know")
    assert scene.run() == "failed"
    failed = told(items, scene.store)
    assert types(failed) == ["media.failed", "recording.failed"]
    assert {envelope["data"]["reason_code"] for envelope in failed} == {"job_failed"}

    items.records.clear()
    scene.dials(job_fails=None)
    again(scene)
    assert types(told(items, scene.store)) == ["media.done", *ENDED]


def test_a_retry_of_what_was_done_tells_it_again_with_new_ids(streamed_scene: Streamed) -> None:
    scene, items = streamed_scene
    assert scene.run() == "done"
    first = told(items, scene.store)
    items.records.clear()
    again(scene)
    second = told(items, scene.store)
    assert types(second) == ["media.done", "insights.updated", *ENDED]
    assert not {envelope["id"] for envelope in first} & {envelope["id"] for envelope in second}
    assert [envelope["data"].get("try_number") for envelope in (first[0], second[0])] == [0, 1]


def test_a_part_that_fails_makes_it_partial(streamed_scene: Streamed) -> None:
    scene, items = streamed_scene
    other = scene.admit("other.mp4")
    assert scene.run() in ("done", "partial")
    scene.store.finish(R, other.media_id, "failed", reason_code="not_media", stage="preparation", reason="no media")
    envelopes = told(items, scene.store)
    assert types(envelopes) == ["media.done", "media.failed", *ENDED]
    assert {each["data"]["status"] for each in envelopes if each["type"] in ENDED} == {"partial"}


def test_of_an_erase_the_receipt_alone_is_told() -> None:
    scene = EraseScene(CrashingTable())
    recording = scene.record()
    scene.fill(recording)
    items = streamed(scene.table)

    erase = scene.ask(recording["recording_id"])
    while erase.phase != "delete":
        erase = scene.page(erase)
    assert len(passing(items)) > 2, "the recorder and the media objects were ended"
    assert told(items, scene.store) == []
    scene.run(erase)

    [erased] = told(items, scene.store)
    assert (erased["type"], erased["data"]["recording_id"]) == ("recording.erased", recording["recording_id"])
    assert scene.recordings.find(recording["recording_id"]) is None


def test_each_correction_is_told_once() -> None:
    table: Any = FakeTable()
    put_recording(table, insight_counts={"transcript": 1})
    put_media(table, "m0", Insights(SAID), part=0)
    items, store = streamed(table), MediaStore(table)

    for text in ("Hello Bob.", None):
        correct(table, {"id": "m0-0-2", **({"text": text} if text else {})})

    envelopes = told(items, store)
    assert types(envelopes) == ["insights.updated"] * 2
    assert [each["data"]["cause"] for each in envelopes] == ["correction"] * 2
    assert [each["data"]["version"] for each in envelopes] == [2, 3]


@pytest.mark.parametrize("is_late", [False, True])
def test_a_file_that_is_uploaded_has_no_recorder_that_starts(is_late: bool) -> None:
    table, clock = FakeTable(), FakeClock()
    items = streamed(table)
    store = MediaStore(table, clock.now, clock.sleep)  # type: ignore[arg-type]
    recording = open_upload(asked(), bucket="bucket", store=store.recordings, sign=Signer()).recording
    if is_late:
        clock.elapsed += LINK_MINUTES * 60 + LATE.total_seconds() + 1
        assert end_upload(recording, store=store.recordings) == "missing"
    recording_id, key = recording["recording_id"], recording["file"]["key"]
    media = MediaObject("bucket", key, "etag", 77, clock.now())
    store.admit(recording_id, media, providers=["marsview"], duration_ms=60_000)
    store.finish(recording_id, media.media_id, "done", counts={"transcript": 1})

    expected = ["media.done", "recording.completed", "transcript.ready"]
    assert types(told(items, store)) == ["recording.completed"] * is_late + expected


def again(scene: Scene) -> None:
    reopen(scene.row, store=scene.store, start="media", force=True)
    assert scene.run() == "done", scene.row
