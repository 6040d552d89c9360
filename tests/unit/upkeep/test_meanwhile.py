"""What comes for a recording while it is erased, and afterwards: nothing is written for it any more."""

from dataclasses import replace
from typing import Any

import pytest

from recording_insights.agora.notifications import Notification
from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import Conflict, NotFound, RecordingErased
from recording_insights.media.intake import admit_media
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.callbacks import Callbacks
from recording_insights.processing.cancel_recording import cancel_recording
from recording_insights.processing.report_failure import report_stopped_execution
from recording_insights.providers.port import Callback
from recording_insights.recordings.change import update_recording
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.recordings.media_links import list_links
from recording_insights.recordings.notifications import process_notification
from recording_insights.recordings.read import describe_recording
from recording_insights.recordings.start import start_recording
from recording_insights.recordings.stop import stop_recording
from recording_insights.retries.request import RetryRequest
from recording_insights.retries.retry_recording import retry_recording
from recording_insights.store.insights import InsightStore
from recording_insights.store.notices import NoticeStore
from recording_insights.store.rows import RecordingRow
from recording_insights.sweep.broken_erases import begin_broken_erases
from recording_insights.sweep.step import AT_ONCE, Ages
from recording_insights.upkeep.erase_page import Erase
from recording_insights.watch.check_recording import check_recording
from recording_insights.watch.progress import Watch
from tests.unit.agora.fake_agora import Answer
from tests.unit.crashing_table import CrashingTable
from tests.unit.fakes import FakeS3, FakeStarter
from tests.unit.recordings.wanted import wanted
from tests.unit.upkeep.erase_scene import RECORDINGS, REFERENCE, WORDS, EraseScene


@pytest.fixture
def scene() -> EraseScene:
    return EraseScene(CrashingTable())


@pytest.fixture
def recording(scene: EraseScene) -> RecordingRow:
    recording = scene.record()
    scene.fill(recording)
    return recording


@pytest.fixture(params=["erasing", "erased"])
def erase(scene: EraseScene, recording: RecordingRow, request: pytest.FixtureRequest) -> Erase:
    """The erase, at its beginning or at its end."""
    erase = scene.ask(recording["recording_id"])
    if request.param == "erased":
        scene.run(erase)
    return erase


def rows(scene: EraseScene) -> dict[Any, Any]:
    return dict(scene.table.items)


def test_every_route_says_that_it_is_gone(scene: EraseScene, recording: RecordingRow, erase: Erase) -> None:
    recording_id = recording["recording_id"]
    before = rows(scene)
    store, deadline = scene.recordings, scene.clock.deadline()
    calls = [
        lambda: stop_recording(
            recording_id, store=store, agora=scene.agora, deadline=deadline, watch_stop=lambda row: None
        ),
        lambda: update_recording(recording_id, {"reference": "x"}, store=store, agora=scene.agora, deadline=deadline),
        lambda: answer_insights(recording_id, InsightStore(scene.table).read(recording_id)),
        lambda: list_links(recording_id, store=store, link=lambda *_, **__: "", clock=scene.clock.now),
        lambda: cancel_recording(
            recording_id, store=scene.store, turns=scene.turns, end_wait=lambda token: None, deadline=deadline
        ),
        lambda: retry_recording(
            recording_id,
            RetryRequest.from_body({}, providers=["symbl"]),
            store=scene.store,
            executions=scene.executions,
            deadline=deadline,
        ),
    ]
    for call in calls:
        with pytest.raises(RecordingErased) as error:
            call()  # type: ignore[no-untyped-call]
        assert error.value.receipt["receipt_id"] == erase.receipt_id
    assert rows(scene) == before


def test_a_read_shows_what_is_being_erased_and_then_the_receipt(scene: EraseScene, recording: RecordingRow) -> None:
    recording_id = recording["recording_id"]

    def read() -> Any:
        agora: Any = None
        return describe_recording(
            recording_id, {}, store=scene.recordings, agora=agora, deadline=scene.clock.deadline()
        )

    erase = scene.ask(recording_id)
    shown = read()
    assert (shown["status"], shown["receipt_id"]) == ("erasing", erase.receipt_id)
    scene.run(erase)
    with pytest.raises(RecordingErased) as error:
        read()
    receipt = error.value.receipt
    assert receipt["deleted"]
    assert not receipt.keys() & {"pk", "sk", "created_at"}


def test_a_file_that_comes_late_is_deleted(scene: EraseScene, recording: RecordingRow, erase: Erase) -> None:
    before = rows(scene)
    deleted: list[str] = []
    media = MediaObject(RECORDINGS, f"{recording['prefix']}part_9.mp4", "etag", 9, scene.clock.now())
    other: Any = None
    admission = admit_media(
        media,
        store=scene.store,
        default_provider="symbl",
        prefix_providers={},
        reader=lambda media: lambda first, last: b"\0" * (last - first + 1),
        checksum=lambda media: None,
        folder=_EmptyFolder(),
        start_execution=other,
        end_wait=other,
        erase_late=lambda media: deleted.append(media.key),
    )
    assert "erased" in admission["ignored"]
    assert deleted == [media.key]
    assert rows(scene) == before


