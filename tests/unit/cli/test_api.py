"""Calls of the API: what is repeated, what is not, and what an answer that is none becomes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from cli.api import Api
from cli.errors import CommandFailed, Conflict, NotReachable, NotSignedIn
from tests.unit.cli.fake_stage import FakeHttp, response


@dataclass
class Signer:
    """Numbers its signatures. `renewals` are how often new credentials can be had."""

    renewals: int = 0
    made: int = 0

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Mapping[str, str]:
        self.made += 1
        return {**headers, "authorization": f"signature {self.made}"}

    def renew(self) -> bool:
        self.renewals -= 1
        return self.renewals >= 0


@dataclass
class Answers(FakeHttp):
    """Answers whole responses one by one, the last one for ever."""

    replies: Mapping[str, Any] = field(default_factory=dict)
    given: list[requests.Response] = field(default_factory=list)

    def request(self, method: Any, url: Any, *_: Any, **options: Any) -> requests.Response:
        self.replies = {**self.replies, f"{method} {str(url).removeprefix('http://api').partition('?')[0]}": {}}
        super().request(method, url, **options)
        return self.given[min(len(self.calls), len(self.given)) - 1]


def api(*answers: requests.Response, renewals: int = 0) -> tuple[Api, Answers, list[float]]:
    http, slept = Answers(given=list(answers)), list[float]()
    return Api("http://api", Signer(renewals), http, slept.append), http, slept


OK = response(200, {"ok": True})
THROTTLED = response(429, {"message": "Too Many Requests"})
BUSY = response(503, {"title": "AWS gave no answer in time"}, {"retry-after": "7"})
PAUSED = response(503, {"type": "urn:recording-insights:problem:intake-paused", "detail": "paused"})


def test_a_throttled_call_is_repeated_with_longer_and_longer_pauses() -> None:
    calls, http, slept = api(THROTTLED, THROTTLED, THROTTLED, OK)
    assert calls.call("POST", "/recordings", {}) == {"ok": True}
    assert slept == [1, 2, 4]
    signed = [call.headers["authorization"] for call in http.calls]
    assert signed == [f"signature {number}" for number in range(1, 5)], "each try is signed anew"


def test_it_ends_at_some_time() -> None:
    calls, http, slept = api(THROTTLED)
    with pytest.raises(CommandFailed, match="429: Too Many Requests"):
        calls.call("GET", "/recordings")
    assert (len(http.calls), slept) == (5, [1, 2, 4, 8])


def test_after_a_503_only_what_may_be_repeated_is() -> None:
    calls, http, slept = api(BUSY, OK)
    calls.call("GET", "/recordings")
    assert slept == [7], "as long as the API asks for"
    calls, http, _ = api(BUSY, OK)
    calls.call("POST", "/recordings", {}, headers={"Idempotency-Key": "k"})
    assert len(http.calls) == 2
    for method, answer in (("POST", BUSY), ("GET", PAUSED)):
        calls, http, slept = api(answer, OK)
        with pytest.raises(CommandFailed, match="Try again later"):
            calls.call(method, "/recordings")
        assert (len(http.calls), slept) == (1, [])


def test_a_401_renews_the_credentials_once() -> None:
    unauthorized = response(401, {"message": "Unauthorized"})
    calls, http, _ = api(unauthorized, OK, renewals=1)
    assert calls.call("GET", "/recordings") == {"ok": True}
    calls, http, _ = api(unauthorized, renewals=9)
    with pytest.raises(NotSignedIn, match="Sign in again"):
        calls.call("GET", "/recordings")
    assert len(http.calls) == 2
    calls, http, _ = api(unauthorized, renewals=0)
    with pytest.raises(NotSignedIn):
        calls.call("GET", "/recordings")
    assert len(http.calls) == 1


@pytest.mark.parametrize(("method", "doubt"), [("GET", False), ("POST", True)])
def test_no_answer_says_whether_it_may_have_taken_effect(method: str, doubt: bool) -> None:
    http = FakeHttp({f"{method} /recordings": requests.Timeout("http://api/?X-Amz-Signature=5ec0de")})
    with pytest.raises(NotReachable) as caught:
        Api("http://api", Signer(), http).call(method, "/recordings")
    assert ("may have taken effect" in str(caught.value)) is doubt
    assert "5ec0de" not in str(caught.value)


def test_pages_are_read_until_there_is_no_cursor() -> None:
    pages = [response(200, {"recordings": [1, 2], "cursor": "a b"}), response(200, {"recordings": [3]})]
    calls, http, _ = api(*pages)
    assert list(calls.pages("/recordings", "recordings", {"limit": 2, "status": ["a", "b"], "channel": None})) == [
        *(1, 2, 3)
    ]
    assert [call.query for call in http.calls] == [
        {"limit": "2", "status": "a,b"},
        {"limit": "2", "status": "a,b", "cursor": "a b"},
    ]


def test_what_is_not_the_api_is_said_to_be_none() -> None:
    calls, _, _ = api(response(200, "<html>"))
    with pytest.raises(CommandFailed, match="is not the API of a stage"):
        calls.call("GET", "/recordings")


def test_a_refusal_has_the_problem_and_its_advice() -> None:
    receipt = {"receipt_id": "9f0c"}
    calls, _, _ = api(response(410, {"detail": "erased", "receipt": receipt}))
    with pytest.raises(Conflict, match=r"^The API answered 410: erased. The receipt is 9f0c.$") as caught:
        calls.call("GET", "/recordings/x")
    assert caught.value.problem["receipt"] == receipt
    calls, _, _ = api(response(500, {"title": "unexpected\x1b[2J", "request_id": "r1"}))
    with pytest.raises(CommandFailed, match=r"unexpected\\x1b\[2J. The log has it under the request id r1.$"):
        calls.call("GET", "/recordings/x")
    calls, _, _ = api(response(502, json.dumps([1])))
    with pytest.raises(CommandFailed, match="The API answered 502: no reason"):
        calls.call("GET", "/recordings/x")
