"""HTTP calls to a vendor: what leaves, what comes back, and the error for each fault."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from recording_insights.errors import (
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.providers.toolkit.aws import ask_aws
from recording_insights.providers.toolkit.http import Reply, VendorHttp, path_segment
from tests.unit.fakes import FakeClock, FakeStream, FakeVendorSession, Scripted, response
from tests.unit.providers.adapters.marsview_scene import text_of

ASK = "POST /v1/jobs"
LINK = "https://storage.test/a.mp4?X-Amz-Signature=5ec0de"
HOST = "vendor.test"
NOW = datetime(2026, 10, 21, 7, 27, tzinfo=UTC)
NEVER_CONNECTED = requests.ConnectionError(
    MaxRetryError(HTTPSConnectionPool(HOST), LINK, NewConnectionError(HTTPSConnection(HOST), "refused"))
)


def http(*replies: Scripted, call: str = ASK) -> tuple[VendorHttp, FakeVendorSession]:
    session = FakeVendorSession({call: replies})
    return VendorHttp("Vendor", "https://vendor.test", session, lambda: NOW), session


def test_a_call_as_it_leaves_us() -> None:
    vendor, session = http(response({"id": 1}, 201))

    reply = vendor.call("POST", "/v1/jobs", headers={"X": "y"}, query=[("a", "1"), ("a", "2")], json={"url": LINK})

    assert reply == Reply(201, {"id": 1}, b'{"id": 1}')
    (call,) = session.calls
    assert (call.url, call.headers, call.params) == (
        "https://vendor.test/v1/jobs",
        {"X": "y"},
        [("a", "1"), ("a", "2")],
    )
    assert (call.json, call.data, call.auth) == ({"url": LINK}, None, None)
    assert (call.timeout, call.allow_redirects) == ((3.05, 25), False)


def test_a_form_with_basic_authentication() -> None:
    vendor, session = http(response({}))

    vendor.call("POST", "/v1/jobs", form={"grant": "jwt"}, auth=("id", "secret"))

    (call,) = session.calls
    assert (call.json, call.data, call.auth) == (None, {"grant": "jwt"}, ("id", "secret"))


@pytest.mark.parametrize(
    ("fault", "unpaid", "paid", "message"),
    [
        (
            response("<html>", 500),
            ProviderUnavailable,
            SubmissionUnconfirmed,
            "Vendor answered HTTP 500 (POST /v1/jobs)",
        ),
        (
            response("<html>"),
            ProviderUnavailable,
            SubmissionUnconfirmed,
            "Vendor answered with something that is not JSON (POST /v1/jobs)",
        ),
        (
            response("", 399),
            ProviderUnavailable,
            SubmissionUnconfirmed,
            "Vendor answered with something that is not JSON (POST /v1/jobs)",
        ),
        (response("slow down", 429), ProviderBusy, ProviderBusy, "Vendor is busy (HTTP 429)"),
        (
            requests.ReadTimeout(LINK),
            ProviderUnavailable,
            SubmissionUnconfirmed,
            "Vendor did not answer in time (POST /v1/jobs)",
        ),
        (
            requests.ConnectTimeout(LINK),
            ProviderUnavailable,
            ProviderUnavailable,
            "Vendor did not answer in time (POST /v1/jobs)",
        ),
        (
            requests.ConnectionError(LINK),
            ProviderUnavailable,
            SubmissionUnconfirmed,
            "Vendor could not be reached (no connection, POST /v1/jobs)",
        ),
        (
            NEVER_CONNECTED,
            ProviderUnavailable,
            ProviderUnavailable,
            "Vendor could not be reached (no connection, POST /v1/jobs)",
        ),
        (
            requests.exceptions.SSLError(LINK),
            ProviderUnavailable,
            SubmissionUnconfirmed,
            "Vendor could not be reached (its certificate is not valid, POST /v1/jobs)",
        ),
    ],
)
def test_a_fault_of_a_paid_call_may_have_placed_a_job(
    fault: Scripted, unpaid: type[ProviderError], paid: type[ProviderError], message: str
) -> None:
    for is_paid, error in ((False, unpaid), (True, paid)):
        vendor, session = http(fault)
        with pytest.raises(ProviderError) as raised:
            vendor.call("POST", "/v1/jobs", is_paid=is_paid)
        assert type(raised.value) is error
        assert str(raised.value) == message
        assert "5ec0de" not in text_of(raised.value)
        assert len(session.calls) == 1, "a call is never repeated"


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (response("<html>", 400), Reply(400, None, b"<html>")),
        (response("", 499), Reply(499, None, b"")),
        (response({"error": "no"}, 404), Reply(404, {"error": "no"}, b'{"error": "no"}')),
        (response("null"), Reply(200, None, b"null")),
    ],
)
def test_a_refusal_needs_no_json(answer: requests.Response, reply: Reply) -> None:
    vendor, _ = http(answer)
    assert vendor.call("POST", "/v1/jobs", is_paid=True) == reply


@pytest.mark.parametrize(
    ("headers", "retry_after"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60),
    ],
)
def test_retry_after(headers: dict[str, str], retry_after: int | None) -> None:
    vendor, _ = http(response("", 429, headers))
    with pytest.raises(ProviderBusy) as raised:
        vendor.call("POST", "/v1/jobs")
    assert raised.value.retry_after == retry_after


class TestDeadline:
    """A function that polls has a time-out of its own, and a provider may need many calls."""

    def test_a_call_takes_no_longer_than_is_left(self) -> None:
        vendor, session = http(response({}), response({}), response({}))
        clock = FakeClock()
        with clock.deadline(20).limits_calls():
            vendor.call("POST", "/v1/jobs")
            clock.elapsed = 18
            vendor.call("POST", "/v1/jobs")
        vendor.call("POST", "/v1/jobs")
        assert [call.timeout for call in session.calls] == [(3.05, 20), (2, 2), (3.05, 25)]

    @pytest.mark.parametrize("is_paid", [False, True])
    def test_without_time_nothing_is_sent(self, is_paid: bool) -> None:
        vendor, session = http()
        clock = FakeClock(elapsed=5)
        with clock.deadline(0.9).limits_calls(), pytest.raises(ProviderUnavailable, match="no time was left") as raised:
            vendor.call("POST", "/v1/jobs", is_paid=is_paid)
        assert type(raised.value) is ProviderUnavailable, "the vendor has no job"
        assert session.calls == []

    def test_a_service_of_aws_is_not_called_without_time(self) -> None:
        calls: list[str] = []
        with FakeClock().deadline(0).limits_calls(), pytest.raises(ProviderUnavailable, match="no time was left"):
            ask_aws(lambda: calls.append("sent"), none_if=())
        assert calls == []


class TestUpload:
    PUT = "PUT /a.mp4?X-Amz-Signature=5ec0de"

    def test_the_bytes_go_without_our_headers(self) -> None:
        vendor, session = http(response("", 299), call=self.PUT)

        vendor.upload(LINK, FakeStream(b"media"))

        (call,) = session.calls
        assert (call.url, call.headers, call.auth, call.json) == (LINK, {}, None, None)
        assert b"".join(call.data) == b"media"

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (response("<Error/>", 300), "Vendor's storage answered HTTP 300 to the media"),
            (response("<Error/>", 503), "Vendor's storage answered HTTP 503 to the media"),
            (requests.ReadTimeout(LINK), "Vendor did not answer in time (PUT of the media)"),
        ],
    )
    def test_a_storage_that_refuses(self, answer: Scripted, message: str) -> None:
        vendor, _ = http(answer, call=self.PUT)
        with pytest.raises(ProviderUnavailable) as raised:
            vendor.upload(LINK, FakeStream(b"media"))
        assert type(raised.value) is ProviderUnavailable
        assert str(raised.value) == message
        assert "5ec0de" not in text_of(raised.value)


@pytest.mark.parametrize(
    ("status", "no_credit", "error"),
    [(400, False, ProviderRejected), (402, False, OutOfCredit), (400, True, OutOfCredit), (200, True, OutOfCredit)],
)
def test_refusals(status: int, no_credit: bool, error: type[Exception]) -> None:
    refusal = http()[0].refusal(status, "no such model", no_credit=no_credit)
    assert type(refusal) is error
    assert str(refusal) == f"Vendor answered HTTP {status}: no such model"


@pytest.mark.parametrize(("is_paid", "error"), [(False, ProviderUnavailable), (True, SubmissionUnconfirmed)])
def test_a_response_without_what_was_promised(is_paid: bool, error: type[Exception]) -> None:
    unreadable = http()[0].unreadable("a job id", is_paid=is_paid)
    assert type(unreadable) is error
    assert str(unreadable) == "Vendor answered without a job id"


@pytest.mark.parametrize(("value", "segment"), [("a/../b?c", "a%2F..%2Fb%3Fc"), (7, "7"), ("ü", "%C3%BC")])
def test_a_path_segment(value: Any, segment: str) -> None:
    assert path_segment(value) == segment
