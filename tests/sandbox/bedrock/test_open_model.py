"""MODEL_URL: a server with OpenAI's chat completions answers Converse. A strict one listens on loopback."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.stand_ins.app import create_app
from sandbox.stand_ins.bedrock.open_model import BadModelUrl, OpenModel
from tests.sandbox.bedrock.converse import (
    HAIKU,
    SCHEMA,
    TRANSCRIPT,
    converse,
    fault,
    forced,
    request,
    text_format,
    user,
)
from tests.sandbox.conftest import StandIns

KEY = "sk-secret-of-the-user"
_MEMBERS = {"model", "messages", "stream", "max_tokens", "temperature", "top_p", "stop"}
_MEMBERS |= {"response_format", "tools", "tool_choice"}


@pytest.fixture(autouse=True)
def no_sockets(socket_enabled: None) -> None:
    """The server of these tests listens on loopback."""


class Server:
    """Keeps what it was asked, and answers with `reply`: a status, and a body of JSON or bytes."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.reply: tuple[int, Any] = (200, completion("hello"))
        self.models: list[str] = ["llama3:8b", "other"]
        self.url = ""

    def answer(self, method: str, path: str, key: str | None, body: bytes) -> tuple[int, Any]:
        self.keys.append(key)
        if (method, path) == ("GET", "/v1/models"):
            return 200, {"data": [{"id": name} for name in self.models]}
        asked = json.loads(body)
        if (method, path) != ("POST", "/v1/chat/completions") or asked.keys() - _MEMBERS or not asked["messages"]:
            return 400, {"error": {"message": f"strict: {sorted(asked.keys() - _MEMBERS)}"}}
        if any(part["role"] not in ("system", "user", "assistant", "tool") for part in asked["messages"]):
            return 400, {"error": {"message": "strict: role"}}
        self.asked.append(asked)
        return self.reply


def completion(content: str | None, reason: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": content, **message}, "finish_reason": reason}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    }


def called(arguments: str, reason: str = "tool_calls") -> dict[str, Any]:
    function = {"name": "give_insights", "arguments": arguments}
    return completion(None, reason, tool_calls=[{"id": "call_1", "type": "function", "function": function}])


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

        def _reply(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = server.answer(method, self.path, self.headers.get("Authorization"), body)
            written = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *given: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listening.server_port}/v1"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


@pytest.fixture(scope="module")
def one_server() -> Iterator[Server]:
    with serving(Server()) as server:
        yield server


@pytest.fixture
def server(one_server: Server) -> Server:
    one_server.asked.clear()
    one_server.keys.clear()
    one_server.reply, one_server.models = (200, completion("hello")), ["llama3:8b", "other"]
    return one_server


Asks = Callable[..., Any]


@pytest.fixture
def ask(shared_stand_ins: StandIns, server: Server) -> Asks:
    """Converse with the server behind the stand-in."""

    def ask(key: str | None = None, url: str = server.url, **changes: Any) -> Any:
        app = create_app(shared_stand_ins.runtime, only={"bedrock"}, other_model=OpenModel(url, key=key))
        there = StandIns(app.test_client(), shared_stand_ins.runtime, shared_stand_ins.bucket, {}, [], [])
        return converse(there, **changes)

    return ask


def test_a_request_is_translated(ask: Asks, server: Server) -> None:
    inference = {"maxTokens": 99, "temperature": 0.2, "stopSequences": ["END"]}
    answer = ask(inferenceConfig=inference, outputConfig=text_format(SCHEMA)).json
    assert server.asked == [
        {
            "model": "llama3:8b",
            "messages": [
                {"role": "system", "content": request()["system"][0]["text"]},
                {"role": "user", "content": TRANSCRIPT},
            ],
            "stream": False,
            "max_tokens": 99,
            "temperature": 0.2,
            "stop": ["END"],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "insights", "schema": dict(SCHEMA), "strict": True},
            },
        }
    ]
    assert answer["output"]["message"] == {"role": "assistant", "content": [{"text": "hello"}]}
    assert answer["usage"] == {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}


