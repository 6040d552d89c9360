"""Starts in the channels of a project with an App Certificate: who makes the token, of what, and who never sees it."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.rtc_token import LONGEST_SECONDS
from recording_insights.errors import AgoraOutcomeUnknown, AgoraRejected, SecretUnusable
from recording_insights.http.problems import problem_of
from recording_insights.recordings.start import start_recording
from recording_insights.settings import (
    AgoraSettings,
    CheckRecordingSettings,
    StartRecordingSettings,
    StopRecordingSettings,
    UpdateRecordingSettings,
)
from recording_insights.store.recordings import RecordingStore
from sandbox.stand_ins.agora.token import RtcToken
from tests.unit.agora.fake_agora import SECRET, Answer, FakeAgora, Lost
from tests.unit.environment import ENVIRONMENT
from tests.unit.fakes import FakeClock, FakeSecret
from tests.unit.recordings.wanted import order, wanted
from wiring import agora_client

PREFIX = ("recordings", "0" * 32)
ROW = {"channel": "team", "uid": "7", "mode": "mix", "resource_id": "r", "sid": "s"}
CERTIFICATE = "5CFd2fd1755d40ecb72977518be15d3b"
NEW_CERTIFICATE = "c0ffee00c0ffee00c0ffee00c0ffee00"
PROTECTED = {**SECRET, "appId": "970CA35de60c44645bbae8a215061b33", "appCertificate": CERTIFICATE}
REFUSED = Answer(400, {"code": 110, "reason": "invalid token"})


@pytest.fixture
def secret() -> FakeSecret:
    return FakeSecret(PROTECTED)


@pytest.fixture
def agora(agora: AgoraClient, secret: FakeSecret, clock: FakeClock) -> AgoraClient:
    def now() -> float:
        return clock.now().timestamp()

    calls = replace(agora.calls, credentials=secret, secret_name="recording-insights/dev/agora")
    return replace(agora, calls=calls, now=now, certificate_secret="recording-insights/dev/agora-certificate")


def texts(vendor: FakeAgora) -> list[str | None]:
    """The token of every start, in order."""
    return [body["clientRequest"].get("token") for call, body in vendor.calls if call == "start"]


def tokens(vendor: FakeAgora) -> list[RtcToken]:
    return [RtcToken.decode(text or "") for text in texts(vendor)]


def test_a_start_without_a_token_gets_one(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    agora.start(order("a b", uid=7, max_hours=3), PREFIX, clock.deadline())
    (token,) = tokens(vendor)
    assert token.signed_with(CERTIFICATE)
    assert (token.app_id, token.channel, token.uid) == (PROTECTED["appId"], "a b", "7")
    assert (token.issued_at, token.expire, token.privileges) == (clock.now().timestamp(), 10_800, {1: 10_800})
    assert "token" not in str(vendor.calls[0])


def test_without_a_certificate_there_is_none(
    agora: AgoraClient, vendor: FakeAgora, secret: FakeSecret, clock: FakeClock
) -> None:
    secret.cached = SECRET
    agora.start(order(), PREFIX, clock.deadline())
    assert texts(vendor) == [None]


def test_the_callers_token_goes_before_ours(
    agora: AgoraClient, vendor: FakeAgora, secret: FakeSecret, clock: FakeClock
) -> None:
    agora.start(order("a", token="007eJx"), PREFIX, clock.deadline())
    secret.cached = {**PROTECTED, "appCertificate": "no certificate"}
    agora.start(order("b", token="007eJx"), PREFIX, clock.deadline())
    assert texts(vendor) == ["007eJx", "007eJx"]


@pytest.mark.parametrize(
    "answers",
    [[Lost(takes_effect=False)] * 2, [Answer(500, {"code": 502})] * 2, [Answer(206, {"code": 65})] * 2],
)
def test_every_try_has_a_token_of_its_own(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, answers: list[Any]
) -> None:
    began = clock.now().timestamp()
    vendor.script["start"] = list(answers)
    agora.start(order(), PREFIX, clock.deadline())
    assert [token.issued_at - began for token in tokens(vendor)] == [0, 3, 9]
    assert len(set(texts(vendor))) == 3


@pytest.mark.parametrize(("max_hours", "seconds"), [(1, 3600), (24, LONGEST_SECONDS), (48, LONGEST_SECONDS)])
def test_a_token_is_good_for_24_hours_at_most_whatever_a_request_may_ask(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, max_hours: int, seconds: int
) -> None:
    agora.start(replace(order(), max_hours=max_hours), PREFIX, clock.deadline())
    assert [(token.expire, token.privileges) for token in tokens(vendor)] == [(seconds, {1: seconds})]
    assert LONGEST_SECONDS == 24 * 60 * 60


@pytest.mark.parametrize("refusal", [REFUSED, Answer(400, {"code": 109}), Answer(401, {"message": "Unauthorized"})])
def test_a_rotated_certificate_is_found_by_a_fresh_read(
    agora: AgoraClient, vendor: FakeAgora, secret: FakeSecret, clock: FakeClock, refusal: Answer
) -> None:
    secret.stored = {**PROTECTED, "appCertificate": NEW_CERTIFICATE}
    vendor.script["start"] = [refusal]
    assert agora.start(order(), PREFIX, clock.deadline()).sid
    assert [token.signed_with(NEW_CERTIFICATE) for token in tokens(vendor)] == [False, True]
    assert (secret.reads.count(True), clock.naps) == (1, [])


def test_a_certificate_that_was_just_added_is_found(
    agora: AgoraClient, vendor: FakeAgora, secret: FakeSecret, clock: FakeClock
) -> None:
    secret.cached, secret.stored = {**SECRET, "appId": PROTECTED["appId"]}, PROTECTED
    vendor.script["start"] = [REFUSED]
    assert agora.start(order(), PREFIX, clock.deadline()).sid
    assert [bool(text) for text in texts(vendor)] == [False, True]


def test_a_token_that_is_refused_under_the_newest_certificate_is_not_repeated(
    agora: AgoraClient, vendor: FakeAgora, secret: FakeSecret, clock: FakeClock
) -> None:
    vendor.script["start"] = [REFUSED]
    with pytest.raises(AgoraRejected, match="the token is wrong") as rejected:
        agora.start(order(), PREFIX, clock.deadline())
    assert rejected.value.code == 110
    assert (len(texts(vendor)), secret.reads.count(True), clock.naps) == (1, 1, [])
    secret.stored = {**PROTECTED, "appCertificate": NEW_CERTIFICATE}
    vendor.script["start"] = [REFUSED] * 2
    with pytest.raises(AgoraRejected):
        agora.start(order(), PREFIX, clock.deadline())
    assert len(texts(vendor)) == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("appCertificate", "not-hexadecimal"),
        ("appCertificate", ""),
        ("appCertificate", None),
        ("appCertificate", 5),
        ("appCertificate", f"{CERTIFICATE} "),
        ("appId", "app0"),
    ],
)
def test_an_unusable_certificate_is_named_on_the_row_and_keeps_no_channel(
    agora: AgoraClient, secret: FakeSecret, store: RecordingStore, clock: FakeClock, table: Any, key: str, value: Any
) -> None:
    secret.cached = {**PROTECTED, key: value}
    name = "agora-certificate" if key == "appCertificate" else "agora"
    expected = f"secret recording-insights/dev/{name}: {key} must be 32 hexadecimal digits"
    with pytest.raises(SecretUnusable) as refusal:
        start_recording(wanted(), store=store, agora=agora, deadline=clock.deadline())
    assert problem_of(refusal.value).detail == expected
    (row,) = table.scan()["Items"]
    assert (row["status"], row["reason"]) == ("failed", expected)


class Secrets:
    """Secrets Manager; `reads` are the names of the secrets that were read."""

    def __init__(self, patch: pytest.MonkeyPatch, stored: Mapping[str, Mapping[str, str]]) -> None:
        self.stored = {f"recording-insights/dev/{name}": secret for name, secret in stored.items()}
        self.reads: list[str] = []
        patch.setattr("recording_insights.aws.secrets._from_secrets_manager", self)

    def __call__(self, name: str, *, fresh: bool = False) -> str:
        self.reads.append(name.rpartition("/")[2])
        return json.dumps(self.stored[name])


FORMER = {**SECRET, "appCertificate": CERTIFICATE, "notificationSecret": "another"}
OWN = {"appCertificate": NEW_CERTIFICATE}


@pytest.mark.parametrize(
    ("stored", "read_old_secrets", "certificate"),
    [
        ({"agora": SECRET, "agora-certificate": OWN}, "false", NEW_CERTIFICATE),
        ({"agora": SECRET}, "false", None),
        ({"agora": SECRET}, "true", None),
        ({"agora": FORMER}, "true", CERTIFICATE),
        ({"agora": FORMER}, "false", None),
        ({"agora": FORMER, "agora-certificate": OWN}, "true", NEW_CERTIFICATE),
    ],
)
def test_a_start_reads_the_certificate_in_its_own_secret_and_where_it_was_if_it_may(
    monkeypatch: pytest.MonkeyPatch,
    stored: Mapping[str, Mapping[str, str]],
    read_old_secrets: str,
    certificate: str | None,
) -> None:
    for name, value in {**ENVIRONMENT, "READ_OLD_SECRETS": read_old_secrets}.items():
        monkeypatch.setenv(name, value)
    Secrets(monkeypatch, stored)
    client = agora_client(StartRecordingSettings.from_env(), aws_region="eu-central-1")
    for fresh in (False, True):
        found = client.calls.credentials(fresh)
        assert found == {**SECRET, **({"appCertificate": certificate} if certificate else {})}
    assert client.calls.secret_name == "recording-insights/dev/agora"
    assert client.certificate_secret == "recording-insights/dev/agora-certificate"


def test_a_certificate_that_cannot_be_used_is_no_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ENVIRONMENT, "READ_OLD_SECRETS": "true"}.items():
        monkeypatch.setenv(name, value)
    Secrets(monkeypatch, {"agora": FORMER, "agora-certificate": {"appCertificate": ""}})
    client = agora_client(StartRecordingSettings.from_env(), aws_region="eu-central-1")
    with pytest.raises(SecretUnusable, match=r"agora-certificate: it lacks the key appCertificate$"):
        client.calls.credentials(False)


@pytest.mark.parametrize("settings", [UpdateRecordingSettings, StopRecordingSettings, CheckRecordingSettings])
def test_nobody_else_gets_the_certificate(monkeypatch: pytest.MonkeyPatch, settings: type[AgoraSettings]) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    secrets = Secrets(monkeypatch, {"agora": FORMER, "agora-certificate": OWN})
    assert agora_client(settings.from_env(), aws_region="eu-central-1").calls.credentials(False) == SECRET
    assert secrets.reads == ["agora"]


def test_an_unusable_certificate_after_an_unsure_start_leaves_the_outcome_unknown(
    agora: AgoraClient, vendor: FakeAgora, secret: FakeSecret, clock: FakeClock
) -> None:
    def spoil(call: str) -> None:
        if vendor.names().count("start") == 3:
            secret.cached = {**PROTECTED, "appCertificate": ""}

    vendor.before = spoil
    vendor.script["start"] = [Answer(206, {"code": 65})] * 3
    with pytest.raises(AgoraOutcomeUnknown, match="appCertificate"):
        agora.start(order(), PREFIX, clock.deadline())


def test_an_unusable_certificate_is_no_hindrance_to_a_stop(
    agora: AgoraClient, vendor: FakeAgora, secret: FakeSecret, clock: FakeClock
) -> None:
    secret.cached = {**PROTECTED, "appCertificate": ""}
    vendor.recorders["s"] = {"uid": "7"}
    assert not agora.stop(ROW, clock.deadline()).empty
    assert vendor.recorders == {}


def test_neither_token_nor_certificate_leaves(
    agora: AgoraClient,
    vendor: FakeAgora,
    secret: FakeSecret,
    store: RecordingStore,
    clock: FakeClock,
    table: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    secret.cached = {**PROTECTED, "note": 7}
    echo: dict[str, Any] = {"code": 110}

    def repeat_it(call: str) -> None:
        if call == "start":
            echo["reason"] = f"bad token {texts(vendor)[-1]} of {CERTIFICATE}"

    vendor.before = repeat_it
    vendor.script["start"] = [Answer(400, echo)]
    with pytest.raises(AgoraRejected) as refusal:
        start_recording(wanted(), store=store, agora=agora, deadline=clock.deadline())
    assert problem_of(refusal.value).detail.endswith("bad token *** of ***")
    start_recording(wanted(), store=store, agora=agora, deadline=clock.deadline())
    seen = f"{table.scan()['Items']} {problem_of(refusal.value)} {refusal.value!r} {caplog.text}"
    for hidden in (CERTIFICATE, *texts(vendor)):
        assert hidden
        assert hidden not in seen
    assert "007eJ" not in seen
