"""Agora's notifications: what is told when, how it is signed, and that it is told again when nobody listened."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest

from tests.sandbox.agora.individual import FAST, started
from tests.sandbox.agora.test_modes import LABEL
from tests.sandbox.agora.test_modes import started as started_page
from tests.sandbox.conftest import AgoraCustomer, Sent, StandIns, until

URL = "https://api.example/webhooks/agora"
TOLD = {**FAST, "recording_seconds": 20, "notifications_url": URL}


def events(stand_ins: StandIns) -> list[int]:
    return [sent.json["eventType"] for sent in stand_ins.sent]


def details(stand_ins: StandIns, event: int) -> Any:
    [sent] = [sent for sent in stand_ins.sent if sent.json["eventType"] == event]
    return sent.json["payload"]["details"]


def answer_with(stand_ins: StandIns, patch: pytest.MonkeyPatch, *statuses: int) -> None:
    """The webhook answers so, the last of these from then on; the clock goes on with every call."""
    patch.setattr(stand_ins.runtime.jobs, "sleep", lambda seconds: None)
    answers = list(statuses)

    def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        stand_ins.sent.append(Sent(method, url, body, dict(headers)))
        stand_ins.now[0] += 1
        return answers.pop(0) if len(answers) > 1 else answers[0]

    stand_ins.runtime.send = send


def test_a_recording_is_notified_from_start_to_upload(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=TOLD)
    task = started(agora)
    stand_ins.finish()
    assert events(stand_ins) == [40, 4, 41, 11, 31]
    assert {(sent.method, sent.url) for sent in stand_ins.sent} == {("POST", URL)}
    for sequence, sent in enumerate(stand_ins.sent):
        assert sent.json.keys() == {"noticeId", "productId", "eventType", "notifyMs", "payload"}
        assert (sent.json["productId"], sent.json["notifyMs"]) == (3, 1_800_000_000_000)
        payload = sent.json["payload"]
        assert payload.keys() == {"cname", "uid", "sid", "sequence", "sendts", "serviceType", "details"}
        assert (payload["cname"], payload["uid"], payload["sid"]) == ("room_1", "42", task.sid)
        assert payload["sequence"] == sequence
    assert [sent.json["payload"]["serviceType"] for sent in stand_ins.sent] == [1, 0, 1, 0, 2]
    assert len({sent.json["noticeId"] for sent in stand_ins.sent}) == 5
    stem = f"recordings/0123abcd/{task.sid}_room_1__uid_s_{{}}__uid_e_audio.m3u8"
    assert details(stand_ins, 40) == {"msgName": "recorder_started", "status": 0}
    assert details(stand_ins, 4) == {"msgName": "cloud_recording_file_infos", "fileList": stem.format(1001)}
    assert details(stand_ins, 41) == {"msgName": "recorder_leave", "leaveCode": 4}
    assert details(stand_ins, 11) == {"msgName": "session_exit", "exitStatus": 0}
    uploaded = details(stand_ins, 31)
    assert (uploaded["msgName"], uploaded["status"]) == ("uploaded", 0)
    assert [file["fileName"] for file in uploaded["fileList"]] == [stem.format(uid) for uid in (1001, 1002)]
    lines = [line for line in stand_ins.ledger()["lines"] if line["call"] == "agora.notification"]
    assert [(line["event"], line["status"], line["sid"]) for line in lines] == [
        (event, 200, task.sid) for event in (40, 4, 41, 11, 31)
    ]


def test_both_signatures_are_over_the_bytes_sent(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**TOLD, "notification_secret": "s3cr3t"})
    agora.started()
    stand_ins.finish()
    for sent in stand_ins.sent:
        signatures = {name: hmac.new(b"s3cr3t", sent.body, name).hexdigest() for name in ("sha1", "sha256")}
        assert sent.headers["Agora-Signature"] == signatures["sha1"]
        assert sent.headers["Agora-Signature-V2"] == signatures["sha256"]
    assert "s3cr3t" not in stand_ins.client.get("/ledger").text
    assert hashlib.sha1(stand_ins.sent[0].body).hexdigest() != stand_ins.sent[0].headers["Agora-Signature"]  # noqa: S324


def test_the_consoles_check_sends_each_kind_of_event_once_and_signed(
    stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = stand_ins.client.post("/agora/console/check")
    assert (refused.status_code, stand_ins.sent) == (400, [])
    stand_ins.dials(agora={"notifications_url": URL, "notification_secret": "s3cr3t"})
    passed: Any = stand_ins.client.post("/agora/console/check").json
    kinds = [1, 4, 11, 12, 31, 32, 40, 41, 45, 70, 71]
    assert passed == {"passed": True, "statuses": {str(event): 200 for event in kinds}}
    assert events(stand_ins) == kinds
    for sent in stand_ins.sent:
        assert sent.headers["Agora-Signature-V2"] == hmac.new(b"s3cr3t", sent.body, "sha256").hexdigest()
        assert sent.json.keys() == {"noticeId", "productId", "eventType", "notifyMs", "payload"}

    answer_with(stand_ins, monkeypatch, 200, 401, 200)
    failed: Any = stand_ins.client.post("/agora/console/check").json
    assert (failed["passed"], failed["statuses"]["4"]) == (False, 401)
    assert len(stand_ins.sent) == 2 * len(kinds), "a test event is not repeated"
    assert [line["status"] for line in stand_ins.ledger()["lines"][len(kinds) :]] == [200, 401] + [200] * 9


def test_without_a_url_no_event_is_sent(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.runtime.webhooks = "https://api.example/webhooks"
    stand_ins.dials(agora={**TOLD, "notifications_url": ""})
    agora.started()
    stand_ins.finish()
    assert stand_ins.sent == []


@pytest.mark.parametrize(("answers", "times"), [((500, 200), 2), ((201, 0, 200), 3), ((404,), 3)])
def test_what_was_not_answered_with_200_is_told_again(
    agora: AgoraCustomer,
    stand_ins: StandIns,
    answers: tuple[int, ...],
    times: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_ins.dials(agora={**TOLD, "recording_seconds": 0, "never_starts": True, "joining_seconds": 0})
    answer_with(stand_ins, monkeypatch, *answers)
    agora.started()
    stand_ins.finish()
    tries = [sent for sent in stand_ins.sent if sent.json["eventType"] == 41]
    assert len(tries) == times
    assert len({sent.json["noticeId"] for sent in tries}) == 1
    assert len({sent.json["notifyMs"] for sent in tries}) == times
    assert len({str(sent.json["payload"]) for sent in tries}) == 1
    noted = [line["status"] for line in stand_ins.ledger()["lines"] if line.get("event") == 41]
    assert noted == (list(answers) * 3)[:times]


def test_every_event_can_be_sent_twice(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**TOLD, "notify_twice": True})
    agora.started()
    stand_ins.finish()
    assert events(stand_ins) == [40, 40, 4, 4, 41, 41, 11, 11, 31, 31]
    assert len({sent.json["noticeId"] for sent in stand_ins.sent}) == 5


def test_late_files_are_notified_as_backed_up(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**TOLD, "late_slices": 1})
    agora.started()
    stand_ins.finish()
    assert events(stand_ins) == [40, 4, 41, 11, 32]
    files = [file["fileName"].partition("_room_1")[2] for file in details(stand_ins, 32)["fileList"]]
    assert files == [".m3u8", "_0.mp4"]


def test_a_stopped_recorder_left_on_a_signal(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**TOLD, "idle_speed": 1.0})
    task = agora.started()
    until(lambda: events(stand_ins) == [40, 4])
    task.stop()
    stand_ins.finish()
    assert details(stand_ins, 41)["leaveCode"] == 2


def test_a_fail_over_is_notified_with_the_new_uid(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**TOLD, "fail_over_at_seconds": 16.0, "fail_over_gap_seconds": 1})
    agora.started()
    stand_ins.finish()
    assert events(stand_ins) == [40, 4, 12, 4, 41, 11, 31]
    new_uid = details(stand_ins, 12)["newUid"]
    assert isinstance(new_uid, int)
    assert 0 < new_uid < 1 << 32
    assert [sent.json["payload"]["uid"] for sent in stand_ins.sent] == ["42"] * 2 + [str(new_uid)] * 5
    assert all("/bak0_" in file["fileName"] for file in details(stand_ins, 31)["fileList"])


def test_an_abnormal_exit_is_notified(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**TOLD, "exit_at_seconds": 16.0, "leaves_at_query": 1})
    task = agora.started()
    until(lambda: events(stand_ins) == [40, 4, 11])
    assert task.query().json["serverResponse"]["status"] == 20
    stand_ins.finish()
    assert events(stand_ins) == [40, 4, 11]
    assert details(stand_ins, 11)["exitStatus"] == 1


def test_a_recorder_that_never_starts_leaves_without_a_reason(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**TOLD, "never_starts": True})
    agora.started()
    stand_ins.finish()
    assert events(stand_ins) == [41, 11]
    assert (details(stand_ins, 41)["leaveCode"], details(stand_ins, 11)["exitStatus"]) == (0, 1)


def test_a_refused_upload_is_notified_as_error_47(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.bucket.refuses = "AccessDenied"
    stand_ins.dials(agora={**TOLD, "recording_seconds": 10})
    started(agora, subscribeAudioUids=["1001"])
    stand_ins.finish()
    assert events(stand_ins) == [40, 1, 1, 1, 41, 11, 32]
    errors = [sent.json["payload"]["details"] for sent in stand_ins.sent if sent.json["eventType"] == 1]
    assert errors[0] == {
        "msgName": "cloud_recording_error",
        "module": 1,
        "errorLevel": 4,
        "errorCode": 47,
        "stat": 1,
        "errorMsg": "AccessDenied",
    }


def test_a_page_notifies_its_files_when_it_stops(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**TOLD, "idle_speed": 1.0})
    task = started_page(agora)
    until(lambda: task.page()["fileList"])
    task.ask("stop")
    stand_ins.finish()
    assert events(stand_ins) == [70, 4, 71, 11, 31]
    name = f"recordings/0123abcd/{task.sid}_{LABEL}"
    stopped = details(stand_ins, 71)
    assert (stopped["code"], stopped["message"]) == (0, "ok")
    assert [file["filename"] for file in stopped["fileList"]] == [f"{name}.m3u8", f"{name}_0.mp4"]
    assert details(stand_ins, 31) == {"msgName": "uploaded", "status": 0}
