"""SeaMeet's callback: what it tells, how it is signed, and the dials that disturb it."""

import hashlib
import hmac
from typing import Any

import pytest

from sandbox.stand_ins.vendors.seameet.analysis import payload_of
from sandbox.stand_ins.vendors.seameet.server import CREDENTIALS, SIGNING_KEY
from tests.sandbox.conftest import SAID, StandIns
from tests.sandbox.vendors.test_seameet import MISSING, SCENARIO, Customer

URL = "https://us.test/callbacks/seameet"


@pytest.fixture
def called(shared_stand_ins: StandIns) -> StandIns:
    """The stand-ins with a workspace that is called back."""
    shared_stand_ins.dials(seameet={"callback_url": URL})
    return shared_stand_ins


@pytest.fixture
def seameet(called: StandIns) -> Customer:
    return Customer(called)


def test_it_brings_the_analysis(seameet: Customer, called: StandIns) -> None:
    meeting = seameet.job(seameet.analyzed())["relations"]["meeting_id"]
    (sent,) = called.sent
    assert (sent.method, sent.url, sent.headers["Content-Type"]) == ("POST", URL, "application/json")
    news = sent.json
    payload = news.pop("payload")
    assert news == {
        "event_name": "dashboard_analysis_finished",
        "workspace_id": CREDENTIALS["workspaceId"],
        "meeting_id": meeting,
    }
    assert payload.pop("transcript") == [
        {"text": "How can I help you today?", "speaker": "Jane"},
        {"text": "The table was broken that is terrible.", "speaker": "John"},
        {"text": "I will send you a new table before Friday.", "speaker": "Jane"},
        {"text": "Wonderful I am very happy.", "speaker": "John"},
    ]
    assert payload == {
        "meeting_id": meeting,
        "customer_satisfaction_rating": "C",
        "agent_performance_rating": "B",
        "agent_performance_feedback": "The agent's turns: 2 of 4, questions: 1, promises: 1.",
        "risk_factor": "Dissatisfaction: table, broken, terrible",
        "summary": payload["summary"],
        "title": "Conversation about table",
    }
    assert payload["summary"]


def test_it_is_signed_over_its_bytes(seameet: Customer, called: StandIns) -> None:
    seameet.analyzed()
    (sent,) = called.sent
    signature = hmac.new(SIGNING_KEY.encode(), sent.body, hashlib.sha256).hexdigest()
    assert sent.headers["X-Seasalt-Server-Signature"] == signature


def test_it_names_no_job(seameet: Customer, called: StandIns) -> None:
    job_id = seameet.analyzed()
    assert job_id.encode() not in called.sent[0].body


def test_dial_event_field(seameet: Customer, called: StandIns) -> None:
    called.dials(seameet={"event_field": "event"})
    seameet.analyzed()
    news = called.sent[0].json
    assert news.keys() == {"event", "payload"}
    assert news["payload"]["meeting_id"].startswith("seax_")


@pytest.mark.parametrize(
    ("dials", "calls"),
    [({"callback": "lost"}, 0), ({"callback": "double"}, 2), ({"callback_url": None}, 0), ({}, 1)],
)
def test_dials_of_the_callback(seameet: Customer, called: StandIns, dials: Any, calls: int) -> None:
    called.dials(seameet=dials)
    assert seameet.job(seameet.analyzed())["status"] == "FINISHED"
    assert len(called.sent) == calls
    noted = [line for line in called.ledger()["lines"] if line["call"] == "seameet.callback"]
    assert [line["status"] for line in noted] == [200] * calls


@pytest.mark.parametrize(("dials", "calls"), [({}, 1), ({"callback_tries": 3}, 3)])
def test_a_refused_callback_is_repeated_only_if_a_dial_says_so(
    seameet: Customer, called: StandIns, dials: Any, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    called.dials(seameet=dials)
    monkeypatch.setattr(called.runtime, "send", lambda *_: 429)
    monkeypatch.setattr(called.runtime.jobs, "sleep", lambda seconds: None)
    seameet.analyzed()
    noted = [line["status"] for line in called.ledger()["lines"] if line["call"] == "seameet.callback"]
    assert noted == [429] * calls


def test_dial_early_callback(seameet: Customer, called: StandIns) -> None:
    called.dials(seameet={"callback": "early"})
    reply = seameet.analyze(seameet.uploaded())
    assert len(called.sent) == 1
    assert reply.json["job"]["status"] == "QUEUED"


def test_dial_callback_after_finished(seameet: Customer, called: StandIns) -> None:
    called.dials(seameet={"callback_after_seconds": 60.0, "callback": "early"})
    naps: list[tuple[float, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(called.runtime.jobs, "sleep", lambda seconds: naps.append((seconds, len(called.sent))))
        seameet.analyze(seameet.uploaded())
    assert (60.0, 0) in naps
    assert len(called.sent) == 1


def test_dial_oversize_result(seameet: Customer, called: StandIns) -> None:
    called.dials(seameet={"oversize_result": 9})
    seameet.analyzed()
    assert len(called.sent[0].json["payload"]["transcript"]) == 9


def test_without_the_scenario_nothing_is_rated(seameet: Customer, called: StandIns) -> None:
    seameet.analyzed(scenario=MISSING, scenario_parameters=MISSING, enable_punctuation=False)
    payload = called.sent[0].json["payload"]
    assert [payload[name] for name in ("customer_satisfaction_rating", "agent_performance_rating")] == [None, None]
    assert payload["transcript"][0] == {"text": "how can i help you today", "speaker": "Speaker 1"}


def test_in_an_outbound_call_the_customer_answers_first() -> None:
    parameters = {"scenario_parameters": {**SCENARIO, "enable_agent_recognition": True, "direction": "OUTBOUND"}}
    transcript = payload_of("seax_1", SAID, parameters)["transcript"]
    assert [line["speaker"] for line in transcript] == ["John", "Jane", "John", "Jane"]


@pytest.mark.parametrize(("said", "customer"), [([], None), (SAID[:1], None)])
def test_who_says_nothing_is_not_rated(said: Any, customer: str | None) -> None:
    payload = payload_of("seax_1", said, {"scenario": "customer_service_call"})
    assert payload["customer_satisfaction_rating"] == customer
    assert len(payload["transcript"]) == len(said)


def test_the_ledger_holds_no_link_and_no_secret(seameet: Customer, called: StandIns) -> None:
    meeting = seameet.meeting()
    link = seameet.link(meeting)
    seameet.put(link)
    seameet.analyze(meeting)
    called.finish()
    ledger = called.client.get("/ledger").text
    assert meeting in ledger
    for secret in (link.rpartition("=")[2], CREDENTIALS["apiKey"], SIGNING_KEY, URL):
        assert secret not in ledger
