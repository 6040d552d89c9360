"""What Agora must not be heard to repeat, however it quotes it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.notifications import Notification
from recording_insights.errors import AgoraRejected
from recording_insights.recordings.read import describe_recording
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import Answer, FakeAgora
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import wanted

PAGE = {"mode": "web", "url": "https://example.org/board"}
STREAM = "rtmp://live.example.org/app/s3cr3t"


def _decryption(secret: str) -> dict[str, Any]:
    return {"decryption": {"mode": "aes_128_xts", "secret": secret}}


def _as_go_does(part: Any) -> str:
    return json.dumps(part).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@pytest.mark.parametrize(
    "quote",
    [
        json.dumps,
        _as_go_does,
        lambda part: json.dumps(part).replace("/", "\\/"),
        lambda part: json.dumps(json.dumps(part)),
        lambda part: json.dumps(part, ensure_ascii=False),
    ],
    ids=["as it is", "as Go does", "slashes escaped", "JSON in JSON", "no escapes"],
)
@pytest.mark.parametrize(
    "fields",
    [
        _decryption("s3cr3t  two blanks"),
        _decryption('s3cr3t"quote'),
        _decryption("s3cr3t/slash&and"),
        _decryption("s3cr3tü"),
        {**PAGE, "url": "https://example.org/board?a=1&key=s3cr3t"},
        {**PAGE, "rtmp_url": f"{STREAM}?x=1&y=2"},
    ],
    ids=["blanks", "quote", "slash", "umlaut", "page", "stream"],
)
def test_a_quoted_request_tells_no_secret(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, fields: dict[str, Any], quote: Callable[[Any], str]
) -> None:
    def echo(_: str) -> None:
        asked = vendor.calls[-1][1]["clientRequest"]
        part = asked.get("recordingConfig") or asked.get("extensionServiceConfig")
        vendor.script["start"] = [Answer(400, {"code": 2, "reason": quote(part)})]

    vendor.before = echo
    with pytest.raises(AgoraRejected) as refusal:
        agora.start(wanted(**fields), ("recordings", "a" * 32), clock.deadline())
    assert "s3cr3t" not in str(refusal.value)
    assert "***" in str(refusal.value)


@pytest.mark.parametrize(
    "said",
    [
        "cannot connect to live.example.org/app/s3cr3t",
        "publish refused: stream key s3cr3t is in use",
        "RTMP handshake with rtmp://live.example.org:1935/app/s3cr3t failed",
        "invalid rtmpUrl rtmp://live.example.org/app/s3cr…",
    ],
)
def test_a_part_of_a_stream_tells_no_key(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, said: str) -> None:
    vendor.script["start"] = [Answer(400, {"code": 2, "reason": said})]
    with pytest.raises(AgoraRejected) as refusal:
        agora.start(wanted(**PAGE, rtmp_url=STREAM), ("recordings", "a" * 32), clock.deadline())
    assert "s3cr" not in str(refusal.value)


def test_neither_does_the_answer_to_a_call_without_a_body(
    start: Any, recording_store: RecordingStore, agora: AgoraClient, vendor: FakeAgora, clock: FakeClock
) -> None:
    recording_id = start(wanted(**PAGE, rtmp_url=STREAM)).recording["recording_id"]
    vendor.script["query"] = [Answer(400, {"code": 9, "reason": f"rtmp_publish_service: {STREAM} refused"})]
    described = describe_recording(recording_id, store=recording_store, agora=agora, deadline=clock.deadline())
    assert "rtmp://live.example.org refused" in str(described["live"])
    assert "s3cr3t" not in str(described)


@pytest.mark.parametrize(
    "words",
    [
        "push to rtmp://live.example.org/app/s3cr3t-key failed",
        "push to rtmps://a.example.org/live2/s3cr3t failed",
        "push to rtmp://live.example.org/app?key=s3cr3t failed",
        "cannot open https://example.org/board?key=s3cr3t",
        "cannot open https://example.org/board#s3cr3t",
    ],
)
def test_neither_does_a_notification(words: str) -> None:
    details = {"errorCode": 1, "errorMsg": words}
    body = {"noticeId": "1", "productId": 3, "eventType": 1, "payload": {"sid": "a" * 32, "details": details}}
    message = Notification.from_body(body).error["message"]
    assert "s3cr3t" not in message
    assert "example.org" in message