def test_tools_are_translated_both_ways(ask: Asks, server: Server) -> None:
    server.reply = (200, called('{"title": "a"}'))
    answer = ask(toolConfig=forced(SCHEMA, description="Give the insights.")).json
    (asked,) = server.asked
    assert asked["tools"] == [
        {
            "type": "function",
            "function": {"name": "give_insights", "parameters": dict(SCHEMA), "description": "Give the insights."},
        }
    ]
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "give_insights"}}
    use = {"toolUseId": "call_1", "name": "give_insights", "input": {"title": "a"}}
    assert (answer["stopReason"], answer["output"]["message"]["content"]) == ("tool_use", [{"toolUse": use}])
    result = {"toolUseId": "call_1", "content": [{"json": {"ok": True}}, {"text": "more"}]}
    messages = [
        user("go"),
        {"role": "assistant", "content": [{"text": "so"}, {"toolUse": use}]},
        {"role": "user", "content": [{"toolResult": result}, {"text": "on"}]},
    ]
    ask(messages=messages, toolConfig={**forced(SCHEMA), "toolChoice": {"any": {}}})
    assert server.asked[1]["tool_choice"] == "required"
    assert server.asked[1]["messages"][2:] == [
        {
            "role": "assistant",
            "content": "so",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "give_insights", "arguments": '{"title": "a"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": '{"ok": true}\nmore'},
        {"role": "user", "content": "on"},
    ]


@pytest.mark.parametrize(
    ("reply", "reason", "content"),
    [
        (completion("cut", "length"), "max_tokens", [{"text": "cut"}]),
        (completion(None, "content_filter"), "content_filtered", []),
        (called("{", "tool_calls"), "malformed_tool_use", [{"text": "{"}]),
        (called("{", "length"), "max_tokens", [{"text": "{"}]),
        (
            called("{}", "stop"),
            "tool_use",
            [{"toolUse": {"toolUseId": "call_1", "name": "give_insights", "input": {}}}],
        ),
        (completion("prose instead of a call"), "end_turn", [{"text": "prose instead of a call"}]),
    ],
)
def test_ends_of_answers(ask: Asks, server: Server, reply: Any, reason: str, content: Any) -> None:
    server.reply = (200, reply)
    answer = ask(toolConfig=forced(SCHEMA)).json
    assert (answer["stopReason"], answer["output"]["message"]["content"]) == (reason, content)


@pytest.mark.parametrize(
    ("reply", "status", "kind"),
    [
        ((429, {"error": "slow down"}), 429, "ThrottlingException"),
        ((400, {"error": "no schema"}), 400, "ValidationException"),
        ((401, {"error": f"bad key {KEY}"}), 403, "AccessDeniedException"),
        ((500, {"error": "broken"}), 424, "ModelErrorException"),
        ((302, b""), 424, "ModelErrorException"),
        ((504, b""), 408, "ModelTimeoutException"),
        ((200, b"<html>"), 424, "ModelErrorException"),
        ((200, {"choices": []}), 424, "ModelErrorException"),
        ((200, ["a"]), 424, "ModelErrorException"),
    ],
)
def test_errors_stay_errors(ask: Asks, server: Server, reply: tuple[int, Any], status: int, kind: str) -> None:
    server.reply = reply
    found, found_kind, said = fault(ask(key=KEY))
    assert (found, found_kind) == (status, kind)
    assert server.url in said
    assert KEY not in said
    assert server.keys == [f"Bearer {KEY}"] * 2


def test_a_server_that_is_away(ask: Asks) -> None:
    away = "http://127.0.0.1:1/v1"
    status, kind, said = fault(ask(url=away))
    assert (status, kind) == (503, "ServiceUnavailableException")
    assert f"Nobody answers at {away}" in said
    assert f"Nobody answers at {away}" in OpenModel(away).greeting()


def test_the_greeting_names_model_and_server_and_no_key(server: Server) -> None:
    said = OpenModel(server.url, key=KEY).greeting()
    assert ("llama3:8b" in said, server.url in said, KEY in said) == (True, True, False)
    assert "the model mine at" in OpenModel(server.url, "mine").greeting()
    server.models = []
    assert "has no model. Set MODEL_NAME." in OpenModel(server.url).greeting()


def test_checks_and_dials_come_first(ask: Asks, shared_stand_ins: StandIns, server: Server) -> None:
    assert fault(ask(messages=[]))[:2] == (400, "ValidationException")
    shared_stand_ins.dials(bedrock={"throttle_next": 1})
    assert fault(ask())[:2] == (429, "ThrottlingException")
    assert server.asked == []
    assert ask().status_code == 200
    assert shared_stand_ins.ledger()["lines"][-1]["model"] == HAIKU


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "file:///etc/passwd", "http://me:pw@127.0.0.1/v1", "http://a/v1?key=b"]
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(BadModelUrl, match="must be a base URL") as refused:
        OpenModel.from_environment({"MODEL_URL": url})
    assert url not in str(refused.value)


@pytest.mark.parametrize("environment", [{}, {"MODEL_URL": ""}, {"MODEL_KEY": KEY}])
def test_no_url_no_model(environment: Mapping[str, str]) -> None:
    assert OpenModel.from_environment(environment) is None
