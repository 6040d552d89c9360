"""What a vendor quotes of a request holds none of the request's secrets, and an answer has a limit."""

import base64
import gzip
import io
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from urllib3 import HTTPResponse

from recording_insights.bounded import LARGEST_REPLY
from recording_insights.errors import ReplyTooLarge
from recording_insights.providers.toolkit.http import VendorHttp
from tests.secrecy_in_text import secrets_in_text
from tests.unit.fakes import FakeVendorSession, response

KEY = 'k3y/with+"odd" characters=='
TOKEN = "t0ken" * 8
CALLBACK_TOKEN = "0123456789abcdef" * 4
LINK = "https://bucket.test/a%20b.mp4?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=5ec0de5ec0de"
REQUEST = {
    "headers": {"Authorization": f"Token {TOKEN}", "Accept": "application/json"},
    "query": [("callback", f"https://hooks.test/webhooks/vendor/job/{CALLBACK_TOKEN}"), ("tag", "recording-1")],
    "json": {"url": LINK, "login": {"apiKey": KEY, "user": "me"}, "title": "recording-1"},
}
SECRETS = (KEY, TOKEN, CALLBACK_TOKEN, "5ec0de5ec0de")


def percent(text: str) -> str:
    return quote(text, safe="")


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda text: json.dumps(text)[1:-1],
        percent,
        quote_plus,
        lambda text: percent(percent(text)),
        base64_of,
        *(lambda text, before=before: base64_of(f"{before}{text}!!") for before in ("", "?", "??")),
        lambda text: base64.urlsafe_b64encode(percent(f"é{text}").encode()).decode(),
    ],
    ids=[
        "plain",
        "JSON",
        "percent",
        "form",
        "percent twice",
        "Base64",
        "within 0",
        "within 1",
        "within 2",
        "of a link",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 404, 422])
def test_no_form_of_a_secret_is_in_the_reply(status: int, form: Callable[[str], str]) -> None:
    quoted = {"error": [form(secret) for secret in SECRETS], "title": "recording-1"}
    vendor = VendorHttp(
        "Vendor", "https://vendor.test", FakeVendorSession({"POST /v1/jobs": [response(quoted, status)]})
    )

    reply = vendor.call("POST", "/v1/jobs", **REQUEST)  # type: ignore[arg-type]

    assert reply.status == status
    assert reply.data["title"] == "recording-1"
    told = json.dumps(reply.data) + reply.body.decode()
    assert [secret for secret in SECRETS if form(secret) in told or secret in told] == []
    assert secrets_in_text(told, SECRETS) == []


def test_a_long_result_quotes_no_secret_either() -> None:
    answer = response({"words": ["hello"] * 20_000, "asked": REQUEST})
    vendor = VendorHttp("Vendor", "https://vendor.test", FakeVendorSession({"GET /v1/jobs/1": [answer]}))
    reply = vendor.call("GET", "/v1/jobs/1", **REQUEST)  # type: ignore[arg-type]
    assert len(reply.body) > 100_000
    assert secrets_in_text(reply.body.decode(), SECRETS) == []


def test_what_basic_authentication_sends_is_hidden_as_well() -> None:
    sent = base64_of("client-id:client-secret")
    answer = response(f"refused: Basic {sent}, client-secret", 401)
    vendor = VendorHttp("Vendor", "https://vendor.test", FakeVendorSession({"POST /token": [answer]}))
    assert vendor.call("POST", "/token", auth=("client-id", "client-secret")).body == b"refused: Basic ***, ***"


def test_an_answer_that_unpacks_to_too_much_is_a_fault_in_words() -> None:
    answer, packed = response(), gzip.compress(b'"' + b" " * LARGEST_REPLY)
    vars(answer).update(_content=False, _content_consumed=False)
    answer.raw = HTTPResponse(io.BytesIO(packed), headers={"Content-Encoding": "gzip"}, preload_content=False)
    vendor = VendorHttp("Vendor", "https://vendor.test", FakeVendorSession({"GET /v1/jobs/1": [answer]}))
    assert len(packed) < 64 * 1024
    with pytest.raises(ReplyTooLarge, match="Vendor answered with more than 32 MB"):
        vendor.call("GET", "/v1/jobs/1")