class _EmptyFolder:
    def list(self, prefix: str) -> list[Any]:
        return []

    def read(self, key: str) -> None:
        return None


class _Receiver:
    """A vendor's receiver that believes everything."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback

    def read_callback(self, request: Any) -> Callback:
        return self.callback


@pytest.mark.parametrize("is_result", [False, True])
def test_a_callback_that_comes_late_is_deleted(scene: EraseScene, recording: RecordingRow, is_result: bool) -> None:
    recording_id = recording["recording_id"]
    [media_id] = [
        item["media_id"] for item in scene.table.scan()["Items"] if item.get("provider") == "deepgram" and "job" in item
    ]
    scene.run(scene.ask(recording_id))
    before = rows(scene)
    s3: Any = FakeS3()
    deleted: list[str] = []
    callbacks = Callbacks(scene.store, ReplyStore(s3, "replies"), lambda token: None, FakeStarter(), deleted.append)
    name = f"{recording_id}-{media_id}-0"
    request: Any = type("Request", (), {"body": b"{}"})()
    receiver: Any = _Receiver(Callback(job={}, is_result=is_result))
    assert callbacks.receive_webhook("deepgram", receiver, request, name=name) == "erased"
    assert deleted == [key for _, key in s3.objects]
    assert len(deleted) == is_result
    assert callbacks.receive_delivery(f"deliveries/deepgram/{name}.json") == "erased"
    assert callbacks.receive_state_change("transcribe", f"recording-insights-dev-{name}") == "erased"
    assert deleted[is_result:] == [f"deliveries/deepgram/{name}.json"]
    with pytest.raises(NotFound):
        callbacks.receive_delivery(f"deliveries/deepgram/{'f' * 32}-{media_id}-0.json")
    assert rows(scene) == before


def test_a_result_under_the_vendors_own_id_is_deleted(scene: EraseScene, recording: RecordingRow) -> None:
    scene.run(scene.ask(recording["recording_id"]))
    s3: Any = FakeS3()
    key = "callbacks/seameet/late.json"
    body = b'{"event_name": "dashboard_analysis_finished", "meeting_id": "meeting 7", "payload": {}}'
    s3.objects["replies", key] = body
    deleted: list[str] = []
    callbacks = Callbacks(scene.store, ReplyStore(s3, "replies"), lambda token: None, FakeStarter(), deleted.append)
    assert callbacks.receive_kept_result(key) == "erased"
    assert deleted == [key]


def test_a_late_notification_changes_nothing(scene: EraseScene, recording: RecordingRow, erase: Erase) -> None:
    before = rows(scene)
    notice = Notification.from_body(
        {
            "noticeId": "late",
            "productId": 3,
            "eventType": 31,
            "notifyMs": int(scene.clock.now().timestamp() * 1000),
            "payload": {"sid": recording["sid"], "details": {"msgName": "uploaded", "status": 0}},
        }
    )
    process_notification(notice, store=scene.recordings, notices=NoticeStore(scene.table, scene.clock.now))
    after = rows(scene)
    # While it is erased, the channel may become free sooner, and the notification counts as processed.
    for key in (("NOTICE#late", "NOTICE"), ("CHANNEL#team", "CLAIM")):
        after.pop(key, None)
        before.pop(key, None)
    assert after == before


def test_the_watch_ends(scene: EraseScene, recording: RecordingRow, erase: Erase) -> None:
    before, calls = rows(scene), list(scene.vendor.calls)
    watch = check_recording(
        Watch.begin(recording),
        store=scene.recordings,
        media_store=scene.store,
        agora=scene.agora,
        end_wait=lambda token: None,
        late_minutes=60,
        deadline=scene.clock.deadline(),
    )
    assert watch.outcome == "over"
    assert (rows(scene), scene.vendor.calls) == (before, calls)


def test_the_report_of_a_stopped_execution_changes_nothing(scene: EraseScene, recording: RecordingRow) -> None:
    scene.run(scene.ask(recording["recording_id"]))
    before = rows(scene)
    for state in ('{"recording_id": "%s", "media_id": "%s"}', '{"recording_id": "%s", "receipt_id": "%s"}'):
        detail = {"input": state % (recording["recording_id"], "0" * 20), "status": "ABORTED", "name": "any"}
        report_stopped_execution(detail, store=scene.store, turns=scene.turns)
    assert rows(scene) == before


def test_the_key_of_an_erased_recording_leads_to_a_new_one(
    scene: EraseScene, recording: RecordingRow, erase: Erase
) -> None:
    again = replace_channel(scene)
    assert again["recording_id"] != recording["recording_id"]
    assert replace_channel(scene)["recording_id"] == again["recording_id"]
    scene.run(scene.ask(again["recording_id"]))
    assert replace_channel(scene)["recording_id"] not in (recording["recording_id"], again["recording_id"])


def replace_channel(scene: EraseScene) -> RecordingRow:
    """Start with the key of the erased recording, once its recorder has left."""
    erasing = [item for item in scene.table.scan()["Items"] if item.get("status") == "erasing"]
    for item in erasing:
        scene.page(Erase(item["recording_id"], item["receipt_id"]))
    return scene.record()


def test_a_start_does_not_join_a_recording_that_is_being_erased(scene: EraseScene, recording: RecordingRow) -> None:
    scene.ask(recording["recording_id"])
    with pytest.raises(Conflict, match="is being erased"):
        start_recording(wanted(), store=scene.recordings, agora=scene.agora, deadline=scene.clock.deadline())


def test_a_recorder_that_agora_cannot_find_is_stopped_again(scene: EraseScene, recording: RecordingRow) -> None:
    """It may be moving to another host."""
    scene.vendor.script["stop"] = [Answer(404, {"code": 404, "reason": "failed to find worker"})]
    pages = scene.run(scene.ask(recording["recording_id"]))
    assert pages[1].wait_seconds == 100
    assert scene.vendor.names().count("stop") == 2
    assert scene.vendor.recorders == {}


def test_a_start_without_an_id_is_waited_for(scene: EraseScene) -> None:
    recording = scene.record()
    recording_id = recording["recording_id"]
    names = {name: recording[name] for name in ("sid", "resource_id")}
    scene.recordings.update(recording_id, {"sid": None, "resource_id": None})
    first = scene.page(scene.ask(recording_id))
    assert (first.phase, first.wait_seconds) == ("stop", 100)
    # The start gets its answer, and writes the id in any status.
    scene.recordings.update(recording_id, names, only_in=("erasing",))  # type: ignore[arg-type]
    scene.run(first)
    assert scene.vendor.recorders == {}
    assert scene.mentions(recording_id) == []


def test_a_retry_that_began_meanwhile_is_stopped(scene: EraseScene, recording: RecordingRow) -> None:
    recording_id = recording["recording_id"]
    erase = scene.page(scene.ask(recording_id))
    assert erase.phase == "delete"
    row = scene.recordings.media_rows(recording_id)[0]
    begun = scene.store.begin_try(row, {"status": "waiting", "began_from": "media"})
    assert begun
    again = scene.page(erase)
    assert again.phase == "stop"
    scene.run(again)
    assert scene.mentions(recording_id) == []


def test_the_sweep_begins_a_broken_erase_again(scene: EraseScene, recording: RecordingRow) -> None:
    erase = scene.ask(recording["recording_id"])
    store: Any = {"store": scene.recordings, "executions": scene.executions, "after": ""}
    deadline = scene.clock.deadline(3000)
    assert begin_broken_erases(**store, deadline=deadline, age=Ages().erases).counts == {}
    assert begin_broken_erases(**store, deadline=deadline, age=AT_ONCE.erases).counts == {"erasing": 1}
    scene.executions.over.update(scene.executions.started)
    scene.clock.elapsed += 1801
    assert begin_broken_erases(**store, deadline=deadline, age=Ages().erases).counts == {"erases_begun": 1}
    scene.run(erase)
    assert begin_broken_erases(**store, deadline=deadline, age=AT_ONCE.erases).counts == {}


def test_a_file_put_by_hand_goes_with_all_that_lies_beside_it(scene: EraseScene) -> None:
    sid = "c" * 32
    key, copy = f"calls/{sid}_team_0.mp4", "copies/same.mp4"
    media = MediaObject(RECORDINGS, key, "etag", 1000, scene.clock.now())
    recording_id = media.own_recording_id
    scene.store.admit(recording_id, media, providers=["symbl"])
    scene.store.add_copy(recording_id, media.media_id, copy)
    beside = (f"calls/{sid}_team.m3u8", f"calls/{sid}_team_20261121120000000.ts", f"calls/bak0_{sid}_team_0.mp4")
    scene.s3.put(RECORDINGS, key, copy, *beside, f"calls/{'d' * 32}_team_0.mp4", "calls/notes.txt")
    scene.run(scene.ask(recording_id))
    assert scene.s3.keys() == {f"calls/{'d' * 32}_team_0.mp4", "calls/notes.txt"}
    assert scene.mentions(recording_id, sid) == []


def test_no_word_of_the_caller_is_left(scene: EraseScene, recording: RecordingRow) -> None:
    scene.run(scene.ask(recording["recording_id"]))
    assert scene.mentions(*WORDS, REFERENCE, "anna", "bert") == []
    assert replace(Erase(), phase="over").to_state()["outcome"] == "over"
