"""Each rule of the table of Agora's answers, and what the client does about it."""

from typing import Any

import pytest
import requests

from recording_insights.agora.answers import MEANINGS, RULES, Rule, Verdict, judge
from recording_insights.agora.calls import LARGEST_ANSWER, AgoraCalls
from recording_insights.agora.client import AgoraClient
from recording_insights.agora.hosts import HostRotation
from recording_insights.agora.recorder import LiveState, Recorder, Stopped
from recording_insights.agora.storage import REGIONS, region_number
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.errors import (
    AgoraChannelBusy,
    AgoraOutcomeUnknown,
    AgoraRefusedCredentials,
    AgoraRejected,
    AgoraUnavailable,
    SecretUnusable,
    SettingsInvalid,
)
from tests.unit.agora.fake_agora import HOST, SECRET, Answer, FakeAgora, Lost
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import order, wanted

PREFIX = ("recordings", "0" * 32)
ROW = {"channel": "team", "uid": "7", "mode": "mix", "resource_id": "r", "sid": "s"}


def code(status: int, number: int) -> Answer:
    return Answer(status, {"code": number, "reason": "Agora gives a reason", "cname": "team"})


def gateway(status: int, message: str) -> Answer:
    return Answer(status, {"message": message})


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("acquire", code(500, 500)),
        ("acquire", code(500, 501)),
        ("acquire", code(500, 504)),
        ("acquire", gateway(429, "API rate limit exceeded")),
        ("acquire", gateway(502, "bad gateway")),
        ("acquire", gateway(504, "gateway timeout")),
        ("acquire", Answer(500, "<html>oops</html>")),
        ("acquire", Answer(200, "not json")),
        ("acquire", Answer(200, "[" * 200_000)),
        ("acquire", Answer(200, "{}" + " " * LARGEST_ANSWER)),
        ("acquire", Answer(200, [])),
        ("acquire", Lost(takes_effect=False, error=requests.ConnectionError)),
        ("start", code(206, 65)),
        ("start", code(500, 62)),
        ("start", gateway(429, "API rate limit exceeded")),
        ("start", gateway(500, "oops")),
        ("start", Lost(takes_effect=False)),
    ],
)
def test_repeats_the_same_call(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, call: str, answer: Any) -> None:
    vendor.script[call] = [answer, answer]
    recorder = agora.start(order(), PREFIX, clock.deadline())
    assert recorder.sid in vendor.recorders
    assert clock.naps == [3, 6]
    assert len(vendor.resources) == 1


@pytest.mark.parametrize(
    "answers",
    [
        [code(206, 65)] * 3,
        [code(500, 62)] * 3,
        [code(500, 502)],
        [code(400, 433)],
        [code(400, 1001)],
    ],
)
def test_acquires_anew(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, answers: list[Answer]) -> None:
    vendor.script["start"] = list(answers)
    recorder = agora.start(order(), PREFIX, clock.deadline())
    assert recorder == Recorder("resource-1==", f"{2:032x}")
    assert vendor.names()[-2:] == ["acquire", "start"]


@pytest.mark.parametrize(
    ("call", "answer", "meaning"),
    [
        ("acquire", code(400, 2), "a parameter is wrong: Agora gives a reason"),
        ("acquire", code(400, 400), "App ID"),
        ("acquire", code(400, 401), "channel name"),
        ("acquire", code(400, 405), "overdue"),
        ("acquire", code(400, 406), "peak"),
        ("acquire", code(400, 62), "not enabled"),
        ("acquire", gateway(400, "appid is invalid"), "appid is invalid"),
        ("acquire", gateway(403, "Forbidden"), "not enabled"),
        ("acquire", gateway(404, "no Route matched with those values"), "no Route matched"),
        ("acquire", code(206, 99), "Agora gives a reason"),
        ("start", code(400, 8), "malformed"),
        ("start", code(400, 109), "token has expired"),
        ("start", code(400, 110), "token is wrong"),
        ("start", code(400, 432), "do not fit"),
        ("start", code(400, 1003), "App ID or sid"),
        ("start", code(400, 1013), "channel name"),
        ("start", Answer(301, {}), "HTTP 301"),
    ],
)
def test_gives_up_at_once_with_the_reason(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, call: str, answer: Answer, meaning: str
) -> None:
    vendor.script[call] = [answer]
    with pytest.raises(AgoraRejected, match=meaning) as refusal:
        agora.start(order(), PREFIX, clock.deadline())
    assert refusal.value.code == answer.body.get("code")
    assert clock.naps == []
    assert not vendor.recorders


