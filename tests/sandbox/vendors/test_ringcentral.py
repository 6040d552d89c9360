"""RingCentral's stand-in: what it refuses, what it finds, and when it calls back."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.vendors.ringcentral.server import CREDENTIALS

JWT = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": CREDENTIALS["jwt"]}
BASIC = (CREDENTIALS["clientId"], CREDENTIALS["clientSecret"])
HOOK = "https://api.example/hooks/secret?a=1&b=2"
ANALYZE, TRANSCRIBE = "/ai/insights/v1/async/analyze-interaction", "/ai/audio/v1/async/speech-to-text"
LINK = "https://bucket.example/1?X-Amz-Signature=secret"


class Customer:
    """Calls RingCentral with a token of its own; every part can be spoilt."""

    def __init__(self, stand_ins: Any) -> None:
        self.stand_ins = stand_ins
        self.granted = self.token().json
        self.headers = {"Authorization": f"Bearer {self.granted['access_token']}"}

    def open(self, method: str, path: str, **wanted: Any) -> Any:
        return self.stand_ins.client.open(f"/ringcentral{path}", method=method, **wanted)

    def token(self, auth: Any = BASIC, **form: Any) -> Any:
        return self.open("POST", "/restapi/oauth/token", data=form or JWT, auth=auth)

    def submit(self, path: str = ANALYZE, webhook: Any = HOOK, without: str = "", **body: Any) -> Any:
        given = {"contentUri": LINK, "encoding": "Mpeg", "languageCode": "en-US", **body}
        given.pop(without, None)
        query = None if webhook is None else {"webhook": webhook}
        reply = self.open("POST", path, json=given, headers=self.headers, query_string=query)
        self.stand_ins.finish()
        return reply

    def state(self, job_id: str) -> Any:
        return self.open("GET", f"/ai/status/v1/jobs/{job_id}", headers=self.headers)

    def heard(self, path: str = ANALYZE, **body: Any) -> Any:
        """The response of a job that is over."""
        reply = self.submit(path, **body)
        assert reply.status_code == 202, reply.json
        return self.state(reply.json["jobId"]).json["response"]


@pytest.fixture
def customer(stand_ins: Any, media: Path) -> Customer:
    stand_ins.links[LINK] = media
    return Customer(stand_ins)


@pytest.fixture
def refused(shared_stand_ins: Any) -> Customer:
    return Customer(shared_stand_ins)


def code_of(reply: Any) -> tuple[int, str]:
    [error] = reply.json["errors"]
    assert set(error) <= {"errorCode", "message", "parameterName"}
    return reply.status_code, error["errorCode"]


def test_token(refused: Customer) -> None:
    assert {**refused.granted, "access_token": 0, "refresh_token": 0} == {
        "access_token": 0,
        "token_type": "bearer",
        "expires_in": 7199,
        "refresh_token": 0,
        "refresh_token_expires_in": 604799,
        "scope": "AI",
        "owner_id": "256440016",
    }
    refresh = {"grant_type": "refresh_token", "refresh_token": refused.granted["refresh_token"]}
    assert refused.token(**refresh).status_code == 200
    assert code_of(refused.token(**refresh)) == (400, "OAU-210")


@pytest.mark.parametrize(
    ("auth", "form", "code"),
    [
        (None, JWT, (401, "OAU-146")),
        ((BASIC[0], "wrong"), JWT, (401, "OAU-146")),
        (BASIC, {**JWT, "assertion": "wrong"}, (400, "OAU-140")),
        (BASIC, {"grant_type": JWT["grant_type"]}, (400, "OAU-140")),
        (BASIC, {"grant_type": "password"}, (400, "OAU-250")),
        (BASIC, {"assertion": JWT["assertion"]}, (400, "OAU-250")),
    ],
)
def test_refused_logins(refused: Customer, auth: Any, form: Any, code: Any) -> None:
    assert code_of(refused.token(auth, **form)) == code


def test_a_login_in_json_is_refused(refused: Customer) -> None:
    assert code_of(refused.open("POST", "/restapi/oauth/token", json=JWT, auth=BASIC)) == (400, "OAU-250")


@pytest.mark.parametrize(
    ("header", "code"), [(None, "OAU-134"), ("Basic x", "OAU-134"), ("{token}", "OAU-134"), ("Bearer x", "OAU-129")]
)
def test_calls_without_a_token(refused: Customer, header: str | None, code: str) -> None:
    value = header.format(token=refused.granted["access_token"]) if header else None
    refused.headers = {"Authorization": value} if value else {}
    for reply in (refused.submit(), refused.state("1")):
        assert code_of(reply) == (401, code)


def test_a_token_ends_by_time_or_by_revocation(refused: Customer) -> None:
    refused.headers["Authorization"] = refused.headers["Authorization"].replace("Bearer", "bearer")
    assert code_of(refused.state("1")) == (404, "CMN-102")
    refused.stand_ins.now[0] += 7200
    assert code_of(refused.state("1")) == (401, "OAU-128")
    token = {"token": refused.granted["access_token"]}
    assert refused.open("POST", "/restapi/oauth/revoke", data=token, auth=BASIC).status_code == 200
    assert code_of(refused.state("1")) == (401, "OAU-129")


@pytest.mark.parametrize(
    ("path", "spoilt", "parameter"),
    [
        (ANALYZE, {"webhook": None}, "webhook"),
        (ANALYZE, {"webhook": ""}, "webhook"),
        (ANALYZE, {"webhook": "api.example/hooks"}, "webhook"),
        (ANALYZE, {"webhook": "https://api.example/two words"}, "webhook"),
        (TRANSCRIBE, {"webhook": ["https://a.example", "https://b.example"]}, "webhook"),
        (ANALYZE, {"without": "contentUri"}, "contentUri"),
        (ANALYZE, {"contentUri": "s3://bucket/key"}, "contentUri"),
        (ANALYZE, {"without": "encoding"}, "encoding"),
        (ANALYZE, {"encoding": "MP3"}, "encoding"),
        (TRANSCRIBE, {"without": "languageCode"}, "languageCode"),
        (ANALYZE, {"languageCode": "de-DE"}, "languageCode"),
        (ANALYZE, {"audioType": "Chat"}, "audioType"),
        (ANALYZE, {"audioType": ["Meeting"]}, "audioType"),
        (ANALYZE, {"source": 1}, "source"),
        (ANALYZE, {"speakerCount": "2"}, "speakerCount"),
        (ANALYZE, {"speakerCount": 0}, "speakerCount"),
        (ANALYZE, {"speakerCount": True}, "speakerCount"),
        (ANALYZE, {"speakerIds": ["JohnDoe"]}, "speakerIds"),
        (ANALYZE, {"insights": "All"}, "insights"),
        (ANALYZE, {"insights": ["Weather"]}, "insights"),
        (ANALYZE, {"insights": [{}]}, "insights"),
        (ANALYZE, {"speechContexts": ["agora"]}, "speechContexts"),
        (ANALYZE, {"enableVoiceActivityDetection": "true"}, "enableVoiceActivityDetection"),
        (TRANSCRIBE, {"enablePunctuation": 1}, "enablePunctuation"),
        (TRANSCRIBE, {"enableSpeakerDiarization": None}, "enableSpeakerDiarization"),
    ],
)
def test_refused_jobs(refused: Customer, path: str, spoilt: Any, parameter: str) -> None:
    reply = refused.submit(path, **spoilt)
    assert code_of(reply) == (400, "CAI-101")
    assert reply.json["errors"][0]["parameterName"] == parameter
    assert refused.stand_ins.ledger()["paid"] == {}


@pytest.mark.parametrize("sent", [{"data": "{"}, {"json": []}, {"data": "{}"}, {"data": {"contentUri": LINK}}])
def test_bodies_that_are_no_json_objects(refused: Customer, sent: Any) -> None:
    reply = refused.open("POST", ANALYZE, headers=refused.headers, query_string={"webhook": HOOK}, **sent)
    assert code_of(reply) == (400, "CMN-103")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ANALYZE), ("POST", "/ai/status/v1/jobs/1"), ("GET", "/"), ("POST", "/ai/text/v1/async/summarize")],
)
def test_unknown_calls(refused: Customer, method: str, path: str) -> None:
    assert code_of(refused.open(method, path, headers=refused.headers)) == (404, "CMN-120")


def test_a_job_and_its_callback(customer: Customer) -> None:
    accepted = customer.submit(insights=["All"])
    job = customer.state(accepted.json["jobId"]).json
    assert list(job) == ["jobId", "api", "creationTime", "completionTime", "expirationTime", "status", "response"]
    assert (job["api"], job["status"]) == (ANALYZE, "Success")
    assert job["expirationTime"] == "2027-01-22T08:00:00.000Z"
    [sent] = customer.stand_ins.sent
    assert (sent.method, sent.url, sent.json) == ("POST", HOOK, job)
    assert sent.headers["RCRequestId"] == accepted.headers["RCRequestId"]
    assert customer.stand_ins.ledger()["paid"] == {"ringcentral.jobs": 1}
    assert "secret" not in str(customer.stand_ins.ledger())


def test_insights_come_as_they_were_asked_for(customer: Customer) -> None:
    assert customer.heard()["conversationalInsights"] == []
    response = customer.heard(insights=["Pace", "QuestionsAsked", "ExtractiveSummary"], speakerCount=2)
    assert response["utteranceInsights"][0] == {
        "start": 0.99,
        "end": 4.11,
        "text": "How can I help you today?",
        "speakerId": "0",
        "insights": [],
    }
    pace, questions = response["speakerInsights"]["insights"]
    assert [value["speakerId"] for value in pace["values"]] == ["0", "1"]
    assert questions["values"][0]["questions"] == [{"text": "How can I help you today?", "start": 0.99, "end": 4.11}]
    [summary] = response["conversationalInsights"]
    assert "sentence" in summary["values"][0]


def test_speech_to_text_tells_speakers_only_if_asked(customer: Customer) -> None:
    plain = customer.heard(TRANSCRIBE, enablePunctuation=False)
    assert plain["transcript"].startswith("how can i help you today the table")
    assert plain["words"][0] == {"start": 0.99, "end": 1.48, "word": "how"}
    assert "utterances" not in plain
    told = customer.heard(TRANSCRIBE, enableSpeakerDiarization=True)
    assert [line["speakerId"] for line in told["utterances"]] == ["0", "1", "0", "1"]
    assert told["utterances"][1]["wordTimings"][0]["speakerId"] == "1"
    assert told["speakerCount"] == 2


@pytest.mark.parametrize(
    ("found", "dials", "code", "parameter"),
    [
        (DownloadFailed("HTTP 403", 403), {}, "CAI-101", "contentUri"),
        (None, {"link_expired_next": 1}, "CAI-101", "contentUri"),
        (b"nonsense", {}, "CAI-104", None),
        (None, {"job_fails": "out of order"}, "CAI-110", None),
        (None, {"own_fault_next": 1}, "CMN-203", None),
    ],
)
def test_failures(customer: Customer, media: Path, found: Any, dials: Any, code: str, parameter: str | None) -> None:
    customer.stand_ins.dials(ringcentral={**dials, "failure_word": "Failed"})
    if isinstance(found, bytes):
        media.write_bytes(found)
    elif found:
        customer.stand_ins.links[LINK] = found
    job = customer.state(customer.submit().json["jobId"]).json
    [error] = job["response"]["errors"]
    assert (job["status"], error["errorCode"], error.get("parameterName")) == ("Failed", code, parameter)
    assert customer.stand_ins.sent[0].json == job


def test_dials_of_states_and_callbacks(customer: Customer) -> None:
    customer.stand_ins.dials(ringcentral={"unknown_state": "Odd", "callback_names_job": False, "callback": "double"})
    job_id = customer.submit().json["jobId"]
    assert [customer.state(job_id).json["status"] for _ in range(2)] == ["Odd", "Success"]
    assert [list(sent.json) for sent in customer.stand_ins.sent] == [["status", "response"]] * 2
    customer.stand_ins.dials(ringcentral={"job_never_ends": True, "unknown_state": None})
    assert customer.state(customer.submit().json["jobId"]).json["status"] == "InProgress"
    customer.stand_ins.now[0] += 604800
    customer.headers = {"Authorization": f"Bearer {customer.token().json['access_token']}"}
    assert code_of(customer.state(job_id)) == (404, "CMN-102")


def test_the_penalty_begins_anew_with_each_call_in_it(customer: Customer) -> None:
    customer.stand_ins.dials(ringcentral={"penalty_seconds": 60})
    answers = [customer.state("1").status_code for _ in range(11)]
    assert answers == [404] * 10 + [429]
    customer.stand_ins.now[0] += 59
    reply = customer.state("1")
    assert (code_of(reply), reply.headers["Retry-After"]) == ((429, "CMN-301"), "60")
    customer.stand_ins.now[0] += 59
    assert customer.state("1").status_code == 429
    customer.stand_ins.now[0] += 60
    assert customer.state("1").status_code == 404
    assert [customer.token().status_code for _ in range(6)] == [200] * 5 + [429]


def test_a_callback_is_delivered_again_five_times(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customer.stand_ins.runtime.jobs, "sleep", lambda seconds: None)
    monkeypatch.setattr(customer.stand_ins.runtime, "send", lambda *sent: 500)
    customer.submit()
    lines = customer.stand_ins.ledger()["lines"]
    assert [line["status"] for line in lines if line["call"] == "ringcentral.callback"] == [500] * 6
