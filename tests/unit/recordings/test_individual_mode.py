"""Mode individual, from the request to Agora's bodies: a track for each uid, and the speakers' names."""

from base64 import b64encode
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.client_request import RecorderSettings
from recording_insights.errors import Conflict, InvalidRequest
from recording_insights.recordings.change import update_recording
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.keys import recording_key
from recording_insights.store.recordings import RecordingStore
from sandbox.stand_ins.agora.fields import check_recording
from sandbox.stand_ins.agora.rules import check_start, check_update
from tests.unit.agora.fake_agora import FakeAgora
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.recordings.wanted import wanted

SALT = b64encode(bytes(range(32))).decode()
PREFIX = ("recordings", "0" * 32)
VOICES = {"channelType": 0, "streamTypes": 0, "streamMode": "default", "maxIdleTime": 300, "subscribeUidGroup": 3}


@pytest.fixture
def update(store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    return lambda recording_id, **fields: update_recording(
        recording_id, fields, store=store, agora=agora, deadline=clock.deadline()
    )


def begun(start: Any, **fields: Any) -> str:
    return str(start(wanted(mode="individual", **fields)).recording["recording_id"])


def individual(**fields: Any) -> dict[str, Any]:
    sent = RecorderSettings.read("individual", fields, max_hours=24).start_request()
    assert sent.keys() == {"recordingConfig", "recordingFileConfig"}
    assert sent["recordingFileConfig"] == {"avFileType": ["hls"]}
    config: dict[str, Any] = sent["recordingConfig"]
    check_recording(config, "individual")
    return config


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, VOICES),
        ({"audio_only": True}, VOICES),
        ({"stream_mode": "default"}, VOICES),
        ({"stream_mode": "original"}, {**VOICES, "streamMode": "original"}),
        ({"channel_type": "live", "max_idle_seconds": 60}, {**VOICES, "channelType": 1, "maxIdleTime": 60}),
        ({"subscribe_audio_uids": "all"}, {**VOICES, "subscribeAudioUids": ["#allstream#"]}),
        (
            {"unsubscribe_audio_uids": [5, "6"]},
            {**VOICES, "unsubscribeAudioUids": ["5", "6"], "unSubscribeAudioUids": ["5", "6"]},
        ),
        (
            {"subscribe_audio_uids": [5, 6, "7"]},
            {**VOICES, "subscribeAudioUids": ["5", "6", "7"], "subscribeUidGroup": 1},
        ),
        (
            {"subscribe_audio_uids": [5], "expected_uids": 8},
            {**VOICES, "subscribeAudioUids": ["5"], "subscribeUidGroup": 2},
        ),
        ({"correct_extinf": True}, {**VOICES, "privateParams": '{"correctEXTINF":true}'}),
        ({"ntp_timestamps": True}, {**VOICES, "extensionParams": {"enableNTPtimestamp": True}}),
        (
            {"decryption": {"mode": "aes_128_gcm2", "secret": "s", "salt": SALT}},
            {**VOICES, "decryptionMode": 7, "secret": "s", "salt": SALT},
        ),
    ],
)
def test_fields_of_single_voices(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    assert individual(**fields) == sent


@pytest.mark.parametrize(
    ("group", "numbers"),
    list(enumerate([range(1, 3), range(3, 8), range(8, 13), range(13, 18), range(18, 33), range(33, 50)])),
)
def test_agoras_groups_of_expected_uids(group: int, numbers: range) -> None:
    assert {individual(expected_uids=number)["subscribeUidGroup"] for number in numbers} == {group}
    named = [list(range(1, number + 1)) for number in numbers if number <= 32]
    assert {individual(subscribe_audio_uids=uids)["subscribeUidGroup"] for uids in named} == (
        {group} if named else set()
    )


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("stream_mode", {"stream_mode": "standard"}),
        ("stream_mode", {"stream_mode": "original", "audio_only": False}),
        ("snapshots", {"snapshots": {}}),
        ("snapshots", {"audio_only": False, "snapshots": 10}),
        ("snapshots.interval_seconds", {"audio_only": False, "snapshots": {"interval_seconds": 4}}),
        (
            "subscribe_video_uids",
            {"audio_only": False, "snapshots": {}, "subscribe_audio_uids": "all"},
        ),
        ("snapshots.file_type", {"audio_only": False, "snapshots": {"file_type": ["jpg"]}}),
        ("expected_uids", {"expected_uids": 0}),
        ("expected_uids", {"expected_uids": 50}),
        ("expected_uids", {"expected_uids": 2, "subscribe_audio_uids": [5, 6, 7]}),
        ("subscribe_video_uids", {"subscribe_video_uids": [5]}),
        ("unsubscribe_audio_uids", {"unsubscribe_audio_uids": [5], "subscribe_audio_uids": [6]}),
        (
            "expected_uids",
            {
                "audio_only": False,
                "expected_uids": 3,
                "subscribe_audio_uids": [5, "6", 8],
                "subscribe_video_uids": [6, 7],
            },
        ),
        ("audio_profile", {"audio_profile": 0}),
        ("video_stream_type", {"video_stream_type": "low"}),
        ("transcoding", {"transcoding": {}}),
        ("streamMode", {"streamMode": "original"}),
    ],
)
def test_a_refusal_names_its_field(field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        wanted(mode="individual", **fields)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, {}),
        ({"stream_mode": "standard"}, {"streamMode": "standard"}),
        ({"video_stream_type": "low"}, {"videoStreamType": 1}),
        (
            {"subscribe_audio_uids": [4, 5], "subscribe_video_uids": [5, 6, 7]},
            {
                "subscribeAudioUids": ["4", "5"],
                "subscribeVideoUids": ["5", "6", "7"],
                "subscribeUidGroup": 1,
            },
        ),
        (
            {"subscribe_audio_uids": "all", "unsubscribe_video_uids": [5]},
            {
                "subscribeAudioUids": ["#allstream#"],
                "unsubscribeVideoUids": ["5"],
                "unSubscribeVideoUids": ["5"],
            },
        ),
    ],
)
def test_fields_of_single_voices_with_their_pictures(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    assert individual(audio_only=False, **fields) == {**VOICES, "streamTypes": 2, **sent}


@pytest.mark.parametrize(
    "lists",
    [
        {"subscribe_audio_uids": "all", "subscribe_video_uids": [7, 8]},
        {"subscribe_audio_uids": [7], "subscribe_video_uids": "all"},
        {"unsubscribe_audio_uids": [7], "unsubscribe_video_uids": [8]},
    ],
)
def test_where_everybody_counts_a_short_list_of_the_other_medium_says_nothing(lists: dict[str, Any]) -> None:
    assert individual(audio_only=False, **lists)["subscribeUidGroup"] == 3


@pytest.mark.parametrize("expected", [{}, {"expected_uids": 2}])
def test_no_change_goes_beyond_what_agora_has_reserved(
    start: Any, update: Any, vendor: FakeAgora, expected: dict[str, int]
) -> None:
    recording_id = begun(start, subscribe_audio_uids=[1, 2], **expected)
    with pytest.raises(InvalidRequest, match=r"subscribe_audio_uids: makes 3 uids in all; .* servers for 2"):
        update(recording_id, subscribe_audio_uids=[1, 2, 3])
    assert "update" not in vendor.names()


def test_a_first_track_without_a_word_does_not_end_the_recording(
    start: Any, update: Any, store: RecordingStore, vendor: FakeAgora
) -> None:
    recording_id = begun(start)
    store.update(recording_id, {"status": "empty"})  # of the tracks that have ended; the recorder goes on
    update(recording_id, unsubscribe_audio_uids=[9])
    assert vendor.names()[-1] == "update"


def test_pictures_now_and_then_stand_beside_the_recording() -> None:
    sent = RecorderSettings.read("individual", {"audio_only": False, "snapshots": {}}, max_hours=24).start_request()
    assert sent["snapshotConfig"] == {"fileType": ["jpg"]}
    fields = {"audio_only": False, "snapshots": {"interval_seconds": 60}}
    sent = RecorderSettings.read("individual", fields, max_hours=24).start_request()
    assert sent["snapshotConfig"] == {"captureInterval": 60, "fileType": ["jpg"]}
    assert sent["recordingFileConfig"] == {"avFileType": ["hls"]}
    assert "captureInterval" not in sent["recordingConfig"]


def test_a_refusal_says_what_would_help() -> None:
    with pytest.raises(InvalidRequest, match="snapshots: is about video, and needs audio_only to be false"):
        wanted(mode="individual", snapshots={})
    with pytest.raises(InvalidRequest, match="stream_mode: standard adds playlists with video"):
        wanted(mode="individual", stream_mode="standard")
    with pytest.raises(InvalidRequest, match="audio_profile: is for mode mix or web, not individual"):
        wanted(mode="individual", audio_profile=0)


def test_the_bodies_of_single_voices(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    request = wanted("team", mode="individual", uid=7, stream_mode="original", speakers={"5": "Ada"}, max_hours=3)
    agora.start(request.order, PREFIX, clock.deadline())
    acquire, start = (body for _, body in vendor.calls)
    assert acquire == {"cname": "team", "uid": "7", "clientRequest": {"scene": 0, "resourceExpiredHour": 3}}
    check_start(start["clientRequest"], "individual", clock.now().timestamp())
    assert start["clientRequest"]["recordingConfig"] == {**VOICES, "streamMode": "original"}
    assert "Ada" not in str(vendor.calls)


def test_the_row_of_single_voices(start: Any) -> None:
    row = start(wanted(mode="individual", subscribe_audio_uids=[5, 6], speakers={"5": "Ada"})).recording
    assert (
        row.items()
        >= {
            "mode": "individual",
            "audio_only": True,
            "stream_mode": "default",
            "subscribe_audio_uids": [5, 6],
            "expected_uids": 2,
            "speakers": {"5": "Ada"},
        }.items()
    )


def test_single_voices_are_chosen_anew(start: Any, update: Any, vendor: FakeAgora) -> None:
    recording_id = begun(start, subscribe_audio_uids=[4])
    assert update(recording_id, subscribe_audio_uids=[5, 6])["subscribe_audio_uids"] == [5, 6]
    call, body = vendor.calls[-1]
    check_update(body["clientRequest"], "individual", 0)
    assert call == "update"
    assert body["clientRequest"] == {"streamSubscribe": {"audioUidList": {"subscribeAudioUids": ["5", "6"]}}}


def test_speakers_are_named_without_agora_whenever_it_is(
    start: Any, update: Any, vendor: FakeAgora, store: RecordingStore, agora: Any, clock: FakeClock
) -> None:
    recording_id = begun(start, speakers={"5": "Ada", "6": "Grace"})
    before = vendor.names()
    assert update(recording_id, speakers={"5": "Ada Lovelace"})["speakers"] == {"5": "Ada Lovelace"}
    assert vendor.names() == before
    stop_recording(recording_id, store=store, agora=agora, deadline=clock.deadline(), watch_stop=unwatched)
    store.update(recording_id, {"status": "done"})
    before = vendor.names()
    assert update(recording_id, speakers={})["speakers"] == {}
    assert store.find(recording_id)["speakers"] == {}  # type: ignore[index]
    assert vendor.names() == before
    with pytest.raises(Conflict, match="not under way"):
        update(recording_id, speakers={"5": "Ada"}, subscribe_audio_uids=[5])
    assert store.find(recording_id)["speakers"] == {}  # type: ignore[index]


def test_speakers_and_subscriptions_change_together(start: Any, update: Any, vendor: FakeAgora) -> None:
    row = update(begun(start), speakers={"5": "Ada"}, subscribe_audio_uids=[5])
    assert (row["speakers"], row["subscribe_audio_uids"]) == ({"5": "Ada"}, [5])
    assert vendor.names()[-1] == "update"


def test_speakers_of_files_put_into_the_bucket_can_be_named(update: Any, table: Any, vendor: FakeAgora) -> None:
    of_files = {**recording_key("f" * 32), "recording_id": "f" * 32, "status": "processing", "version": 1}
    table.put_item(Item=of_files)
    assert update("f" * 32, speakers={"5": "Ada"})["speakers"] == {"5": "Ada"}
    assert vendor.calls == []
