"""Secrets stay hidden, however a vendor quotes them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.notifications import Notification
from recording_insights.errors import AgoraRejected
from recording_insights.recordings.read import describe_recording
from recording_insights.redaction import (
    hide_keys_and_tokens,
    hide_queries_and_stream_keys,
    hide_secrets,
    hide_urls,
    hide_urls_and_tokens,
    secrets_in,
    storable,
)
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import Answer, FakeAgora
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import order, wanted

PAGE = {"mode": "web", "url": "https://example.org/board"}
STREAM = "rtmp://live.example.org/app/s3cr3t"


def _decryption(secret: str) -> dict[str, Any]:
    return {"decryption": {"mode": "aes_128_xts", "secret": secret}}


def _as_go_does(part: Any) -> str:
    return json.dumps(part).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@pytest.mark.matrix
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
def test_a_quoted_request_shows_no_secret(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, fields: dict[str, Any], quote: Callable[[Any], str]
) -> None:
    def echo(_: str) -> None:
        request = vendor.calls[-1][1]["clientRequest"]
        part = request.get("recordingConfig") or request.get("extensionServiceConfig")
        vendor.script["start"] = [Answer(400, {"code": 2, "reason": quote(part)})]

    vendor.before = echo
    with pytest.raises(AgoraRejected) as refusal:
        agora.start(order(**fields), ("recordings", "a" * 32), clock.deadline())
    assert "s3cr3t" not in str(refusal.value)
    assert "***" in str(refusal.value)


@pytest.mark.parametrize(
    "reason",
    [
        "cannot connect to live.example.org/app/s3cr3t",
        "publish refused: stream key s3cr3t is in use",
        "RTMP handshake with rtmp://live.example.org:1935/app/s3cr3t failed",
        "invalid rtmpUrl rtmp://live.example.org/app/s3cr…",
    ],
)
def test_a_part_of_a_stream_shows_no_key(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, reason: str) -> None:
    vendor.script["start"] = [Answer(400, {"code": 2, "reason": reason})]
    with pytest.raises(AgoraRejected) as refusal:
        agora.start(order(**PAGE, rtmp_url=STREAM), ("recordings", "a" * 32), clock.deadline())
    assert "s3cr" not in str(refusal.value)


def test_neither_does_the_answer_to_a_call_without_a_body(
    start: Any, recording_store: RecordingStore, agora: AgoraClient, vendor: FakeAgora, clock: FakeClock
) -> None:
    recording_id = start(wanted(**PAGE, rtmp_url=STREAM)).recording["recording_id"]
    vendor.script["query"] = [Answer(400, {"code": 9, "reason": f"rtmp_publish_service: {STREAM} refused"})]
    described = describe_recording(
        recording_id, {"fresh": "true"}, store=recording_store, agora=lambda: agora, deadline=clock.deadline()
    )
    assert "rtmp://live.example.org refused" in str(described["live"])
    assert "s3cr3t" not in str(described)


@pytest.mark.parametrize(
    "text",
    [
        "push to rtmp://live.example.org/app/s3cr3t-key failed",
        "push to rtmps://a.example.org/live2/s3cr3t failed",
        "push to rtmp://live.example.org/app?key=s3cr3t failed",
        "cannot open https://example.org/board?key=s3cr3t",
        "cannot open https://example.org/board#s3cr3t",
    ],
)
def test_neither_does_a_notification(text: str) -> None:
    details = {"errorCode": 1, "errorMsg": text}
    body = {"noticeId": "1", "productId": 3, "eventType": 1, "payload": {"sid": "a" * 32, "details": details}}
    message = Notification.from_body(body).error["message"]
    assert "s3cr3t" not in message
    assert "example.org" in message


TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30"


@pytest.mark.parametrize(
    ("hide", "text", "hidden"),
    [
        (hide_urls, "see HTTPS://a/webhooks/x?y and http:b", "see (link) and (link)"),
        (hide_urls, 'at "https://a/b", twice', 'at "(link)", twice'),
        (hide_urls_and_tokens, "call https://a/b?c=d now", "call … now"),
        (hide_urls_and_tokens, "Authorization: Bearer abcdefghijkl", "Authorization: …"),
        (hide_urls_and_tokens, f"token {TOKEN} expired", "token … expired"),
        (hide_urls_and_tokens, "basic plan, 31 characters: " + "a" * 31, "basic plan, 31 characters: " + "a" * 31),
        (hide_keys_and_tokens, "key AKIAABCDEFGHIJKL of " + "a" * 32, "key *** of ***"),
        (hide_keys_and_tokens, "region eu-central-1, code 1001", "region eu-central-1, code 1001"),
        (hide_queries_and_stream_keys, r"https:\/\/a\/b?c=d http://a/b#c", r"https:\/\/a\/b?*** http://a/b?***"),
        (hide_queries_and_stream_keys, "http://a/b rtmps://a:1/b/c", "http://a/b rtmps://a:1"),
    ],
)
def test_what_each_function_hides(hide: Callable[[str], str], text: str, hidden: str) -> None:
    assert hide(text) == hidden


def test_the_longest_secret_is_hidden_first() -> None:
    assert hide_secrets("abc4 abc3 a/b", ["abc", "abc3", "", "abc4", "a/b"]) == "*** *** ***"


@pytest.mark.parametrize(
    "text",
    [
        "the customer id or the customer secret is wrong",
        "stream 1 of 12 cannot be published: no such stream",
        "Customer support knows more, code 1001",
    ],
)
def test_a_word_that_happens_to_equal_a_secret_stays(text: str) -> None:
    assert hide_secrets(text, ["customer", "secret", "stream", "1", "100"]) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('{"secret": "swordfish"}', '{"secret": "***"}'),
        (r"{\"secret\": \"swordfish\"}", r"{\"secret\": \"***\"}"),
        ("secret=swordfish, mode=2", "secret=***, mode=2"),
        ("secret: swordfish", "secret: ***"),
        ("the stream key swordfish is in use", "the stream key *** is in use"),
        ("cannot publish to host/app/swordfish", "cannot publish to host/app/***"),
        ("secret 'swordfish' is too short, swordfish swim", "secret '***' is too short, swordfish swim"),
    ],
)
def test_a_word_that_is_quoted_as_a_value_is_hidden(text: str, hidden: str) -> None:
    assert hide_secrets(text, ["swordfish"]) == hidden


def test_the_secrets_of_a_request() -> None:
    request = {"token": "t", "a": [{"secretKey": "k", "b": "plain", "url": "rtmp://host/app/key"}], "n": {"token": 7}}
    found = list(secrets_in(request, ("token", "secretKey")))
    assert found == ["t", "k", "rtmp://host/app/key", "app/key", "key"]


def test_fractions_are_kept_as_agora_reads_them() -> None:
    assert storable({"layout": [{"x": 1 / 3, "y": 0}]}) == {"layout": [{"x": 0.333333, "y": 0}]}
