"""The free call that shows whether a vendor accepts the keys of its secret."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from operations import vendor_access
from operations.vendor_access import SECRETS, VENDORS, check_access, missing_keys
from recording_insights.providers.adapters.deepgram.calls import Deepgram
from recording_insights.providers.registry import PROVIDERS, verifies_access
from tests.unit.fakes import FakeVendorSession, Scripted, response

NO_SIGN_OF_A_KEY = "k3y-that-n0body-may-see"
SEAMEET = "/seameet-api/api/v1/workspaces/w-1/jobs/00000000-0000-0000-0000-000000000000"
AGORA = (
    "/v1/apps/0123456789abcdef0123456789abcdef/cloud_recording"
    "/resourceid/none/sid/00000000000000000000000000000000/mode/mix/query"
)


@dataclass(frozen=True)
class Case:
    """A vendor's call, an answer that accepts the credentials, and one that refuses them."""

    secret: Mapping[str, str]
    call: str
    accepts: requests.Response
    refuses: requests.Response


CASES: Mapping[str, Case] = {
    "agora": Case(
        {
            "appId": "0123456789abcdef0123456789abcdef",
            "customerId": "customer",
            "customerSecret": NO_SIGN_OF_A_KEY,
        },
        f"GET {AGORA}",
        response({"code": 404, "serverResponse": {"payload": {"message": "failed to find worker"}}}, 404),
        response({"message": f"Invalid authentication credentials {NO_SIGN_OF_A_KEY}"}, 401),
    ),
    "assemblyai": Case(
        {"apiKey": NO_SIGN_OF_A_KEY},
        "GET /v2/transcript",
        response({"page_details": {}, "transcripts": []}),
        response({"error": f"Authentication error, API token {NO_SIGN_OF_A_KEY} is invalid"}, 401),
    ),
    "deepgram": Case(
        {"apiKey": NO_SIGN_OF_A_KEY},
        "GET /v1/auth/token",
        response({"api_key_id": "k", "scopes": ["usage:write"]}),
        response({"err_code": "INVALID_AUTH", "err_msg": f"Invalid credentials {NO_SIGN_OF_A_KEY}"}, 401),
    ),
    "marsview": Case(
        {"apiKey": "a-key", "apiSecret": NO_SIGN_OF_A_KEY, "userId": "me@example.com"},
        "POST /cb/v1/auth/create_access_token",
        response({"status": True, "data": {"accessToken": "t0ken-that-n0body-may-see", "expiresIn": 3600}}),
        response({"status": False, "error": "NJSCFE001", "message": f"Invalid {NO_SIGN_OF_A_KEY}"}, 401),
    ),
    "symbl": Case(
        {"appId": "app", "appSecret": NO_SIGN_OF_A_KEY},
        "POST /oauth2/token:generate",
        response({"accessToken": "t0ken-that-n0body-may-see", "expiresIn": 86400}),
        response({"message": f"Unauthorized: {NO_SIGN_OF_A_KEY}"}, 401),
    ),
    "ringcentral": Case(
        {"clientId": "client", "clientSecret": "an0ther-secret", "jwt": NO_SIGN_OF_A_KEY},
        "POST /restapi/oauth/token",
        response({"access_token": "t0ken-that-n0body-may-see", "expires_in": 7199}),
        response({"error": "invalid_grant", "error_description": f"wrong assertion {NO_SIGN_OF_A_KEY}"}, 400),
    ),
    "seameet": Case(
        {"apiKey": NO_SIGN_OF_A_KEY, "workspaceId": "w-1"},
        f"GET {SEAMEET}",
        response({"detail": "The requested data does not exist."}, 404),
        response({"detail": f"Unauthorized {NO_SIGN_OF_A_KEY}"}, 401),
    ),
}
BY_HTTP = pytest.mark.parametrize("vendor", CASES)


def session(vendor: str, answer: Scripted) -> FakeVendorSession:
    # A second call would find no answer, which fails the test.
    return FakeVendorSession({CASES[vendor].call: [answer]})


