"""The RingCentral adapter: states of a job, its result, and its callbacks."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from recording_insights.errors import (
    CallbackForged,
    InvalidRequest,
    JobNotFound,
    MediaLinkExpired,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from recording_insights.providers.adapters.ringcentral.calls import RingCentral
from recording_insights.providers.port import Callback, CallbackRequest, CallsBack
from recording_insights.providers.toolkit.http import VendorHttp
from tests.unit.fakes import FakeVendorSession, response

JOB = {"job_id": "80800e1a/../?"}
STATE = "GET /ai/status/v1/jobs/80800e1a%2F..%2F%3F"
LOGIN = "POST /restapi/oauth/token"
LINK_INVALID = {
    "errorCode": "CAI-101",
    "message": "Parameter [contentUri] is invalid. It should be a valid uri",
    "parameterName": "contentUri",
}
SECRET = {"clientId": "id", "clientSecret": "secret", "jwt": "jwt"}
TOKEN = "0badcafe" * 8
RESULT = {"utteranceInsights": [{"start": 0.5, "end": 1, "text": "Hi.", "speakerId": "0"}]}


def ringcentral(*states: requests.Response) -> RingCentral:
    """The adapter after its login, with these responses for the state of JOB."""
    script = {LOGIN: [response({"access_token": "t", "expires_in": 7199})], STATE: list(states)}
    return RingCentral(VendorHttp("RingCentral", "https://rc.test", FakeVendorSession(script)), lambda fresh: SECRET)


def called_back(body: Any, path_token: str = TOKEN, headers: Mapping[str, str] | None = None) -> Callback | None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ringcentral().read_callback(CallbackRequest(raw, headers or {}, path_token, secrets=[[TOKEN]]))


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("InProgress", "running"),
        ("Queued", "running"),
        ("Successful?", "running"),
        (7, "running"),
        ("Success", "succeeded"),
        ("COMPLETED", "succeeded"),
        ("Fail", "failed"),
        ("Failed", "failed"),
    ],
)
def test_states(word: Any, phase: str) -> None:
    state = ringcentral(response({"jobId": "1", "status": word})).poll(JOB, None)
    assert (state.phase, state.word) == (phase, str(word).lower())


def test_a_job_with_a_transcript_has_succeeded_whatever_else_went_wrong() -> None:
    state = {"status": "Success", "response": {**RESULT, "errors": [{"message": "no summary"}]}}
    assert ringcentral(response(state)).poll(JOB, None).phase == "succeeded"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"status": "Fail", "response": {"errors": [{"errorCode": "CAI-107", "message": "Broken"}]}}, "CAI-107 Broken"),
        ({"status": "Failed", "errors": [{"message": "a"}, {"message": "b"}]}, "a b"),
        ({"status": "Success", "response": {"errors": [{"message": "no speech model"}]}}, "no speech model"),
        ({"status": "Fail", "response": {"errors": [{"message": "The trial has expired"}]}}, "trial"),
        ({"status": "Fail"}, "no reason given"),
        ({"status": "Fail", "message": "out of order"}, "out of order"),
        ({"status": "Fail", "response": {"errors": ["odd"]}}, "no reason given"),
        ({"status": "Fail", "response": {"errors": [{**LINK_INVALID, "parameterName": "webhook"}]}}, "valid uri"),
    ],
)
def test_failed_jobs(body: Any, reason: str) -> None:
    state = ringcentral(response(body)).poll(JOB, None)
    assert state.phase == "failed"
    assert str(state.reason).startswith("RingCentral failed the job: ")
    assert reason in str(state.reason)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "Fail", "response": {"errors": [LINK_INVALID]}},
        {"status": "Failed", "errors": [{"errorCode": "CAI-110"}, LINK_INVALID]},
        {"status": "Success", "response": {"errors": [LINK_INVALID]}},
        {"status": "Fail", "errors": [{**LINK_INVALID, "message": "403 https://b.example/k?X-Amz-Signature=5ec0de"}]},
    ],
)
def test_a_job_that_failed_for_its_link(body: Any) -> None:
    for job, states, delivered in ((JOB, [response(body)], None), ({}, [], json.dumps(body).encode())):
        with pytest.raises(MediaLinkExpired) as caught:
            ringcentral(*states).poll(job, delivered)
        assert "5ec0de" not in str(caught.value)


def test_a_job_that_the_vendor_has_forgotten() -> None:
    gone = {"errors": [{"errorCode": "CMN-102", "message": "Resource for parameter [jobId] is not found"}]}
    with pytest.raises(JobNotFound, match=r"has the job: CMN-102 Resource for parameter \[jobId\] is not found$"):
        ringcentral(response(gone, 404)).poll(JOB, None)


def test_a_finished_job_is_fetched_once() -> None:
    state = {"jobId": "1", "status": "Success", "response": RESULT}
    adapter = ringcentral(response(state))
    reply = adapter.poll(JOB, None).reply
    assert reply is not None
    assert json.loads(reply) == state


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (response([1]), ProviderUnavailable),
        (response({}), ProviderUnavailable),
        (response("<html>"), ProviderUnavailable),
        (response({"errors": [{"errorCode": "CMN-201"}]}), ProviderUnavailable),
        (response({"errors": [{"errorCode": "CMN-101"}]}, 400), ProviderRejected),
    ],
)
def test_states_that_cannot_be_read(reply: requests.Response, error: type[ProviderError]) -> None:
    with pytest.raises(ProviderError) as caught:
        ringcentral(reply).poll(JOB, None)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "body",
    [
        {"status": "InProgress"},
        {"status": "Success"},
        {"status": "Success", "response": []},
        {"status": "Success", "response": {"speakerInsights": {}}},
        {"status": "Success", "response": {"errors": [LINK_INVALID]}},
    ],
)
def test_only_a_result_is_fetched(body: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        ringcentral(response(body)).fetch(JOB, None)


def test_the_reply_is_kept_as_it_came() -> None:
    raw = b' {"status": "Completed", "response": {"utteranceInsights": [], "new": 1.50}} '
    assert ringcentral(response(raw)).fetch(JOB, b"delivered") == raw


@pytest.mark.parametrize(
    ("body", "callback"),
    [
        ({"jobId": "j-1", "status": "Success", "response": RESULT}, Callback({"job_id": "j-1"})),
        ({"jobId": "j-1", "status": "Fail"}, Callback({"job_id": "j-1"})),
        ({"jobId": "j-1", "status": "Odd"}, Callback({"job_id": "j-1"})),
        ({"jobId": "j-1"}, Callback({"job_id": "j-1"})),
        ({"jobId": "j-1", "status": "InProgress"}, None),
        ({"status": "InProgress"}, None),
        ({"status": "Odd", "response": RESULT}, None),
        ({"status": "Success", "response": RESULT}, Callback({}, is_result=True)),
        ({"status": "Completed"}, Callback({}, is_result=True)),
        ({"status": "Fail", "response": {"errors": [LINK_INVALID]}}, Callback({}, is_result=True)),
        ({"status": "Failed"}, Callback({}, is_result=True)),
    ],
)
def test_callbacks(body: Any, callback: Callback | None) -> None:
    assert isinstance(ringcentral(), CallsBack)
    assert called_back(body, headers={"rcrequestid": "7d1f"}) == callback


@pytest.mark.parametrize("token", ["", TOKEN[:-1], TOKEN + "0", TOKEN[:-1] + "f", TOKEN.upper(), "å"])
def test_forged_callbacks(token: str) -> None:
    for body in ({"jobId": "j-1"}, b"nonsense"):
        with pytest.raises(CallbackForged):
            called_back(body, token)


def test_nothing_is_expected_where_the_path_names_no_media() -> None:
    with pytest.raises(CallbackForged):
        ringcentral().read_callback(CallbackRequest(b"{}", {}))


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"{", [], "text", {}, {"jobId": 7}, {"jobId": "a b"}, {"status": None}, {"jobId": "é" * 9}],
)
def test_authentic_nonsense(body: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        called_back(body)
    assert caught.value.field == "body"


@pytest.mark.parametrize("body", [b"", b"{", b"\x80", b"[" * 100_000])
def test_a_callback_that_is_no_json_is_no_state(body: bytes) -> None:
    with pytest.raises(ProviderUnavailable, match=r"^RingCentral answered without JSON in its callback$"):
        ringcentral().poll({}, body)


@pytest.mark.parametrize(
    ("errors", "is_providers_fault"),
    [
        # "Errors" in https://github.com/ringcentral/ringcentral-api-docs (docs/basics): both with HTTP 500
        ([{"errorCode": "CMN-201", "message": "Service Temporary Unavailable"}], True),
        ([{"errorCode": "CMN-203", "message": "Internal Server Error"}], True),
        ([{"errorCode": "CMN-203"}, {"errorCode": "CMN-101", "parameterName": "encoding"}], False),
        # Listed in the vendor's .NET client without a meaning
        ([{"errorCode": "CAI-110", "message": "Internal Server Error"}], False),
        # Nobody's words
        ([{"errorCode": "CMN-9"}, {"message": "Internal Server Error"}], False),
        ([], False),
    ],
)
def test_a_fault_that_ringcentral_calls_its_own(errors: list[dict[str, str]], is_providers_fault: bool) -> None:
    job = {"jobId": "j", "status": "Fail", "response": {"errors": errors}}
    state = ringcentral(response(job)).poll(JOB, None)
    assert (state.phase, state.is_providers_fault) == ("failed", is_providers_fault)
