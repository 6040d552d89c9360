"""Changes of a recording that is under way: update and updateLayout."""

from typing import Any

import pytest

from recording_insights.errors import (
    AgoraRefusedCredentials,
    AgoraRejected,
    AgoraUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
)
from recording_insights.recordings.change import update_layout, update_recording
from recording_insights.recordings.read import describe_recording
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.recordings import RecordingStore
from sandbox.stand_ins.agora.fields import check_layout
from sandbox.stand_ins.agora.rules import check_update
from tests.unit.agora.fake_agora import Answer, FakeAgora, Lost
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.recordings.wanted import wanted

ALL = ["#allstream#"]
REGION = {"x": 0.1, "y": 0, "width": 0.5, "height": 1}


@pytest.fixture
def update(store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    return lambda recording_id, **fields: update_recording(
        recording_id, fields, store=store, agora=agora, deadline=clock.deadline()
    )


@pytest.fixture
def lay_out(store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    return lambda recording_id, **layout: update_layout(
        recording_id, layout, store=store, agora=agora, deadline=clock.deadline()
    )


def begun(start: Any, **fields: Any) -> str:
    return str(start(wanted(**fields)).recording["recording_id"])


def page(start: Any, **fields: Any) -> str:
    return begun(start, mode="web", url="https://example.org/room", **fields)


@pytest.mark.parametrize(
    ("begins_with", "changes", "told"),
    [
        ({}, {"subscribe_audio_uids": [5]}, (["5"], ALL)),
        ({}, {"subscribe_video_uids": [5]}, (ALL, ["5"])),
        ({}, {"subscribe_audio_uids": [5], "subscribe_video_uids": "all"}, (["5"], ALL)),
        ({"audio_only": True}, {"subscribe_audio_uids": [5]}, (["5"], None)),
        ({"subscribe_audio_uids": [4]}, {"subscribe_audio_uids": [5]}, (["5"], None)),
        ({"subscribe_audio_uids": [4]}, {"subscribe_video_uids": [5]}, (["4"], ["5"])),
        (
            {"subscribe_audio_uids": "all", "subscribe_video_uids": [3]},
            {"subscribe_audio_uids": [5]},
            (["5"], ["3"]),
        ),
    ],
)
def test_what_is_not_named_stays(
    start: Any, update: Any, vendor: FakeAgora, begins_with: dict[str, Any], changes: dict[str, Any], told: Any
) -> None:
    recording_id = begun(start, **begins_with)
    row = update(recording_id, **changes)
    call, body = vendor.calls[-1]
    check_update(body["clientRequest"], "mix", 0)
    lists = body["clientRequest"]["streamSubscribe"]
    audio, video = told
    assert call == "update"
    assert lists["audioUidList"] == {"subscribeAudioUids": audio}
    assert lists.get("videoUidList") == (None if video is None else {"subscribeVideoUids": video})
    assert row.items() >= changes.items()
    assert update(recording_id, **changes)["subscribe_audio_uids"] == row["subscribe_audio_uids"]
    assert vendor.calls[-1] == (call, body)


@pytest.mark.parametrize(
    ("begins_with", "changes", "told"),
    [
        ({"audio_only": True}, {"unsubscribe_audio_uids": [5]}, ({"unsubscribe": ["5"]}, None)),
        ({}, {"unsubscribe_audio_uids": [5]}, ({"unsubscribe": ["5"]}, {"subscribe": ALL})),
        (
            {"unsubscribe_audio_uids": [9]},
            {"subscribe_audio_uids": [5]},
            ({"subscribe": ["5"]}, {"subscribe": ALL}),
        ),
        (
            {"subscribe_audio_uids": [4], "subscribe_video_uids": "all"},
            {"unsubscribe_audio_uids": [5]},
            ({"unsubscribe": ["5"]}, {"subscribe": ALL}),
        ),
        (
            {"unsubscribe_audio_uids": [4], "unsubscribe_video_uids": [3]},
            {"subscribe_audio_uids": [5]},
            ({"subscribe": ["5"]}, {"unsubscribe": ["3"]}),
        ),
        (
            {"mode": "individual", "audio_only": False},
            {"unsubscribe_video_uids": [5]},
            ({"subscribe": ALL}, {"unsubscribe": ["5"]}),
        ),
    ],
)
def test_who_is_left_out_takes_the_place_of_who_is_heard(
    start: Any, update: Any, vendor: FakeAgora, begins_with: dict[str, Any], changes: dict[str, Any], told: Any
) -> None:
    recording_id = begun(start, **begins_with)
    row = update(recording_id, **changes)
    body = vendor.calls[-1][1]["clientRequest"]
    check_update(body, begins_with.get("mode", "mix"), 0)
    for name, medium, lists in zip(("audioUidList", "videoUidList"), ("Audio", "Video"), told, strict=True):
        spelt = {
            f"{word}{medium}Uids": uids
            for verb, uids in (lists or {}).items()
            for word in ([verb, "unSubscribe"] if verb == "unsubscribe" else [verb])
        }
        assert body["streamSubscribe"].get(name, {}) == spelt
    (changed,) = changes
    other = changed.replace("unsubscribe", "subscribe") if changed.startswith("un") else f"un{changed}"
    assert row[changed] == changes[changed]
    assert row.get(other) is None


def test_a_page_is_pushed_elsewhere(start: Any, update: Any, vendor: FakeAgora) -> None:
    recording_id = page(start, rtmp_url="rtmp://live.example.org/app/s3cr3t")
    row = update(recording_id, rtmp_url="rtmps://other.example.org/app/s3cr3t", onhold=False)
    assert vendor.calls[-1][1]["clientRequest"] == {
        "webRecordingConfig": {"onhold": False},
        "rtmpPublishConfig": {"outputs": [{"rtmpUrl": "rtmps://other.example.org/app/s3cr3t"}]},
    }
    check_update(vendor.calls[-1][1]["clientRequest"], "web", 0)
    assert row["rtmp_url"] == "rtmps://other.example.org"


def test_a_page_pauses_and_goes_on(start: Any, update: Any, vendor: FakeAgora, store: RecordingStore) -> None:
    recording_id = page(start)
    for onhold in (True, False):
        assert update(recording_id, onhold=onhold)["onhold"] is onhold
        _, body = vendor.calls[-1]
        check_update(body["clientRequest"], "web", 0)
        assert body["clientRequest"] == {"webRecordingConfig": {"onhold": onhold}}
        assert store.find(recording_id)["onhold"] is onhold  # type: ignore[index]


def test_a_layout_replaces_the_one_before(start: Any, lay_out: Any, vendor: FakeAgora) -> None:
    recording_id = begun(start, transcoding={"width": 640, "layout": "best_fit", "background_color": "#FF0000"})
    row = lay_out(recording_id, layout=[REGION], background_image="https://example.org/a.jpg?sig=s3cr3t")
    call, body = vendor.calls[-1]
    check_layout(body["clientRequest"])
    assert call == "updateLayout"
    assert body["clientRequest"] == {
        "mixedVideoLayout": 3,
        "layoutConfig": [{"x_axis": 0.1, "y_axis": 0, "width": 0.5, "height": 1}],
        "backgroundImage": "https://example.org/a.jpg?sig=s3cr3t",
    }
    assert row["transcoding"] == {
        "width": 640,
        "layout": [{**REGION, "x": 0.1, "width": 0.5}],
        "background_image": "https://example.org/a.jpg",
    }
    assert lay_out(recording_id)["transcoding"] == {"width": 640}
    assert vendor.calls[-1][1]["clientRequest"] == {}


@pytest.mark.parametrize(
    ("field", "begins_with", "changes"),
    [
        ("body", {}, {}),
        ("subscribe_audio_uid", {}, {"subscribe_audio_uid": [5]}),
        ("subscribe_audio_uids[0]", {}, {"subscribe_audio_uids": ["a"]}),
        ("subscribe_video_uids", {"audio_only": True}, {"subscribe_video_uids": [5]}),
        ("onhold", {}, {"onhold": True}),
        ("audio_profile", {}, {"audio_profile": 1}),
        ("speakers.A", {}, {"speakers": {"A": " "}}),
        ("speakers.A", {}, {"speakers": {"A": 7}}),
        ("speakers.m1.A", {}, {"speakers": {"m1": {"A": {}}}}),
        ("speakers.\n", {}, {"speakers": {"\n": "Ada"}}),
        ("speakers", {}, {"speakers": {f"m{n}": {"A" * 100: "é" * 100} for n in range(70)}}),
        ("speakers", {}, {"speakers": {str(n): "Ada" for n in range(101)}}),
        ("speakers.A", {"mode": "individual"}, {"speakers": {"A": "Ada"}}),
        ("body", {"mode": "individual"}, {}),
        ("speakers", {"mode": "individual"}, {"speakers": None}),
        ("speakers.x", {"mode": "individual"}, {"speakers": {"x": "Ada"}, "subscribe_audio_uids": [5]}),
        ("subscribe_video_uids", {"mode": "individual"}, {"subscribe_video_uids": [5]}),
        ("unsubscribe_video_uids", {"mode": "individual"}, {"unsubscribe_video_uids": [5]}),
        ("unsubscribe_audio_uids", {}, {"unsubscribe_audio_uids": [5], "subscribe_audio_uids": [6]}),
        ("unsubscribe_audio_uids", {}, {"unsubscribe_audio_uids": "all"}),
        ("rtmp_url", {}, {"rtmp_url": "rtmp://live.example.org/app/key"}),
        (
            "rtmp_url",
            {"mode": "web", "url": "https://example.org"},
            {"rtmp_url": "rtmp://live.example.org/app/key"},
        ),
        ("subscribe_audio_uid", {"mode": "individual"}, {"speakers": {}, "subscribe_audio_uid": [5]}),
        ("onhold", {"mode": "individual"}, {"onhold": True}),
        ("onhold", {"mode": "web", "url": "https://example.org"}, {"onhold": 1}),
        ("subscribe_audio_uids", {"mode": "web", "url": "https://example.org"}, {"subscribe_audio_uids": [5]}),
    ],
)
def test_a_wrong_change_is_named(
    start: Any, update: Any, vendor: FakeAgora, field: str, begins_with: dict[str, Any], changes: dict[str, Any]
) -> None:
    recording_id = begun(start, **begins_with)
    with pytest.raises(InvalidRequest) as refusal:
        update(recording_id, **changes)
    assert refusal.value.field == field
    assert "update" not in vendor.names()


@pytest.mark.parametrize(
    ("field", "layout"),
    [
        ("width", {"width": 640}),
        ("layout[0].x", {"layout": [{**REGION, "x": 2}]}),
        ("max_resolution_uid", {"max_resolution_uid": 5}),
    ],
)
def test_a_wrong_layout_is_named(start: Any, lay_out: Any, vendor: FakeAgora, field: str, layout: Any) -> None:
    recording_id = begun(start)
    with pytest.raises(InvalidRequest) as refusal:
        lay_out(recording_id, **layout)
    assert refusal.value.field == field
    assert "updateLayout" not in vendor.names()


def test_only_a_mix_with_video_has_a_layout(start: Any, lay_out: Any) -> None:
    for recording_id in (page(start), begun(start, audio_only=True), begun(start, mode="individual", channel="b")):
        with pytest.raises(Conflict, match="a layout is for mode mix"):
            lay_out(recording_id)


def test_only_while_it_is_under_way(
    start: Any, update: Any, lay_out: Any, store: RecordingStore, agora: Any, clock: FakeClock, table: Any
) -> None:
    recording_id = begun(start)
    store.update(recording_id, {"status": "done"})  # its first part: the recorder goes on
    assert update(recording_id, subscribe_audio_uids=[5])["status"] == "done"
    stop_recording(recording_id, store=store, agora=agora, deadline=clock.deadline(), watch_stop=unwatched)
    with pytest.raises(Conflict, match="not under way"):
        update(recording_id, subscribe_audio_uids=[5])
    with pytest.raises(Conflict, match="not under way"):
        lay_out(recording_id)
    with pytest.raises(NotFound):
        update("f" * 32, subscribe_audio_uids=[5])
    with pytest.raises(NotFound):
        lay_out("f" * 32)


def test_a_recorder_without_id_cannot_be_told_yet(start: Any, update: Any, vendor: FakeAgora) -> None:
    vendor.script["start"] = [Lost(takes_effect=True)]
    recording_id = begun(start)
    with pytest.raises(Conflict, match="not reported its id yet"):
        update(recording_id, subscribe_audio_uids=[5])


@pytest.mark.parametrize(
    ("call", "answers", "error", "naps"),
    [
        ("update", [Answer(206, {"code": 65}), Answer(504, {"code": 62})], None, [3, 6]),
        ("updateLayout", [Answer(404, {"code": 404})], None, [5]),
        ("update", [Answer(404, {"code": 404})] * 3, Conflict, [5, 10]),
        ("updateLayout", [Answer(400, {"code": 501})], Conflict, []),
        ("update", [Answer(400, {"code": 2, "reason": "uid"})], AgoraRejected, []),
        ("updateLayout", [Answer(400, {"code": 1028, "reason": "layout"})], AgoraRejected, []),
        ("update", [Answer(401, {})] * 2, AgoraRefusedCredentials, []),
        ("updateLayout", [Answer(500, {})] * 3, AgoraUnavailable, [3, 6]),
    ],
)
def test_what_agora_answers(
    start: Any,
    update: Any,
    lay_out: Any,
    vendor: FakeAgora,
    clock: FakeClock,
    store: RecordingStore,
    call: str,
    answers: list[Answer],
    error: type[Exception] | None,
    naps: list[float],
) -> None:
    recording_id = begun(start)
    before = store.find(recording_id)
    vendor.script[call] = list(answers)

    def change() -> Any:
        return update(recording_id, subscribe_audio_uids=[5]) if call == "update" else lay_out(recording_id)

    if error:
        with pytest.raises(error):
            change()
        assert store.find(recording_id) == before
    else:
        assert change()["version"] == before["version"] + 1  # type: ignore[index]
    assert clock.naps == naps


@pytest.mark.parametrize("key", ["payload", "playload"])
def test_a_pages_live_state(
    start: Any, store: RecordingStore, agora: Any, clock: FakeClock, vendor: FakeAgora, key: str
) -> None:
    files = [{"filename": "a.m3u8", "sliceStartTime": 1}]
    services = [
        {"serviceName": "rtmp_publish_service", key: {"state": "inProgress"}},
        {"serviceName": "web_recorder_service", key: {"state": "inProgress", "onhold": True, "fileList": files}},
    ]
    answer = {"serverResponse": {"status": 5, "extensionServiceState": services}}
    vendor.script["query"] = [Answer(200, answer)]
    found = describe_recording(
        page(start), {"fresh": "true"}, store=store, agora=lambda: agora, deadline=clock.deadline()
    )
    state = {"status": 5, "meaning": "in progress", "files": ["a.m3u8"], "onhold": True}
    assert found["live"] == {**state, "as_of": store.timestamp}
    assert found["url"] == "https://example.org/room"


def test_a_page_and_a_channel_of_one_name_are_two_recordings(
    start: Any, store: RecordingStore, agora: Any, clock: FakeClock, vendor: FakeAgora
) -> None:
    first, second = begun(start), page(start)
    assert first != second
    assert page(start) == second
    stop_recording(second, store=store, agora=agora, deadline=clock.deadline(), watch_stop=unwatched)
    assert store.claims.find("web/team") is None
    assert store.claims.find("team")
    assert len(vendor.recorders) == 1