def test_a_recorder_of_the_uid_in_the_channel_is_no_start(agora: AgoraClient, clock: FakeClock) -> None:
    agora.start(order(), PREFIX, clock.deadline())
    with pytest.raises(AgoraChannelBusy):
        agora.start(order(), PREFIX, clock.deadline())


@pytest.mark.parametrize("lost", [Lost(takes_effect=True), Answer(206, {"code": 65}, True), Answer(200, "", True)])
def test_a_lost_answer_to_start_makes_no_second_recorder(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, lost: Any
) -> None:
    vendor.script["start"] = [lost]
    assert agora.start(order(), PREFIX, clock.deadline()) == Recorder("resource-0==", None)
    assert len(vendor.recorders) == 1


def test_a_recorder_begun_by_an_answer_that_was_lost_is_ours_under_a_new_resource_too(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock
) -> None:
    vendor.script["start"] = [Lost(takes_effect=True), code(500, 502)]
    assert agora.start(order(), PREFIX, clock.deadline()) == Recorder("resource-0==", None)
    assert len(vendor.recorders) == 1


def test_an_answer_without_sid_names_no_recorder(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    vendor.script["start"] = [Answer(200, {"resourceId": "r"}, takes_effect=True)]
    assert agora.start(order(), PREFIX, clock.deadline()).sid is None


def test_says_when_the_outcome_of_a_start_is_unknown(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    vendor.script["start"] = [Lost(takes_effect=False)] * 9
    with pytest.raises(AgoraOutcomeUnknown, match="ReadTimeout"):
        agora.start(order(), PREFIX, clock.deadline())
    assert clock.naps == [3, 6]


def test_a_failing_acquire_after_an_unsure_start_leaves_the_outcome_unknown(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock
) -> None:
    vendor.script["start"] = [code(206, 65)] * 3
    vendor.before = lambda call: vendor.script.update(acquire=[gateway(403, "")]) if call == "start" else None
    with pytest.raises(AgoraOutcomeUnknown, match="not enabled"):
        agora.start(order(), PREFIX, clock.deadline())


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (code(400, 2), "a parameter is wrong"),
        (code(400, 432), "do not fit"),
        (gateway(403, "Forbidden"), "not enabled"),
        (gateway(404, "no Route matched"), "no Route matched"),
        (gateway(401, "Unauthorized"), "refused the credentials"),
    ],
)
@pytest.mark.parametrize("announced", [False, True])
def test_a_refusal_after_a_lost_answer_leaves_the_outcome_unknown(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, refusal: Answer, reason: str, announced: bool
) -> None:
    """The first attempt started a recorder, and its answer was lost."""
    vendor.script["start"] = [Lost(takes_effect=True), refusal, refusal]
    with pytest.raises(AgoraOutcomeUnknown, match=f"{reason}.*an earlier request may have started a recorder"):
        agora.start(order(announce_start=announced), PREFIX, clock.deadline())
    assert len(vendor.recorders) == 1


@pytest.mark.parametrize("fresh", [SecretUnusable("agora", "it lacks the key appId"), OSError("s3cr3t")])
@pytest.mark.parametrize("first", [Lost(takes_effect=True), code(206, 65)])
def test_credentials_that_cannot_be_read_again_after_a_lost_answer_leave_the_outcome_unknown(
    vendor: Any, uploader: Uploader, clock: FakeClock, fresh: Exception, first: Any
) -> None:
    def credentials(past_the_cache: bool) -> dict[str, str]:
        if past_the_cache:
            raise fresh
        return SECRET

    client = AgoraClient(AgoraCalls(credentials, HostRotation([HOST]), vendor), uploader)
    vendor.script["start"] = [first, gateway(401, "Unauthorized")]
    with pytest.raises(AgoraOutcomeUnknown, match="lacks the key" if isinstance(fresh, SecretUnusable) else "OSError"):
        client.start(order(), PREFIX, clock.deadline())


def test_whatever_breaks_before_a_second_resource_leaves_the_outcome_of_the_first_unknown(
    vendor: Any, uploader: Uploader, clock: FakeClock
) -> None:
    def credentials(_: bool) -> dict[str, str]:
        if vendor.names().count("start") == 3:
            raise OSError("s3cr3t")
        return SECRET

    client = AgoraClient(AgoraCalls(credentials, HostRotation([HOST]), vendor, jitter=lambda: 0.0), uploader)
    vendor.script["start"] = [code(500, 62)] * 3
    with pytest.raises(AgoraOutcomeUnknown, match=r"^OSError; an earlier"):
        client.start(order(), PREFIX, clock.deadline())


