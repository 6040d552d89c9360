"""The doorkeeper of protected channels lets in what is documented, and nothing else."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from recording_insights.agora import rtc_token
from recording_insights.agora.rtc_token import build_rtc_token
from sandbox.stand_ins.agora.credentials import AGORA_APP_CERTIFICATE, AGORA_APP_ID
from sandbox.stand_ins.agora.token import NotAToken, RtcToken
from tests.sandbox.conftest import AgoraCustomer, StandIns

BRIEF = {"recording_seconds": 0, "joining_seconds": 0, "idle_speed": 1e6}
ANOTHER = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def stand_ins(shared_stand_ins: StandIns) -> Iterator[StandIns]:
    shared_stand_ins.dials(agora={**BRIEF, "app_certificate": AGORA_APP_CERTIFICATE})
    yield shared_stand_ins
    shared_stand_ins.finish()


@pytest.fixture
def token(stand_ins: StandIns) -> Callable[..., str]:
    """Makes a token for the customer's task, good for an hour from now; every part can be another."""

    def build(**changed: Any) -> str:
        values = {
            "app_id": AGORA_APP_ID,
            "app_certificate": AGORA_APP_CERTIFICATE,
            "channel": "room_1",
            "uid": "42",
            "issued_at": int(stand_ins.now[0]),
            "seconds": 3600,
            "salt": 7,
        }
        return build_rtc_token(**{**values, **changed})

    return build


def repacked(token: str, change: Callable[[bytes], bytes]) -> str:
    content = zlib.decompress(base64.b64decode(token[3:]))
    return "007" + base64.b64encode(zlib.compress(change(content))).decode()


def test_a_fitting_token_is_let_in(agora: AgoraCustomer, stand_ins: StandIns, token: Callable[..., str]) -> None:
    agora.started(token=token())
    assert token() not in json.dumps(stand_ins.ledger())


def test_a_token_for_any_uid_is_let_in(agora: AgoraCustomer, token: Callable[..., str]) -> None:
    agora.started(token=token(uid=""))


def test_without_the_dial_nobody_looks(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"app_certificate": None})
    agora.started()
    stand_ins.finish()
    agora.started(token="whatever")


@pytest.mark.parametrize("parts", [{}, {"token": ""}])
def test_a_start_without_a_token_is_code_110(agora: AgoraCustomer, parts: dict[str, str]) -> None:
    reply = agora.start(agora.acquire(), **parts)
    assert (reply.status_code, reply.json["code"]) == (400, 110)
    assert (reply.json["cname"], reply.json["uid"]) == ("room_1", "42")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"app_certificate": ANOTHER}, "signature"),
        ({"app_certificate": AGORA_APP_CERTIFICATE.upper()}, "signature"),
        ({"app_id": ANOTHER}, "App ID"),
        ({"channel": "room_2"}, "channel"),
        ({"channel": "ROOM_1"}, "channel"),
        ({"uid": "43"}, "uid"),
        ({"uid": "042"}, "uid"),
    ],
)
def test_a_token_that_does_not_fit_is_code_110(
    agora: AgoraCustomer, token: Callable[..., str], changed: dict[str, str], reason: str
) -> None:
    reply = agora.start(agora.acquire(), token=token(**changed))
    assert (reply.status_code, reply.json["code"]) == (400, 110)
    assert reason in reply.json["reason"]
    assert AGORA_APP_CERTIFICATE not in reply.text


@pytest.mark.parametrize(
    ("late", "seconds", "code"),
    [(0, 1, None), (59, 60, None), (60, 60, 109), (86_399, 90_000, None), (86_400, 90_000, 109), (0, 0, 109)],
)
def test_an_expired_token_is_code_109(
    agora: AgoraCustomer,
    stand_ins: StandIns,
    token: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    late: int,
    seconds: int,
    code: int | None,
) -> None:
    monkeypatch.setattr(rtc_token, "LONGEST_SECONDS", 1_000_000)  # whatever it promises, 24 hours are the end
    late_token = token(seconds=seconds)
    stand_ins.now[0] += late
    reply = agora.start(agora.acquire(), token=late_token)
    assert reply.json.get("code") == code


def test_a_refused_start_leaves_its_resource_to_the_next(
    agora: AgoraCustomer, stand_ins: StandIns, token: Callable[..., str]
) -> None:
    resource_id = agora.acquire()
    assert agora.start(resource_id, token=token(uid="43")).json["code"] == 110
    assert agora.start(resource_id, token=token()).status_code == 200
    assert stand_ins.ledger()["paid"] == {"agora.recordings_started": 1}


def test_a_token_that_may_not_join_is_code_110(
    agora: AgoraCustomer, token: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtc_token, "_JOIN", 2)
    reply = agora.start(agora.acquire(), token=token())
    assert (reply.status_code, reply.json["code"]) == (400, 110)
    assert "privilege" in reply.json["reason"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "006" + token[3:],
        lambda token: token[3:],
        lambda token: "007",
        lambda token: token + "=",
        lambda token: token[:-4],
        lambda token: token[:20] + "\n" + token[20:],
        lambda token: token.replace("e", "é", 1),
        lambda token: "007" + base64.b64encode(b"not packed").decode(),
        lambda token: "007" + base64.b64encode(base64.b64decode(token[3:]) + b"x").decode(),
        lambda token: repacked(token, lambda content: content + b"\0"),
        lambda token: repacked(token, lambda content: content[:-1]),
        lambda token: repacked(token, lambda content: content[:40]),
        lambda token: repacked(token, lambda content: b""),
        lambda token: repacked(token, lambda content: content.replace(b"room_1", b"room_\xff")),
        lambda token: repacked(token, lambda content: content + bytes(100_000)),
        # Another service, or two of them: right behind the App ID, three numbers of 32 bits and the count.
        lambda token: repacked(token, lambda content: content[:80] + b"\2\0" + content[82:]),
        lambda token: repacked(token, lambda content: content[:82] + b"\2\0" + content[84:]),
    ],
)
def test_what_is_no_token_is_code_110(
    agora: AgoraCustomer, token: Callable[..., str], spoil: Callable[[str], str]
) -> None:
    spoilt = spoil(token())
    with pytest.raises(NotAToken):
        RtcToken.decode(spoilt)
    reply = agora.start(agora.acquire(), token=spoilt)
    assert (reply.status_code, reply.json["code"]) == (400, 110)


def test_every_changed_byte_breaks_the_token(token: Callable[..., str]) -> None:
    good = token()
    content = zlib.decompress(base64.b64decode(good[3:]))
    for place in range(len(content)):

        def flip(content: bytes, place: int = place) -> bytes:
            return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

        try:
            assert not RtcToken.decode(repacked(good, flip)).signed_with(AGORA_APP_CERTIFICATE), place
        except NotAToken:
            continue