def check(vendor: str, answer: Scripted, **options: Any) -> vendor_access.Access:
    http = session(vendor, answer)
    found = check_access(vendor, CASES[vendor].secret, http=http, **options)
    assert http.asked == [CASES[vendor].call]
    assert found.vendor == vendor
    assert "n0body-may-see" not in found.what
    assert found.what[0].isupper()
    assert found.what.endswith(".")
    return found


class Aws:
    """Makes clients of Transcribe whose call returns or raises `entry`."""

    def __init__(self, entry: Any) -> None:
        self.entry = entry
        self.asked: list[Any] = []

    def __call__(self, service: str, **options: Any) -> "Aws":
        self.asked.append((service, options["endpoint_url"], options["config"].retries))
        return self

    def list_transcription_jobs(self, **parameters: Any) -> Any:
        self.asked.append(parameters)
        if isinstance(self.entry, Exception):
            raise self.entry
        return self.entry


class TestEveryVendor:
    def test_there_is_a_call_for_each(self) -> None:
        assert set(VENDORS) == {"agora", *PROVIDERS} == {*CASES, "transcribe"}
        assert all(map(verifies_access, PROVIDERS))

    @BY_HTTP
    def test_accepted(self, vendor: str) -> None:
        found = check(vendor, CASES[vendor].accepts)
        # SeaMeet documents no call that proves it.
        assert found.verdict == ("unknown" if vendor == "seameet" else "accepted")

    @BY_HTTP
    def test_refused(self, vendor: str) -> None:
        assert check(vendor, CASES[vendor].refuses).verdict == "refused"

    @BY_HTTP
    @pytest.mark.parametrize(
        "answer", [requests.ConnectTimeout("https://x.test?key=1"), requests.ConnectionError("x"), response({}, 503)]
    )
    def test_unreachable(self, vendor: str, answer: Scripted) -> None:
        assert check(vendor, answer).verdict == "unreachable"

    @BY_HTTP
    @pytest.mark.parametrize("body", ["<html>Sign in to this network</html>", [1, 2], {}])
    def test_nonsense_is_no_acceptance(self, vendor: str, body: Any) -> None:
        found = check(vendor, response(body))
        assert found.verdict == "unreachable" or (vendor == "seameet" and found.verdict == "unknown")
        assert "network" not in found.what

    @pytest.mark.parametrize("vendor", [name for name in CASES if name != "agora"])
    def test_a_busy_vendor_shows_nothing(self, vendor: str) -> None:
        assert check(vendor, response({}, 429)).verdict == "unknown"

    @pytest.mark.parametrize("vendor", [name for name in CASES if name != "agora"])
    def test_no_credit(self, vendor: str) -> None:
        assert check(vendor, response({"message": "Payment required"}, 402)).verdict == "no_credit"

    @BY_HTTP
    def test_the_time_is_limited(self, vendor: str) -> None:
        http = session(vendor, CASES[vendor].accepts)
        check_access(vendor, CASES[vendor].secret, http=http)
        assert all(0 < seconds <= vendor_access.SECONDS for seconds in http.calls[0].timeout)

    def test_a_provider_without_a_call(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(Deepgram, "verify_access")
        http = FakeVendorSession({})
        found = check_access("deepgram", CASES["deepgram"].secret, http=http)
        assert (found.verdict, http.asked) == ("unknown", [])
        assert "no call" in found.what

    def test_an_unknown_vendor(self) -> None:
        assert check_access("nobody", {}).verdict == "unknown"


class TestHosts:
    def test_the_vendors_own_host(self) -> None:
        http = session("deepgram", CASES["deepgram"].accepts)
        check_access("deepgram", CASES["deepgram"].secret, http=http, residency="EU")
        assert http.calls[0].url == "https://api.eu.deepgram.com/v1/auth/token"

    @pytest.mark.parametrize(
        ("options", "host"),
        [
            ({}, "https://api.agora.io"),
            ({"aws_region": "cn-north-1"}, "https://api.sd-rtn.com"),
            ({"aws_region": "eu-central-1", "residency": "EU"}, "https://api-eu-central-1.agora.io"),
            ({"base_url": "https://proxy.test/"}, "https://proxy.test"),
        ],
    )
    def test_agoras_host(self, options: dict[str, Any], host: str) -> None:
        http = session("agora", CASES["agora"].accepts)
        check_access("agora", CASES["agora"].secret, http=http, **options)
        assert http.calls[0].url == f"{host}{AGORA}"


class TestAgora:
    @pytest.mark.parametrize(
        ("status", "body", "verdict"),
        [
            (404, {"code": 501, "reason": "exiting"}, "accepted"),
            (400, {"code": 1001, "reason": "the resourceId cannot be parsed"}, "accepted"),
            (400, {"message": "appid is invalid"}, "refused"),
            (403, {"message": "Forbidden"}, "refused"),
            (404, {"message": "no Route matched with those values"}, "unknown"),
            (400, {"code": 2, "reason": "a parameter"}, "unknown"),
            (429, {"message": "API rate limit exceeded"}, "unreachable"),
        ],
    )
    def test_what_an_answer_shows(self, status: int, body: Any, verdict: str) -> None:
        assert check("agora", response(body, status)).verdict == verdict


class TestTranscribe:
    def test_accepted_for_the_operator(self) -> None:
        aws = Aws({"TranscriptionJobSummaries": []})
        found = check_access("transcribe", {}, client=aws, base_url="https://transcribe.test")
        assert found.verdict == "accepted"
        assert "not the role of the functions" in found.what
        assert aws.asked == [
            ("transcribe", "https://transcribe.test", {"total_max_attempts": 1}),
            {"MaxResults": 1},
        ]

    @pytest.mark.parametrize(
        ("entry", "verdict"),
        [
            (NoCredentialsError(), "refused"),
            (ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "List"), "refused"),
            (ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "List"), "unknown"),
            (EndpointConnectionError(endpoint_url="https://x.test"), "unreachable"),
            ({}, "unreachable"),
            (None, "unreachable"),
        ],
    )
    def test_other_answers(self, entry: Any, verdict: str) -> None:
        found = check_access("transcribe", {}, client=Aws(entry))
        assert found.verdict == verdict
        assert "the role of the functions" in found.what


