"""Dials and ledger."""

import socket
from typing import Any

import pytest

from tests.sandbox.conftest import AgoraCustomer, MarsviewCustomer, StandIns

BODY = {"cname": "room_1", "uid": "42", "clientRequest": {}}


def test_health(stand_ins: StandIns) -> None:
    assert stand_ins.client.get("/health").json == {"ok": True}


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ([], "dials"),
        ({"symbol": {}}, "symbol"),
        ({"marsview": 1}, "marsview"),
        ({"marsview": {"job_second": 1}}, "marsview.job_second"),
        ({"marsview": {"job_seconds": "1"}}, "marsview.job_seconds"),
        ({"marsview": {"job_seconds": -1}}, "marsview.job_seconds"),
        ({"marsview": {"job_never_ends": 1}}, "marsview.job_never_ends"),
        ({"marsview": {"model_errors": {"a": 1}}}, "marsview.model_errors"),
        ({"agora": {"media_path": 1}}, "agora.media_path"),
        ({"fail_next": {}}, "fail_next"),
        ({"fail_next": [{"call": "agora.begin"}]}, "agora.start"),
        ({"fail_next": [{"status": 500}]}, "fail_next[0].call"),
        ({"fail_next": [{"call": "agora.start", "status": "500"}]}, "fail_next[0].status"),
        ({"fail_next": [{"call": "agora.start", "when": 1}]}, "fail_next[0].when"),
        ({"fail_next": [{"call": "agora.start", "quotes": "loud"}]}, "fail_next[0].quotes must be one of plain"),
    ],
)
def test_a_wrong_dial_is_named(stand_ins: StandIns, sent: Any, named: str) -> None:
    before = stand_ins.client.get("/dials").json
    reply = stand_ins.client.put("/dials", json=sent)
    assert reply.status_code == 400
    assert reply.json is not None
    assert named in reply.json["error"]
    assert stand_ins.client.get("/dials").json == before


def test_dials_keep_what_is_not_named_and_reset(stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"speed": 2}, fail_next=[{"call": "agora.start"}])
    dials = stand_ins.dials(agora={"joining_seconds": 1.5})
    assert (dials["agora"]["speed"], dials["agora"]["joining_seconds"], len(dials["fail_next"])) == (2, 1.5, 1)
    reset = stand_ins.client.post("/dials/reset").json
    assert reset is not None
    assert (reset["agora"]["speed"], reset["fail_next"]) == (9.0, [])


def test_a_call_fails_as_often_as_asked(stand_ins: StandIns, agora: AgoraCustomer) -> None:
    failure = {
        "call": "agora.acquire",
        "status": 429,
        "body": {"message": "slow down"},
        "headers": {"Retry-After": "2"},
    }
    stand_ins.dials(
        fail_next=[{**failure, "times": 2}, {"call": "agora.acquire", "status": 502, "body": "bad gateway"}]
    )
    replies = [agora.call("POST", "/acquire", json=BODY) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [429, 429, 502, 200]
    assert (replies[0].json, replies[0].headers["Retry-After"]) == ({"message": "slow down"}, "2")
    assert replies[2].text == "bad gateway"
    lines = stand_ins.ledger()["lines"]
    assert [(line["status"], line.get("dial")) for line in lines] == [
        (429, "failed"),
        (429, "failed"),
        (502, "failed"),
        (200, None),
    ]


def test_a_lost_answer_has_done_its_work(stand_ins: StandIns, agora: AgoraCustomer) -> None:
    stand_ins.dials(
        agora={"recording_seconds": 0, "joining_seconds": 0, "idle_speed": 1e6},
        fail_next=[{"call": "agora.start", "status": 500, "body": {"code": 62}, "after": True}],
    )
    resource_id = agora.acquire()
    assert agora.start(resource_id).status_code == 500
    assert agora.start(resource_id).json["code"] == 7
    ledger = stand_ins.ledger()
    assert ledger["paid"] == {"agora.recordings_started": 1}
    assert (ledger["lines"][1]["dial"], len(ledger["lines"][1]["sid"])) == ("answer lost", 32)


class Connection:
    """The socket under the server."""

    closed_how: int | None = None

    def shutdown(self, how: int) -> None:
        self.closed_how = how


def test_a_dropped_connection(stand_ins: StandIns, marsview: MarsviewCustomer) -> None:
    stand_ins.dials(fail_next=[{"call": "marsview.get_txn", "drop_connection": True}])
    connection = Connection()
    marsview.call("GET", "get_txn/t", environ_overrides={"werkzeug.socket": connection})
    assert connection.closed_how == socket.SHUT_RDWR


def test_the_ledger_resets(stand_ins: StandIns, marsview: MarsviewCustomer) -> None:
    assert stand_ins.ledger()["lines"] == [
        {
            "vendor": "marsview",
            "call": "marsview.create_access_token",
            "status": 200,
            "at": "2027-01-15T08:00:00.000Z",
        }
    ]
    assert stand_ins.client.post("/ledger/reset").json == {"lines": [], "paid": {}}
