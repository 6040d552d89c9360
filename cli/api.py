"""Calls of the stage's HTTP API, signed or with a token. Errors become those of the command line."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from cli.errors import CommandFailed, Conflict, NotFound, NotReachable, NotSignedIn, UsageWrong
from cli.visible import visible_line

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = 35
TRIES = 5
_REPEATABLE = ("GET", "PUT", "DELETE")


class Signer(Protocol):
    """Adds to a request what shows who calls."""

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Mapping[str, str]:
        """Return the headers of the request, those given among them. Raises NotSignedIn."""
        ...

    def renew(self) -> bool:
        """Get new credentials after a 401, if that is possible."""
        ...


@dataclass
class Api:
    """The API of one stage.

    A call that was throttled is repeated, and one that changes nothing or may be repeated also after a 503.
    """

    url: str
    signer: Signer
    session: "requests.Session"
    sleep: Callable[[float], None] = field(default=time.sleep)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the JSON of the answer.

        `query` leaves out values that are None, and has a list's values separated by commas.

        Raises:
            CommandFailed: the API refuses the call, or does not answer. The kind says why.
        """
        answer = self.answer(method, path, body, query=query, headers=headers)
        try:
            return answer.json()
        except ValueError:
            raise CommandFailed(f"What answers at {self.url} speaks no JSON: it is not the API of a stage.") from None

    def answer(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "requests.Response":
        """Return the answer itself, whose status is below 400. Raises as `call` does."""
        import json

        url = self.url + path + _query(query or {})
        data = None if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json", **(headers or {})} if data else dict(headers or {})
        repeatable = method in _REPEATABLE or "idempotency-key" in {name.lower() for name in given}
        renewed = False
        for attempt in range(1, TRIES + 1):
            answer = self._send(method, url, given, data, repeatable=repeatable)
            if answer.status_code == 401 and not renewed and self.signer.renew():
                renewed = True
            elif answer.status_code == 429 or (answer.status_code == 503 and repeatable and not _is_paused(answer)):
                if attempt == TRIES:
                    break
                self.sleep(_pause(answer, attempt))
            else:
                break
        if answer.status_code >= 400:
            _refuse(answer)
        return answer

    def pages(self, path: str, member: str, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Yield each element of all pages of a list. Raises as `call` does."""
        cursor: str | None = None
        while True:
            page = self.call("GET", path, query={**(query or {}), "cursor": cursor})
            yield from page[member]
            cursor = page.get("cursor")
            if cursor is None:
                return

    def send(self, method: str, path: str) -> "requests.Response":
        """Return the answer to one call without a body, of any status. Raises OSError if there is none."""
        return self._request(method, self.url + path, {}, None)

    def _request(self, method: str, url: str, headers: Mapping[str, str], data: bytes | None) -> "requests.Response":
        signed = self.signer.headers(method, url, headers, data)
        return self.session.request(method, url, headers=dict(signed), data=data, timeout=TIMEOUT_SECONDS)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, *, repeatable: bool
    ) -> "requests.Response":
        from urllib.parse import urlsplit

        import requests

        try:
            return self._request(method, url, headers, data)
        except requests.Timeout:
            doubt = "" if repeatable else " It may have taken effect: look before you repeat it."
            raise NotReachable(f"The API did not answer within {TIMEOUT_SECONDS} s.{doubt}") from None
        except requests.RequestException as error:
            host = urlsplit(url).netloc
            raise NotReachable(f"The API at {host} cannot be reached ({type(error).__name__}).") from None


def _query(query: Mapping[str, Any]) -> str:
    from urllib.parse import quote

    pairs = [(name, _value(value)) for name, value in query.items() if value is not None]
    return "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs) if pairs else ""


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list | tuple) else str(value)


def _is_paused(answer: "requests.Response") -> bool:
    return str(_problem(answer).get("type", "")).endswith(":intake-paused")


def _pause(answer: "requests.Response", attempt: int) -> float:
    """Return how many seconds the API asks to wait, or twice as long each time."""
    given = answer.headers.get("retry-after", "")
    return float(given) if given.isdecimal() else float(2 ** (attempt - 1))


def _problem(answer: "requests.Response") -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


_KINDS: Mapping[int, type[CommandFailed]] = {
    400: UsageWrong,
    401: NotSignedIn,
    403: NotSignedIn,
    404: NotFound,
    409: Conflict,
    410: Conflict,
    413: UsageWrong,
    415: UsageWrong,
    406: UsageWrong,
}
_ADVICE: Mapping[int, str] = {
    401: "Sign in again, or get another token.",
    403: "These credentials lack the right to this route, or the clock of this machine is wrong.",
    429: "The API gets more calls than its throttle allows: try again later.",
    503: "Try again later.",
}


def _refuse(answer: "requests.Response") -> NoReturn:
    problem = _problem(answer)
    said = problem.get("detail") or problem.get("title") or problem.get("message") or answer.reason or "no reason"
    receipt = problem.get("receipt")
    receipt_id = receipt.get("receipt_id") if isinstance(receipt, dict) else None
    parts = [
        f"The API answered {answer.status_code}: {visible_line(said).rstrip('.')}.",
        f"The receipt is {visible_line(receipt_id)}." if receipt_id else "",
        f"The log has it under the request id {problem['request_id']}."
        if answer.status_code >= 500 and isinstance(problem.get("request_id"), str)
        else "",
        _ADVICE.get(answer.status_code, ""),
    ]
    raise _KINDS.get(answer.status_code, CommandFailed)(" ".join(part for part in parts if part), problem)