class TestMissingKeys:
    @BY_HTTP
    def test_nothing_is_called_without_a_usable_key(self, vendor: str) -> None:
        whole = CASES[vendor].secret
        for key in whole:
            for value in (None, "", "  \n", 7, "“quoted”"):
                assert missing_keys(vendor, {**whole, key: value}) == [key]
        http = FakeVendorSession({})
        found = check_access(vendor, {}, http=http)
        assert (found.verdict, http.asked) == ("unknown", [])
        assert all(key in found.what for key in whole)

    def test_blanks_around_a_key_are_cut(self) -> None:
        secret = {"apiKey": f" {NO_SIGN_OF_A_KEY}\n", "comment": ["of no use"]}
        assert missing_keys("deepgram", secret) == []
        http = session("deepgram", CASES["deepgram"].accepts)
        check_access("deepgram", secret, http=http)
        assert http.calls[0].headers == {"Authorization": f"Token {NO_SIGN_OF_A_KEY}"}

    @pytest.mark.parametrize("name", SECRETS)
    def test_every_secret_has_keys(self, name: str) -> None:
        assert missing_keys(name, {}) == list(SECRETS[name])
        assert missing_keys(name, dict.fromkeys(SECRETS[name], "value")) == []

    def test_a_service_of_aws_needs_none(self) -> None:
        assert missing_keys("transcribe", {}) == []


def test_a_reason_holds_no_whole_answer() -> None:
    long = json.dumps({"detail": f"{'words ' * 2000}{NO_SIGN_OF_A_KEY}"})
    assert len(check("seameet", response(long, 400)).what) < 600