@pytest.mark.parametrize(("call", "error"), [("acquire", OSError), ("start", AgoraOutcomeUnknown)])
def test_an_attempt_at_a_start_that_breaks_off_may_have_taken_effect(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, call: str, error: type[Exception]
) -> None:
    vendor.script[call] = [Lost(takes_effect=True, error=OSError)]
    with pytest.raises(error):
        agora.start(order(), PREFIX, clock.deadline())


def test_gives_up_when_every_new_resource_fails(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    vendor.script["start"] = [code(500, 502)] * 3
    with pytest.raises(AgoraUnavailable, match="no worker") as failure:
        agora.start(order(), PREFIX, clock.deadline())
    assert not isinstance(failure.value, AgoraOutcomeUnknown)
    assert len(vendor.resources) == 3


def test_keeps_to_the_deadline(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    vendor.script["acquire"] = [gateway(429, "")] * 9
    with pytest.raises(AgoraUnavailable, match="too many requests"):
        agora.start(order(), PREFIX, clock.deadline(6))
    assert clock.naps == [3]
    assert max(answer for _, answer in vendor.timeouts) <= 6


def test_begins_no_call_without_time(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    with pytest.raises(AgoraUnavailable, match="no time"):
        agora.query(ROW, clock.deadline(0.5))
    assert vendor.calls == []


def test_acquire_without_a_resource_is_no_answer(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    vendor.script["acquire"] = [Answer(200, {"cname": "team"})]
    with pytest.raises(AgoraUnavailable, match="resourceId"):
        agora.start(order(), PREFIX, clock.deadline())


def test_refused_credentials_are_read_again_once(vendor: Any, uploader: Uploader, clock: FakeClock) -> None:
    reads: list[bool] = []

    def credentials(fresh: bool) -> dict[str, str]:
        reads.append(fresh)
        return SECRET

    client = AgoraClient(AgoraCalls(credentials, HostRotation([HOST]), vendor), uploader)
    vendor.script["acquire"] = [gateway(401, "Unauthorized")]
    assert client.start(order(), PREFIX, clock.deadline()).sid
    assert reads.count(True) == 1
    vendor.script["acquire"] = [gateway(401, "Invalid authentication credentials")] * 2
    with pytest.raises(AgoraRefusedCredentials, match="refused the credentials"):
        client.start(order(), PREFIX, clock.deadline())
    assert vendor.script["acquire"] == []


def test_the_bodies_of_acquire_and_start(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    request = wanted("a b", uid=7, token="007eJx", audio_only=True, max_hours=3, max_idle_seconds=60)
    agora.start(request.order, PREFIX, clock.deadline())
    assert vendor.calls == [
        (
            "acquire",
            {"cname": "a b", "uid": "7", "clientRequest": {"scene": 0, "resourceExpiredHour": 3}},
        ),
        (
            "start",
            {
                "cname": "a b",
                "uid": "7",
                "clientRequest": {
                    "token": "007eJx",
                    "recordingConfig": {"channelType": 0, "streamTypes": 0, "maxIdleTime": 60, "audioProfile": 0},
                    "recordingFileConfig": {"avFileType": ["hls", "mp4"]},
                    "storageConfig": {
                        "vendor": 1,
                        "region": 0,
                        "bucket": "recordings-bucket",
                        "accessKey": "ASIAEXAMPLE0",
                        "secretKey": "s3cr3t-upload-0",
                        "stsToken": "s3cr3t-session-0",
                        "stsExpiration": int(clock.now().timestamp()) + 36 * 3600,
                        "fileNamePrefix": ["recordings", "0" * 32],
                    },
                },
            },
        ),
    ]


def test_no_secret_leaves_in_a_reason(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    echo = "bad request: s3cr3t-upload-0 ASIAEXAMPLE0 s3cr3t-session-0 007eJx s3cr3t-customer"
    vendor.script["start"] = [Answer(400, {"code": 2, "reason": echo})]
    with pytest.raises(AgoraRejected) as refusal:
        agora.start(order(token="007eJx"), PREFIX, clock.deadline())
    assert str(refusal.value).endswith("bad request: *** *** *** *** ***")


@pytest.mark.parametrize(
    ("answers", "naps", "state"),
    [
        ([code(206, 65), code(504, 62)], [3, 6], LiveState(5, ("s_c.m3u8",))),
        ([code(404, 404)], [5], LiveState(5, ("s_c.m3u8",))),
        ([code(404, 404)] * 3, [5, 10], LiveState(None)),
        ([code(404, 501)], [], LiveState(None)),
    ],
)
def test_a_patient_query(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, answers: list[Any], naps: list[float], state: LiveState
) -> None:
    vendor.recorders["s"] = {"uid": "7"}
    vendor.script["query"] = list(answers)
    assert agora.query(ROW, clock.deadline(), patient=True) == state
    assert clock.naps == naps


def test_an_impatient_query_is_not_repeated(agora: AgoraClient, vendor: FakeAgora, clock: FakeClock) -> None:
    assert agora.query(ROW, clock.deadline()) == LiveState(None)
    vendor.script["query"] = [code(206, 65)]
    with pytest.raises(AgoraUnavailable):
        agora.query(ROW, clock.deadline())
    assert clock.naps == []


@pytest.mark.parametrize(
    ("response", "files"),
    [
        ({"status": 5, "fileList": "s_c.m3u8"}, ("s_c.m3u8",)),
        ({"status": 5, "fileList": ""}, ()),
        ({"status": 5, "fileList": [{"fileName": "a.m3u8"}, {"trackType": "audio"}]}, ("a.m3u8",)),
        ({"status": 5, "fileList": None}, ()),
        ({"status": 5, "fileList": 3}, ()),
    ],
)
def test_file_lists_come_in_several_shapes(response: Any, files: tuple[str, ...]) -> None:
    assert LiveState.from_reply({"serverResponse": response}).files == files


def test_live_states_in_words() -> None:
    assert LiveState(4).meaning == "all components ready"
    assert LiveState(99).meaning == "unknown status 99"
    assert LiveState.from_reply({"serverResponse": []}).status is None
    assert LiveState.from_reply({}).over


EMPTY = Stopped(empty=True, reason="Agora: nothing was recorded, so there is no file: Agora gives a reason")
LOST = Stopped(lost=True, reason="Agora finds no such recording task: Agora gives a reason")
LEFT = Stopped(left=True, reason="the recording task has ended: Agora gives a reason")


@pytest.mark.parametrize(
    ("answers", "naps", "outcome"),
    [
        ([], [], Stopped()),
        ([code(206, 65), code(504, 62)], [3, 6], Stopped()),
        ([code(504, 62), code(400, 49)], [3], Stopped()),
        ([code(400, 49)], [], LEFT),
        ([code(404, 404)], [], LOST),
        ([code(504, 62), code(404, 404)], [3], LOST),
        ([code(400, 50)], [], Stopped()),
        ([code(500, 501)], [], LEFT),
        ([code(200, 49)], [], LEFT),
        ([code(404, 49)], [], LEFT),
        ([code(206, 435)], [], EMPTY),
        ([code(404, 435)], [], EMPTY),
    ],
)
def test_a_stop(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, answers: list[Any], naps: list[float], outcome: Stopped
) -> None:
    vendor.recorders["s"] = {"uid": "7"}
    vendor.script["stop"] = list(answers)
    assert agora.stop(ROW, clock.deadline()) == outcome
    assert clock.naps == naps


@pytest.mark.parametrize("status", [200, 201, 206, 400, 401, 403, 404, 429, 500, 504])
def test_the_code_decides_whatever_the_http_status(status: int) -> None:
    for (call, number), rule in RULES.items():
        if number != status:
            assert judge(call, status, {"code": number}) is rule
    for number, meaning in MEANINGS.items():
        assert judge("update", status, {"code": number}) == Rule(Verdict.REJECTED, meaning)


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_gateway_may_repeat_its_status_as_a_code(status: int) -> None:
    assert judge("acquire", status, {"code": status}) is judge("acquire", status, {})


@pytest.mark.parametrize("status", [200, 204, 206])
def test_a_success_has_no_code_or_0(status: int) -> None:
    assert judge("start", status, {"code": 0}) == judge("start", status, {}) == Rule(Verdict.DONE)


@pytest.mark.parametrize(
    ("status", "error"), [(500, AgoraUnavailable), (400, AgoraRejected), (404, AgoraRejected), (206, AgoraRejected)]
)
def test_an_unknown_code_is_told(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, status: int, error: type[Exception]
) -> None:
    vendor.script["start"] = [Answer(status, {"code": 15, "sid": ""})] * 3
    with pytest.raises(error, match=f"HTTP {status}, code 15"):
        agora.start(order(), PREFIX, clock.deadline())


@pytest.mark.parametrize(("status", "number"), [(400, 7), (200, 7), (500, 7)])
def test_a_start_that_took_effect_is_known_by_its_code(
    agora: AgoraClient, vendor: FakeAgora, clock: FakeClock, status: int, number: int
) -> None:
    vendor.script["start"] = [code(status, number)]
    assert agora.start(order(), PREFIX, clock.deadline()) == Recorder("resource-0==", None)


def test_regions() -> None:
    assert region_number("us-east-1") == 0
    assert len(REGIONS) == len(set(REGIONS.values())) == 24
    with pytest.raises(SettingsInvalid, match=r"il-central-1; it can in af-south-1, .*us-west-2"):
        region_number("il-central-1")
