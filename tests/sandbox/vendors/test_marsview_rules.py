"""Wrong requests to Marsview get Marsview's own errors."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.stand_ins.credentials import credentials
from tests.sandbox.conftest import MarsviewCustomer, StandIns

LOGIN = credentials()["marsview"]


@pytest.fixture
def stand_ins(shared_stand_ins: StandIns) -> StandIns:
    return shared_stand_ins


@pytest.mark.parametrize(
    ("spoilt", "status"),
    [
        ({"apiKey": "other"}, 401),
        ({"apiSecret": "other"}, 401),
        ({"userId": "other"}, 401),
        ({"apiKey": ""}, 400),
        ({"apiKey": 7}, 400),
        ({"userId": None}, 400),
    ],
)
def test_login_refuses(stand_ins: StandIns, spoilt: dict[str, Any], status: int) -> None:
    reply = stand_ins.client.post("/marsview/cb/v1/auth/create_access_token", json={**LOGIN, **spoilt})
    assert reply.status_code == status
    assert reply.json is not None
    assert reply.json["status"] is False
    assert (reply.json["error"] == "NJSCFE001") == (status == 401)


def test_login_gives_a_bearer_token(stand_ins: StandIns) -> None:
    reply = stand_ins.client.post("/marsview/cb/v1/auth/create_access_token", json=LOGIN).json
    assert reply is not None
    assert reply["data"].keys() == {"accessToken", "expiresIn", "tokenType"}
    assert (reply["status"], reply["data"]["expiresIn"], reply["data"]["tokenType"]) == (True, 3600, "Bearer")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "compute"), ("POST", "get_request_status"), ("POST", "get_txn/t")]
)
def test_wrong_route_is_404(marsview: MarsviewCustomer, method: str, path: str) -> None:
    assert marsview.call(method, path, json={}).status_code == 404


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "bare"])
def test_a_bad_token_is_403(marsview: MarsviewCustomer, header: str | None) -> None:
    bare = marsview.headers["authorization"].removeprefix("Bearer ")
    sent = {"bare": {"authorization": bare}, None: {}}.get(header, {"authorization": header or ""})
    reply = marsview.call("GET", "get_txn/t", headers=sent)
    assert (reply.status_code, reply.json["status"]) == (403, False)
    assert reply.json["error"]["name"] == "JsonWebTokenError"


def test_a_token_expires(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    txn_id = marsview.link(media)
    stand_ins.now[0] += 3600
    assert marsview.call("GET", f"get_txn/{txn_id}").status_code == 403
    stand_ins.dials(marsview={"token_seconds": 5})
    marsview.headers = {"authorization": f"Bearer {marsview.token()}"}
    assert marsview.call("GET", f"get_txn/{txn_id}").status_code == 200
    stand_ins.now[0] += 5
    assert marsview.call("GET", f"get_txn/{txn_id}").json["error"]["message"] == "jwt expired"


@pytest.mark.parametrize(
    "spoilt", [{"title": None}, {"description": 1}, {"link": ""}, {"link": "s3://bucket/key"}, {"link": 5}]
)
def test_save_file_link_refuses(marsview: MarsviewCustomer, spoilt: dict[str, Any]) -> None:
    body = {"title": "t", "description": "d", "link": "https://x.example/a", **spoilt}
    reply = marsview.call("POST", "save_file_link", json=body)
    assert (reply.status_code, reply.json["status"]) == (400, False)


STT = {"modelType": "speech_to_text"}


@pytest.mark.parametrize(
    ("spoilt", "status"),
    [
        ({"txnId": "txn-unknown"}, 404),
        ({"txnId": None}, 400),
        ({"userId": "other@example.com"}, 400),
        ({"enableModels": []}, 400),
        ({"enableModels": {"modelType": "speech_to_text"}}, 400),
        ({"enableModels": ["speech_to_text"]}, 400),
        ({"enableModels": [{"modelType": "diarization"}]}, 400),
        ({"enableModels": [STT, STT]}, 400),
        ({"enableModels": [{**STT, "modelConfig": []}]}, 400),
        ({"enableModels": [{**STT, "modelConfig": {"automatic_punctuation": "true"}}]}, 400),
        ({"enableModels": [{**STT, "modelConfig": {"custom_vocabulary": "word"}}]}, 400),
        ({"enableModels": [{**STT, "modelConfig": {"speaker_seperation": {"num_speakers": 0}}}]}, 400),
        ({"enableModels": [{**STT, "modelConfig": {"speaker_seperation": 2}}]}, 400),
        ({"enableModels": [STT], "custom_vocabulary": [1]}, 400),
    ],
)
def test_compute_refuses(
    marsview: MarsviewCustomer, stand_ins: StandIns, media: Path, spoilt: dict[str, Any], status: int
) -> None:
    reply = marsview.call("POST", "compute", json={"txnId": marsview.link(media), "enableModels": [STT], **spoilt})
    assert (reply.status_code, reply.json["status"]) == (status, False)
    assert stand_ins.ledger()["paid"] == {}


def test_models_depend_on_speech_to_text(marsview: MarsviewCustomer, media: Path) -> None:
    body = {"txnId": marsview.link(media), "enableModels": [{"modelType": "sentiment_analysis"}]}
    reply = marsview.call("POST", "compute", json=body)
    assert (reply.status_code, reply.json["error"]["code"]) == (400, "MCST07")
