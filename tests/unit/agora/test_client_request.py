"""Recording options: every field right and wrong, and the bodies that Agora gets."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.client_request import RecorderSettings
from recording_insights.errors import AgoraRejected, InvalidRequest
from sandbox.stand_ins.agora.fields import check_page, check_recording
from tests.unit.agora.fake_agora import SECRET, Answer, FakeAgora
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import order, wanted

SALT = b64encode(bytes(range(32))).decode()
PAGE = {"mode": "web", "url": "https://example.org/room"}
REGION = {"x": 0, "y": 0.25, "width": 0.5, "height": 1}
PREFIX = ("recordings", "0" * 32)


def mix(**fields: Any) -> dict[str, Any]:
    config: dict[str, Any] = RecorderSettings.read("mix", fields, max_hours=24).start_request()["recordingConfig"]
    check_recording(config, "mix")
    return config


def web(**fields: Any) -> dict[str, Any]:
    page = {"url": PAGE["url"], **fields}
    extension = RecorderSettings.read("web", page, max_hours=24).start_request()["extensionServiceConfig"]
    check_page(extension)
    sent: dict[str, Any] = extension["extensionServices"][0]["serviceParam"]
    return sent


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, {"channelType": 0, "streamTypes": 2, "maxIdleTime": 300, "audioProfile": 0}),
        ({"channel_type": "live"}, {"channelType": 1}),
        ({"audio_only": True}, {"streamTypes": 0}),
        ({"max_idle_seconds": 5}, {"maxIdleTime": 5}),
        ({"audio_profile": 2}, {"audioProfile": 2}),
        ({"video_stream_type": "low"}, {"videoStreamType": 1}),
        ({"subscribe_audio_uids": [5, "6"]}, {"subscribeAudioUids": ["5", "6"]}),
        (
            {"subscribe_audio_uids": "all", "subscribe_video_uids": list(range(1, 33))},
            {"subscribeAudioUids": ["#allstream#"], "subscribeVideoUids": [str(uid) for uid in range(1, 33)]},
        ),
        (
            {"unsubscribe_audio_uids": [5], "unsubscribe_video_uids": ["6"]},
            {
                "unsubscribeAudioUids": ["5"],
                "unSubscribeAudioUids": ["5"],
                "unsubscribeVideoUids": ["6"],
                "unSubscribeVideoUids": ["6"],
            },
        ),
        ({"decryption": {"mode": "aes_128_xts", "secret": "s"}}, {"decryptionMode": 1, "secret": "s"}),
        (
            {"decryption": {"mode": "aes_256_gcm2", "secret": "s", "salt": SALT}},
            {"decryptionMode": 8, "secret": "s", "salt": SALT},
        ),
        ({"correct_extinf": True}, {"privateParams": '{"correctEXTINF":true}'}),
        ({"ntp_timestamps": True}, {"extensionParams": {"enableNTPtimestamp": True}}),
        ({"transcoding": {}}, {"transcodingConfig": {}}),
        (
            {"transcoding": {"width": 1080, "height": 1920, "fps": 30, "bitrate": 4000}},
            {"transcodingConfig": {"width": 1080, "height": 1920, "fps": 30, "bitrate": 4000}},
        ),
        ({"transcoding": {"layout": "floating"}}, {"transcodingConfig": {"mixedVideoLayout": 0}}),
        ({"transcoding": {"layout": "best_fit"}}, {"transcodingConfig": {"mixedVideoLayout": 1}}),
        (
            {"transcoding": {"layout": "vertical", "max_resolution_uid": 7}},
            {"transcodingConfig": {"mixedVideoLayout": 2, "maxResolutionUid": "7"}},
        ),
        (
            {"transcoding": {"layout": [{**REGION, "uid": 7, "alpha": 0.12345678, "render_mode": "fit"}]}},
            {
                "transcodingConfig": {
                    "mixedVideoLayout": 3,
                    "layoutConfig": [
                        {
                            "uid": "7",
                            "x_axis": 0,
                            "y_axis": 0.25,
                            "width": 0.5,
                            "height": 1,
                            "alpha": 0.123457,
                            "render_mode": 1,
                        }
                    ],
                }
            },
        ),
        (
            {
                "transcoding": {
                    "background_color": "#ff8800",
                    "background_image": "http://example.org/a.jpg",
                    "default_user_background_image": "https://example.org/b.jpg",
                    "backgrounds": [{"uid": 7, "image_url": "https://example.org/c.jpg", "render_mode": "crop"}],
                }
            },
            {
                "transcodingConfig": {
                    "backgroundColor": "#ff8800",
                    "backgroundImage": "http://example.org/a.jpg",
                    "defaultUserBackgroundImage": "https://example.org/b.jpg",
                    "backgroundConfig": [{"uid": "7", "image_url": "https://example.org/c.jpg", "render_mode": 0}],
                }
            },
        ),
    ],
)
def test_fields_of_a_mix(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    assert mix(**fields).items() >= sent.items()


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        (
            {},
            {
                "url": PAGE["url"],
                "audioProfile": 0,
                "videoWidth": 1280,
                "videoHeight": 720,
                "maxRecordingHour": 24,
            },
        ),
        ({"audio_profile": 1}, {"audioProfile": 1}),
        ({"video_width": 1080, "video_height": 1920}, {"videoWidth": 1080, "videoHeight": 1920}),
        ({"video_bitrate": 3000, "video_fps": 60}, {"videoBitrate": 3000, "videoFps": 60}),
        ({"max_recording_hours": 1, "max_video_minutes": 30}, {"maxRecordingHour": 1, "maxVideoDuration": 30}),
        (
            {"onhold": True, "mobile": True, "ready_timeout_seconds": 0},
            {"onhold": True, "mobile": True, "readyTimeout": 0},
        ),
    ],
)
def test_fields_of_a_web_page(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    assert web(**fields).items() >= sent.items()


def transcoding(**fields: Any) -> dict[str, Any]:
    return {"transcoding": fields}


def decryption(**fields: Any) -> dict[str, Any]:
    return {"decryption": {"mode": "aes_128_gcm", "secret": "s3cr3t", **fields}}


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("channel_type", {"channel_type": "broadcast"}),
        ("audio_profile", {"audio_profile": 3}),
        ("video_stream_type", {"video_stream_type": "medium"}),
        ("subscribe_audio_uids", {"subscribe_audio_uids": "everybody"}),
        ("subscribe_audio_uids", {"subscribe_audio_uids": list(range(1, 34))}),
        ("subscribe_audio_uids[0]", {"subscribe_audio_uids": ["#allstream#"]}),
        ("subscribe_audio_uids", {"subscribe_video_uids": [5]}),
        ("subscribe_video_uids", {"subscribe_audio_uids": [5], "subscribe_video_uids": [5], "audio_only": True}),
        ("video_stream_type", {"video_stream_type": "low", "audio_only": True}),
        ("transcoding", {"transcoding": {}, "audio_only": True}),
        ("unsubscribe_audio_uids", {"unsubscribe_audio_uids": "all"}),
        ("unsubscribe_audio_uids", {"unsubscribe_audio_uids": [5], "subscribe_audio_uids": [6]}),
        ("unsubscribe_video_uids", {"unsubscribe_video_uids": [5]}),
        (
            "unsubscribe_video_uids",
            {"unsubscribe_video_uids": [5], "subscribe_video_uids": [6], "subscribe_audio_uids": "all"},
        ),
        ("decryption", {"decryption": "aes_128_gcm"}),
        ("decryption.mode", {"decryption": {"secret": "s"}}),
        ("decryption.mode", decryption(mode="none")),
        ("decryption.secret", {"decryption": {"mode": "aes_128_gcm"}}),
        ("decryption.secret", decryption(secret="")),
        ("decryption.salt", decryption(salt=SALT)),
        ("decryption.salt", decryption(mode="aes_128_gcm2")),
        ("decryption.salt", decryption(mode="aes_128_gcm2", salt="c2hvcnQ=")),
        ("decryption.salt", decryption(mode="aes_128_gcm2", salt="no base64")),
        ("decryption.salt", decryption(mode="aes_128_gcm2", salt="é")),
        ("decryption.key", decryption(key="s")),
        ("correct_extinf", {"correct_extinf": "true"}),
        ("ntp_timestamps", {"ntp_timestamps": 1}),
        ("region", {"region": "eu"}),
        ("region_affinity", {"region_affinity": 5}),
        ("region_affinity", {"region": "NA", "region_affinity": 4}),
        ("announce_start", {"announce_start": {}}),
        ("apart_from", {"apart_from": [f"{number:032}" for number in range(11)]}),
        ("apart_from", {"apart_from": ["a" * 32] * 2}),
        ("apart_from[1]", {"apart_from": ["a" * 32, "team"]}),
        ("rtmp_url", {"rtmp_url": "rtmp://live.example.org/app/key"}),
        ("snapshots", {"snapshots": {}}),
        ("transcoding", {"transcoding": []}),
        ("transcoding.colour", transcoding(colour="#000000")),
        ("transcoding.width", transcoding(width=0)),
        ("transcoding.width", transcoding(width=1920, height=1081)),
        ("transcoding.height", transcoding(height=640.0)),
        ("transcoding.fps", transcoding(fps="15")),
        ("transcoding.bitrate", transcoding(bitrate=0)),
        ("transcoding.layout", transcoding(layout=1)),
        ("transcoding.layout", transcoding(layout="custom")),
        ("transcoding.layout", transcoding(layout=[REGION] * 18)),
        ("transcoding.layout[1].y", transcoding(layout=[REGION, {"x": 0, "width": 1, "height": 1}])),
        ("transcoding.layout[0].x", transcoding(layout=[{**REGION, "x": 1.01}])),
        ("transcoding.layout[0].x_axis", transcoding(layout=[{**REGION, "x_axis": 0}])),
        ("transcoding.layout[0].uid", transcoding(layout=[{**REGION, "uid": 0}])),
        ("transcoding.layout[0].alpha", transcoding(layout=[{**REGION, "alpha": "1"}])),
        ("transcoding.layout[0].render_mode", transcoding(layout=[{**REGION, "render_mode": 0}])),
        ("transcoding.max_resolution_uid", transcoding(max_resolution_uid=7)),
        ("transcoding.max_resolution_uid", transcoding(layout="best_fit", max_resolution_uid=7)),
        ("transcoding.background_color", transcoding(background_color="red")),
        ("transcoding.background_image", transcoding(background_image="ftp://example.org/a.jpg")),
        ("transcoding.default_user_background_image", transcoding(default_user_background_image="a.jpg")),
        ("transcoding.backgrounds[0].uid", transcoding(backgrounds=[{"image_url": "https://example.org/c.jpg"}])),
        ("transcoding.backgrounds[0].image_url", transcoding(backgrounds=[{"uid": 7}])),
        ("transcoding.backgrounds[0].image_url", transcoding(backgrounds=[{"uid": 7, "image_url": "http://x.org"}])),
        ("url", {"url": PAGE["url"]}),
        ("onhold", {"onhold": True}),
        ("video_width", {"video_width": 1280}),
        ("url", {"mode": "web"}),
        *(
            ("url", {**PAGE, "url": url})
            for url in (
                "file:///etc/passwd",
                "HTTPS://example.org/room?key=s3cr3t",
                "https://user:p4ssw0rd@example.org/",
                "https://example.org/räume",
                "https://example.org/" + "x" * 2048,
            )
        ),
        ("video_width", {**PAGE, "video_width": 239}),
        ("video_width", {**PAGE, "video_width": 1921}),
        ("video_width", {**PAGE, "video_width": 1920, "video_height": 1081}),
        ("video_height", {**PAGE, "video_height": "720"}),
        ("video_bitrate", {**PAGE, "video_bitrate": 0}),
        ("video_fps", {**PAGE, "video_fps": 4}),
        ("video_fps", {**PAGE, "video_fps": 61}),
        ("audio_profile", {**PAGE, "audio_profile": -1}),
        ("max_recording_hours", {**PAGE, "max_recording_hours": 0}),
        ("max_recording_hours", {**PAGE, "max_recording_hours": 3, "max_hours": 2}),
        ("max_video_minutes", {**PAGE, "max_video_minutes": 29}),
        ("max_video_minutes", {**PAGE, "max_video_minutes": 241}),
        ("onhold", {**PAGE, "onhold": "false"}),
        ("ready_timeout_seconds", {**PAGE, "ready_timeout_seconds": 61}),
        ("mobile", {**PAGE, "mobile": 1}),
        ("rtmp_url", {**PAGE, "rtmp_url": "https://live.example.org/app/s3cr3t"}),
        ("rtmp_url", {**PAGE, "rtmp_url": "rtmps://u:p4ssw0rd@live.example.org/s3cr3t"}),
        *(
            (name, {**PAGE, name: value})
            for name, value in {
                "token": "007eJx",
                "decryption": {"mode": "aes_128_gcm", "secret": "s"},
                "transcoding": {},
            }.items()
        ),
        ("stream_mode", {"stream_mode": "original"}),
        ("expected_uids", {"expected_uids": 2}),
        ("channel", {**PAGE, "channel": ""}),
        ("channel", {**PAGE, "channel": None}),
        ("channel", {**PAGE, "channel": "a/b"}),
        ("channel", {**PAGE, "channel": "a\\b"}),
        ("channel", {**PAGE, "channel": "a\nb"}),
        ("channel", {**PAGE, "channel": "é" * 401}),
    ],
)
def test_a_refusal_names_its_field(field: str, body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        wanted(**{"channel": "c", **body})
    assert refusal.value.field == field
    assert not any(secret in str(refusal.value) for secret in ("s3cr3t", SALT, "p4ssw0rd"))


def test_a_field_of_the_other_mode_is_told_from_a_typo() -> None:
    with pytest.raises(InvalidRequest, match="url: is for mode web, not mix"):
        wanted(url="https://example.org")
    with pytest.raises(InvalidRequest, match="transcoding: is for mode mix, not web"):
        wanted(**PAGE, transcoding={})
    with pytest.raises(InvalidRequest, match="channel_type: is for mode mix or individual, not web"):
        wanted(**PAGE, channel_type="live")


def test_a_web_page_goes_by_any_label(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    assert wanted("é" * 400, **PAGE).channel == "é" * 400
    page, channel = wanted("team", **PAGE), wanted("team")
    assert page.claimed != channel.claimed
    assert page.uid != channel.uid


def test_the_bodies_of_a_web_page(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    request = wanted("Räume", uid=7, **PAGE, region="NA", max_hours=3, max_recording_hours=2, onhold=True)
    agora.start(request.order, PREFIX, clock.deadline())
    acquire, start = (body for _, body in vendor.calls)
    assert acquire == {
        "cname": "Räume",
        "uid": "7",
        "clientRequest": {"scene": 1, "resourceExpiredHour": 3, "region": "NA"},
    }
    assert (start["cname"], start["uid"]) == ("Räume", "7")
    assert start["clientRequest"].pop("storageConfig")["fileNamePrefix"] == list(PREFIX)
    assert start["clientRequest"] == {
        "recordingFileConfig": {"avFileType": ["hls", "mp4"]},
        "extensionServiceConfig": {
            "errorHandlePolicy": "error_abort",
            "extensionServices": [
                {
                    "serviceName": "web_recorder_service",
                    "errorHandlePolicy": "error_abort",
                    "serviceParam": {
                        "url": PAGE["url"],
                        "audioProfile": 0,
                        "videoWidth": 1280,
                        "videoHeight": 720,
                        "maxRecordingHour": 2,
                        "onhold": True,
                    },
                }
            ],
        },
    }


def test_a_page_may_be_pushed_to_a_stream(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    agora.start(order("board", **PAGE, rtmp_url="rtmps://live.example.org:443/app/key"), PREFIX, clock.deadline())
    extension = vendor.calls[-1][1]["clientRequest"]["extensionServiceConfig"]
    check_page(extension)
    recorder, publisher = extension["extensionServices"]
    assert recorder["serviceName"] == "web_recorder_service"
    assert "outputs" not in recorder["serviceParam"]
    assert publisher == {
        "serviceName": "rtmp_publish_service",
        "errorHandlePolicy": "error_ignore",
        "serviceParam": {"outputs": [{"rtmpUrl": "rtmps://live.example.org:443/app/key"}]},
    }


def test_what_acquire_may_be_told(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    agora.start(order(region_affinity=0, max_hours=2), PREFIX, clock.deadline(), apart_from=["one", "other"])
    acquire, start = (body["clientRequest"] for _, body in vendor.calls)
    sent = {"scene": 0, "resourceExpiredHour": 2, "regionAffinity": 0, "excludeResourceIds": ["one", "other"]}
    assert acquire == sent
    assert "regionAffinity" not in str(start)


@pytest.mark.parametrize("mode", [{}, {"mode": "individual"}, PAGE])
def test_an_announced_start_is_the_start_that_follows_word_by_word(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, mode: dict[str, Any]
) -> None:
    protected = {
        **SECRET,
        "appId": "970CA35de60c44645bbae8a215061b33",
        "appCertificate": "5CFd2fd1755d40ecb72977518be15d3b",
    }
    agora = replace(agora, calls=replace(agora.calls, credentials=lambda fresh: protected))
    vendor.script["start"] = [Answer(206, {"code": 65})] * 2
    agora.start(order(announce_start=True, **mode), PREFIX, clock.deadline())
    announced = vendor.calls[0][1]["clientRequest"].pop("startParameter")
    starts = [body["clientRequest"] for call, body in vendor.calls if call == "start"]
    assert starts == [announced] * 3
    assert announced["storageConfig"]["stsToken"]
    assert ("token" in announced) == (mode is not PAGE)
    assert "startParameter" not in str(starts)


def test_a_certificate_that_is_rotated_after_the_announcement_is_announced_anew(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock
) -> None:
    old = {**SECRET, "appId": "970CA35de60c44645bbae8a215061b33", "appCertificate": "5CFd2fd1755d40ecb72977518be15d3b"}
    copies = [old, *[{**old, "appCertificate": "c0ffee00c0ffee00c0ffee00c0ffee00"}] * 3]
    agora = replace(agora, calls=replace(agora.calls, credentials=lambda fresh: copies.pop(0)))

    def compare(call: str) -> None:
        *_, before, last = [{}, *(body["clientRequest"] for _, body in vendor.calls)]
        if call == "start" and before["startParameter"] != last:
            vendor.script["start"] = [Answer(400, {"code": 432, "reason": "differs from startParameter"})]

    vendor.before = compare
    agora.start(order(announce_start=True), PREFIX, clock.deadline())
    assert vendor.names() == ["acquire", "start"] * 2


SECRET_FIELDS: dict[str, Any] = {
    "decryption": {"mode": "aes_256_gcm2", "secret": "s3cr3t-key", "salt": SALT},
    "transcoding": {
        "layout": [{**REGION, "alpha": 0.1}],
        "background_image": "https://example.org/a.jpg?sig=s3cr3t-sig#s3cr3t",
    },
}


def test_the_row_keeps_everything_but_secrets(start: Any, table: Any) -> None:
    row = start(wanted(**SECRET_FIELDS, subscribe_audio_uids=[5])).recording
    assert row["decryption"] == {"mode": "aes_256_gcm2"}
    assert row["transcoding"] == {
        "layout": [{**REGION, "y": 0.25, "width": 0.5, "alpha": 0.1}],
        "background_image": "https://example.org/a.jpg",
    }
    assert row["subscribe_audio_uids"] == [5]
    page = start(
        wanted(**PAGE | {"url": "https://example.org/room?key=s3cr3t-page"}, rtmp_url="rtmp://live.tv/a/s3cr3t-key")
    ).recording
    assert page["url"] == "https://example.org/room"
    assert page["rtmp_url"] == "rtmp://live.tv"
    stored = str(table.scan()["Items"])
    assert "s3cr3t" not in stored
    assert SALT not in stored
    assert "s3cr3t" not in repr(wanted(**SECRET_FIELDS))


def test_no_secret_leaves_in_a_reason(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    def echo(call: str) -> None:
        request = vendor.calls[-1][1]["clientRequest"]
        part = request.get("recordingConfig") or request.get("extensionServiceConfig")
        vendor.script["start"] = [Answer(400, {"code": 2, "reason": json.dumps(part)})]

    vendor.before = echo
    for request in (
        wanted(**SECRET_FIELDS),
        wanted(**{**PAGE, "url": "https://example.org/room?key=s3cr3t-page"}),
        wanted(**PAGE, rtmp_url="rtmp://live.example.org/app/s3cr3t-key"),
    ):
        with pytest.raises(AgoraRejected) as refusal:
            agora.start(request.order, PREFIX, clock.deadline())
        assert "***" in str(refusal.value)
        assert "s3cr3t" not in str(refusal.value)
        assert SALT not in str(refusal.value)


def test_the_fingerprint_knows_pages_and_no_secrets() -> None:
    def fingerprint(**fields: Any) -> str:
        return wanted(**fields).fingerprint

    other_secret = {**SECRET_FIELDS, "decryption": {**SECRET_FIELDS["decryption"], "secret": "renewed"}}
    assert fingerprint(**SECRET_FIELDS) == fingerprint(**other_secret)
    assert fingerprint(**PAGE) == fingerprint(**PAGE)
    assert fingerprint(**PAGE) != fingerprint(**{**PAGE, "url": PAGE["url"] + "?room=2"})
    assert fingerprint(**PAGE, rtmp_url="rtmp://live.tv/1") != fingerprint(**PAGE, rtmp_url="rtmp://live.tv/2")
    assert fingerprint(channel_type="live") != fingerprint()
