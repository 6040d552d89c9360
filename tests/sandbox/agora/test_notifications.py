"""Agora's notifications: what is told when, how it is signed, and that it is told again when nobody listened."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.sandbox.agora.individual import FAST, started
from tests.sandbox.agora.test_modes import LABEL
from tests.sandbox.agora.test_modes import started as started_page
from tests.sandbox.conftest import AgoraCustomer, Outside, Sent

URL = "https://api.example/webhooks/agora"
TOLD = {**FAST, "recording_seconds": 20, "notifications_url": URL}


def done(outside: Outside) -> None:
    """Waits for the recording, and then for what it had told."""
    for _ in range(3):
        outside.world.jobs.join()


def events(outside: Outside) -> list[int]:
    return [sent.json["eventType"] for sent in outside.sent]


def details(outside: Outside, event: int) -> Any:
    [sent] = [sent for sent in outside.sent if sent.json["eventType"] == event]
    return sent.json["payload"]["details"]


def answer_with(outside: Outside, *statuses: int) -> None:
    """The webhook answers so, the last of these from then on; the clock goes on with every call."""
    answers = list(statuses)

    def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        outside.sent.append(Sent(method, url, body, dict(headers)))
        outside.now[0] += 1
        return answers.pop(0) if len(answers) > 1 else answers[0]

    outside.world.send = send


def test_a_recording_is_told_from_start_to_upload(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora=TOLD)
    task = started(agora)
    done(outside)
    assert events(outside) == [40, 4, 41, 11, 31]
    assert {(sent.method, sent.url) for sent in outside.sent} == {("POST", URL)}
    for sequence, sent in enumerate(outside.sent):
        assert sent.json.keys() == {"noticeId", "productId", "eventType", "notifyMs", "payload"}
        assert (sent.json["productId"], sent.json["notifyMs"]) == (3, 1_800_000_000_000)
        payload = sent.json["payload"]
        assert payload.keys() == {"cname", "uid", "sid", "sequence", "sendts", "serviceType", "details"}
        assert (payload["cname"], payload["uid"], payload["sid"]) == ("room_1", "42", task.sid)
        assert payload["sequence"] == sequence
    assert [sent.json["payload"]["serviceType"] for sent in outside.sent] == [1, 0, 1, 0, 2]
    assert len({sent.json["noticeId"] for sent in outside.sent}) == 5
    stem = f"recordings/0123abcd/{task.sid}_room-1__uid_s_{{}}__uid_e_audio.m3u8"
    assert details(outside, 40) == {"msgName": "recorder_started", "status": 0}
    assert details(outside, 4) == {"msgName": "cloud_recording_file_infos", "fileList": stem.format(1001)}
    assert details(outside, 41) == {"msgName": "recorder_leave", "leaveCode": 4}
    assert details(outside, 11) == {"msgName": "session_exit", "exitStatus": 0}
    uploaded = details(outside, 31)
    assert (uploaded["msgName"], uploaded["status"]) == ("uploaded", 0)
    assert [file["fileName"] for file in uploaded["fileList"]] == [stem.format(uid) for uid in (1001, 1002)]
    lines = [line for line in outside.ledger()["lines"] if line["call"] == "agora.notification"]
    assert [(line["event"], line["status"], line["sid"]) for line in lines] == [
        (event, 200, task.sid) for event in (40, 4, 41, 11, 31)
    ]


def test_both_signatures_are_over_the_bytes_sent(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora={**TOLD, "notification_secret": "s3cr3t"})
    agora.started()
    done(outside)
    for sent in outside.sent:
        signatures = {name: hmac.new(b"s3cr3t", sent.body, name).hexdigest() for name in ("sha1", "sha256")}
        assert sent.headers["Agora-Signature"] == signatures["sha1"]
        assert sent.headers["Agora-Signature-V2"] == signatures["sha256"]
    assert "s3cr3t" not in outside.client.get("/ledger").text
    assert hashlib.sha1(outside.sent[0].body).hexdigest() != outside.sent[0].headers["Agora-Signature"]  # noqa: S324


def test_without_a_url_nothing_is_told(agora: AgoraCustomer, outside: Outside) -> None:
    outside.world.webhooks = "https://api.example/webhooks"
    outside.dials(agora={**TOLD, "notifications_url": ""})
    agora.started()
    done(outside)
    assert outside.sent == []


@pytest.mark.parametrize(("answers", "times"), [((500, 200), 2), ((201, 0, 200), 3), ((404,), 3)])
def test_what_was_not_answered_with_200_is_told_again(
    agora: AgoraCustomer, outside: Outside, answers: tuple[int, ...], times: int
) -> None:
    outside.dials(agora={**TOLD, "recording_seconds": 0, "never_starts": True, "joining_seconds": 0})
    answer_with(outside, *answers)
    agora.started()
    done(outside)
    tries = [sent for sent in outside.sent if sent.json["eventType"] == 41]
    assert len(tries) == times
    assert len({sent.json["noticeId"] for sent in tries}) == 1
    assert len({sent.json["notifyMs"] for sent in tries}) == times
    assert len({str(sent.json["payload"]) for sent in tries}) == 1
    noted = [line["status"] for line in outside.ledger()["lines"] if line.get("event") == 41]
    assert noted == (list(answers) * 3)[:times]


def test_everything_can_be_told_twice(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora={**TOLD, "notify_twice": True})
    agora.started()
    done(outside)
    assert events(outside) == [40, 40, 4, 4, 41, 41, 11, 11, 31, 31]
    assert len({sent.json["noticeId"] for sent in outside.sent}) == 5


def test_what_comes_later_is_told_as_backed_up(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora={**TOLD, "late_slices": 1})
    agora.started()
    done(outside)
    assert events(outside) == [40, 4, 41, 11, 32]
    files = [file["fileName"].partition("_room-1")[2] for file in details(outside, 32)["fileList"]]
    assert files == [".m3u8", "_0.mp4"]


def test_a_stopped_recorder_left_on_a_signal(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora={**TOLD, "idle_speed": 1.0})
    task = agora.started()
    while not outside.sent or events(outside)[-1] != 4:
        time.sleep(0.01)
    task.stop()
    done(outside)
    assert details(outside, 41)["leaveCode"] == 2


def test_a_fail_over_is_told_with_the_new_uid(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora={**TOLD, "speed": 100.0, "fail_over_at_seconds": 16.0, "fail_over_gap_seconds": 0.01})
    agora.started()
    done(outside)
    assert events(outside) == [40, 4, 12, 4, 41, 11, 31]
    new_uid = details(outside, 12)["newUid"]
    assert isinstance(new_uid, int)
    assert 0 < new_uid < 1 << 32
    assert [sent.json["payload"]["uid"] for sent in outside.sent] == ["42"] * 2 + [str(new_uid)] * 5
    assert all("/bak0_" in file["fileName"] for file in details(outside, 31)["fileList"])


def test_an_abnormal_exit_is_told_as_such(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora={**TOLD, "exit_at_seconds": 16.0})
    agora.started()
    done(outside)
    assert events(outside) == [40, 4, 11]
    assert details(outside, 11)["exitStatus"] == 1


def test_a_recorder_that_never_starts_leaves_without_a_reason(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora={**TOLD, "never_starts": True})
    agora.started()
    done(outside)
    assert events(outside) == [41, 11]
    assert (details(outside, 41)["leaveCode"], details(outside, 11)["exitStatus"]) == (0, 1)


def test_a_refused_upload_is_told_as_error_47(agora: AgoraCustomer, outside: Outside) -> None:
    outside.bucket.refuses = "AccessDenied"
    outside.dials(agora={**TOLD, "recording_seconds": 10})
    started(agora, subscribeAudioUids=["1001"])
    done(outside)
    assert events(outside) == [40, 1, 1, 1, 41, 11, 32]
    errors = [sent.json["payload"]["details"] for sent in outside.sent if sent.json["eventType"] == 1]
    assert errors[0] == {
        "msgName": "cloud_recording_error",
        "module": 1,
        "errorLevel": 4,
        "errorCode": 47,
        "stat": 1,
        "errorMsg": "AccessDenied",
    }


def test_a_page_tells_its_files_when_it_stops(agora: AgoraCustomer, outside: Outside) -> None:
    outside.dials(agora={**TOLD, "idle_speed": 1.0})
    task = started_page(agora)
    while not task.page()["fileList"]:
        time.sleep(0.01)
    task.ask("stop")
    done(outside)
    assert events(outside) == [70, 4, 71, 11, 31]
    name = f"recordings/0123abcd/{task.sid}_{LABEL}"
    stopped = details(outside, 71)
    assert (stopped["code"], stopped["message"]) == (0, "ok")
    assert [file["filename"] for file in stopped["fileList"]] == [f"{name}.m3u8", f"{name}_0.mp4"]
    assert details(outside, 31) == {"msgName": "uploaded", "status": 0}
