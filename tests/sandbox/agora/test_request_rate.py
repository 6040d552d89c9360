"""The number of requests that Agora accepts from an app id within a second."""

from typing import Any

import pytest

from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.agora.request_rate import RequestRate
from sandbox.stand_ins.runtime.calls import Refusal
from tests.sandbox.conftest import AgoraCustomer, StandIns

LIMIT = AgoraDials().requests_per_second
BODY = {"cname": "room_1", "uid": "42", "clientRequest": {}}


def acquire(agora: AgoraCustomer, **wanted: Any) -> int:
    return int(agora.call("POST", "/acquire", json=BODY, **wanted).status_code)


def test_the_eleventh_request_of_a_second_gets_the_gateways_429(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"requests_per_second": LIMIT})
    assert [acquire(agora) for _ in range(10)] == [200] * 10
    refused = agora.call("POST", "/acquire", json=BODY)
    assert (refused.status_code, refused.json) == (429, {"message": "API rate limit exceeded"})
    assert [line["status"] for line in stand_ins.ledger()["lines"]] == [200] * 10 + [429]
    stand_ins.now[0] += 1
    assert acquire(agora) == 200


def test_all_calls_of_the_app_count_together_but_not_foreign_ones(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={"requests_per_second": 3, "recording_seconds": 0, "joining_seconds": 0})
    assert [acquire(agora, auth=("somebody", "else")) for _ in range(5)] == [401] * 5
    task = agora.started()
    assert task.query().status_code == 200
    assert task.query().status_code == 429
    assert task.stop().status_code == 429
    stand_ins.now[0] += 1
    assert task.stop().status_code == 206


@pytest.mark.parametrize(("most", "accepted"), [(0, 5), (1, 1), (4, 4)])
def test_a_second_slides_and_belongs_to_one_app(most: int, accepted: int) -> None:
    now = [0.0]
    rate = RequestRate(lambda: now[0])

    def admitted(app_id: str) -> bool:
        try:
            rate.admit(app_id, most)
        except Refusal:
            return False
        return True

    assert sum(admitted("a") for _ in range(5)) == accepted
    now[0] = 0.99
    assert admitted("a") == (most == 0)
    assert admitted("b")
    now[0] = 1.0
    assert admitted("a")
