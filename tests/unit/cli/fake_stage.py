"""A stage without a network: its API answers as a test says, and its clients are those of the test."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from cli.session import Session
from cli.stage import Given, LocalStackFile, Stage

API = "http://api.test"


@dataclass(frozen=True)
class Call:
    """One request that the API got."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


Reply = Any
"""What is answered: JSON with status 200, a pair of status and JSON, an exception, or a function of the call."""


@dataclass
class FakeHttp(requests.Session):
    """Answers by `METHOD /path`. A list is answered one by one, its last element for ever. An unknown call fails."""

    replies: Mapping[str, Reply]
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def request(self, method: Any, url: Any, *_: Any, **options: Any) -> requests.Response:
        parts = urlsplit(str(url))
        data = options.get("data")
        call = Call(
            str(method),
            parts.path,
            dict(parse_qsl(parts.query)),
            _content(data),
            {name.lower(): value for name, value in (options.get("headers") or {}).items()},
        )
        asked_before = sum(each.line == call.line for each in self.calls)
        self.calls.append(call)
        assert call.line in self.replies, f"nobody expected {call.line}"
        reply = self.replies[call.line]
        if isinstance(reply, list):
            reply = reply[min(asked_before, len(reply) - 1)]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Callable):  # type: ignore[arg-type]
            reply = reply(call)
        status, body = reply if isinstance(reply, tuple) else (200, reply)
        return response(status, body)


def _content(data: Any) -> Any:
    """What a request carries: JSON, or the bytes of a file that is sent."""
    if hasattr(data, "read"):
        return b"".join(iter(lambda: data.read(1024), b""))
    return json.loads(data) if data else None


def response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> requests.Response:
    """An answer with a JSON body, or with a text as it is."""
    answer = requests.Response()
    answer.status_code = status
    answer._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    answer.headers.update(headers or {})
    return answer


@dataclass
class FakeStage(Stage):
    """The local stage, with fake clients by the name of their service."""

    clients: Mapping[str, Any] = field(default_factory=dict)

    def client(self, service: str, **options: Any) -> Any:
        return self.clients[service]


def fake_session(
    replies: Mapping[str, Reply] | None = None,
    *,
    outputs: Mapping[str, str] | None = None,
    clients: Mapping[str, Any] | None = None,
    as_json: bool = False,
    query: str | None = None,
    answers: Sequence[str] = (),
    has_terminal: bool = False,
) -> Session:
    """A session whose API answers `replies`. `answers` are what the operator types. `http_of` has the calls."""
    local = LocalStackFile("http://aws.test", "eu-central-1", "key", "secret", API, outputs or {})
    stage = FakeStage("local", Given("local", None, None), {}, local, clients or {})
    stage.__dict__["http"] = FakeHttp(replies or {})
    typed = iter(answers)
    session = Session(stage, as_json=as_json, query=query, ask=lambda _: next(typed), has_terminal=has_terminal)
    session.api.sleep = lambda _: None
    return session


def http_of(session: Session) -> FakeHttp:
    http = session.stage.http
    assert isinstance(http, FakeHttp)
    return http


def calls_of(session: Session) -> list[str]:
    """What the API was asked for, as `METHOD /path`."""
    return [call.line for call in http_of(session).calls]
