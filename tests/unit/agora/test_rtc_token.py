"""Tokens against a published one and against a decoder that is not ours to please: the sandbox's."""

import json
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from recording_insights.agora.fields.uids import LARGEST_UID
from recording_insights.agora.rtc_token import LONGEST_SECONDS, build_rtc_token, recorder_token
from sandbox.stand_ins.agora.token import RtcToken
from tests.unit.recordings.wanted import order

PUBLISHED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "agora_token_007.json").read_text())
APP_ID = "970CA35de60c44645bbae8a215061b33"
CERTIFICATE = "5CFd2fd1755d40ecb72977518be15d3b"
EVERY_CHARACTER = "abcxyzABCXYZ0189 !#$%&()+-:;<=.>?@[]^_{}|~,"
NOW = 1_800_000_000


def build(**changed: Any) -> str:
    values = {"app_id": APP_ID, "app_certificate": CERTIFICATE, "channel": "team", "uid": "7"}
    return build_rtc_token(**{**values, "issued_at": NOW, "seconds": 3600, "salt": 5, **changed})


def test_the_published_token() -> None:
    ours = build(
        app_id=PUBLISHED["app_id"],
        app_certificate=PUBLISHED["app_certificate"],
        channel=PUBLISHED["channel"],
        uid=str(PUBLISHED["uid"]),
        issued_at=PUBLISHED["issue_ts"],
        seconds=PUBLISHED["expire"],
        salt=PUBLISHED["salt"],
    )
    assert ours[:3] == PUBLISHED["token"][:3] == "007"
    # Not all builds of zlib pack alike, and any of them will do.
    assert zlib.decompress(b64decode(ours[3:])) == zlib.decompress(b64decode(PUBLISHED["token"][3:]))


def test_the_decoder_reads_the_published_token() -> None:
    token = RtcToken.decode(PUBLISHED["token"])
    assert token.signed_with(PUBLISHED["app_certificate"])
    assert not token.signed_with(PUBLISHED["app_certificate"].lower())
    assert (token.app_id, token.channel, token.uid) == (
        PUBLISHED["app_id"],
        PUBLISHED["channel"],
        str(PUBLISHED["uid"]),
    )
    assert (token.issued_at, token.expire, token.salt) == (1111111, 600, 1)
    assert token.privileges == {1: 600}


@pytest.mark.parametrize(
    ("field", "given", "read"),
    [
        ("app_id", "0123456789abcdef0123456789ABCDEF", {}),
        ("channel", EVERY_CHARACTER, {}),
        ("channel", "x" * 63, {}),
        ("channel", "é", {}),
        ("uid", "1", {}),
        ("uid", str(LARGEST_UID), {}),
        ("issued_at", 0, {}),
        ("issued_at", 2**32 - 1, {}),
        ("salt", 0, {}),
        ("salt", 2**32 - 1, {}),
        ("seconds", 1, {"expire": 1, "privileges": {1: 1}}),
        ("seconds", LONGEST_SECONDS + 1, {"expire": 86_400, "privileges": {1: 86_400}}),
    ],
)
def test_each_field_there_and_back(field: str, given: Any, read: dict[str, Any]) -> None:
    token = RtcToken.decode(build(**{field: given}))
    assert token.signed_with(CERTIFICATE)
    expected = {
        "app_id": APP_ID,
        "channel": "team",
        "uid": "7",
        "issued_at": NOW,
        "salt": 5,
        "expire": 3600,
        "privileges": {1: 3600},
        **(read or {field: given}),
    }
    assert {name: getattr(token, name) for name in expected} == expected


@pytest.mark.parametrize("spoilt", ["", "a" * 33, "g" * 32, f"{'a' * 31}\n", f"{'a' * 32}\n", "٧" * 32, None])
def test_a_malformed_key_is_named_and_not_shown(spoilt: Any) -> None:
    for field, key in (("app_id", "appId"), ("app_certificate", "appCertificate")):
        with pytest.raises(ValueError, match="must be 32 hexadecimal digits") as refusal:
            build(**{field: spoilt})
        assert str(refusal.value) == f"{key} must be 32 hexadecimal digits"


def test_a_recorders_token_is_for_its_uid_and_channel_and_unlike_any_other() -> None:
    request = order(EVERY_CHARACTER, uid=LARGEST_UID, max_hours=2)
    credentials = {"appId": APP_ID, "appCertificate": CERTIFICATE}
    texts = {str(recorder_token(request, credentials, NOW)) for _ in range(20)}
    assert len(texts) == 20
    token = RtcToken.decode(texts.pop())
    assert (token.channel, token.uid) == (EVERY_CHARACTER, str(LARGEST_UID))
    assert (token.issued_at, token.expire, token.privileges) == (NOW, 7200, {1: 7200})


def test_without_a_certificate_there_is_no_token() -> None:
    assert recorder_token(order(), {"appId": "whatever"}, NOW) is None
