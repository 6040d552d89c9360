"""A model of the user's that answers instead of the stand-in: any server with OpenAI's chat completions.

MODEL_URL is its base URL, such as http://127.0.0.1:11434/v1. MODEL_NAME is the model there, by default the first one of
its list. MODEL_KEY is its key, if it wants one, and is never written anywhere. Nothing is sent to any other address:
redirects and proxies are not followed. A server that is away is an error of Converse, never a made-up answer.
Source: https://platform.openai.com/docs/api-reference/chat/create
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from sandbox.stand_ins.bedrock.answer import Answer
from sandbox.stand_ins.bedrock.errors import ConverseError
from sandbox.stand_ins.bedrock.models import Model

URL_VARIABLE, NAME_VARIABLE, KEY_VARIABLE = "MODEL_URL", "MODEL_NAME", "MODEL_KEY"
GREETING = "Bedrock: "
"""The beginning of the line that says who answers."""

_CONNECT_SECONDS, _ANSWER_SECONDS = 5, 900
_LOOK_SECONDS = 2
_LONGEST_MESSAGE = 300
_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "content_filtered",
    "tool_calls": "tool_use",
}
_ERRORS = {
    **dict.fromkeys((400, 404, 413, 422), "ValidationException"),
    **dict.fromkeys((401, 403), "AccessDeniedException"),
    **dict.fromkeys((408, 504), "ModelTimeoutException"),
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


class BadModelUrl(Exception):
    """MODEL_URL is no base URL. The message says what one looks like."""


class OpenModel:
    """A server with OpenAI's chat completions. `url` and `name` may be told to anybody."""

    def __init__(self, url: str, name: str | None = None, key: str | None = None) -> None:
        """Raises BadModelUrl. A user or a query in the URL could be secret, so neither is allowed."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise BadModelUrl(
                f"{URL_VARIABLE} must be a base URL such as http://127.0.0.1:11434/v1, without user and query."
            )
        self.url = url.rstrip("/")
        self._name = name
        self._key = key

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "OpenModel | None":
        """Return the model that the environment names, None without MODEL_URL. Raises BadModelUrl."""
        url = environment.get(URL_VARIABLE)
        return cls(url, environment.get(NAME_VARIABLE), environment.get(KEY_VARIABLE)) if url else None

    def greeting(self) -> str:
        """Return a line that says who answers, and whether that server is there."""
        try:
            name = self._name or self._first_name(_LOOK_SECONDS)
        except ConverseError as error:
            return f"{GREETING}{error} Until then Converse is refused with {error.kind}."
        return f"{GREETING}the model {name} at {self.url} ({URL_VARIABLE}) answers Converse."

    def answer(self, asked: Mapping[str, Any], model: Model) -> Answer:
        """Answer a checked request of Converse. Raises ConverseError."""
        name = self._name or self._first_name(_ANSWER_SECONDS)
        most = {"max_tokens": (asked.get("inferenceConfig") or {}).get("maxTokens", model.output_tokens)}
        reply = self._call("POST", "/chat/completions", _ANSWER_SECONDS, {**_translated(asked), **most, "model": name})
        try:
            return _answer_of(reply)
        except (KeyError, IndexError, TypeError, AttributeError):
            raise _garbage(self.url) from None

    def _first_name(self, seconds: float) -> str:
        models = self._call("GET", "/models", seconds)
        try:
            return str(models["data"][0]["id"])
        except (KeyError, IndexError, TypeError):
            raise ConverseError(
                "ServiceUnavailableException", f"The server at {self.url} has no model. Set {NAME_VARIABLE}."
            ) from None

    def _call(self, method: str, path: str, seconds: float, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.request(
                    method,
                    f"{self.url}{path}",
                    json=body,
                    headers=headers,
                    timeout=(min(_CONNECT_SECONDS, seconds), seconds),
                    allow_redirects=False,
                )
        except requests.ReadTimeout:
            raise ConverseError("ModelTimeoutException", f"The model at {self.url} does not answer in time.") from None
        except requests.RequestException:
            raise ConverseError(
                "ServiceUnavailableException",
                f"Nobody answers at {self.url}. Start that server, or start the sandbox without {URL_VARIABLE}.",
            ) from None
        if answer.status_code != 200:
            raise self._refused(answer)
        try:
            return answer.json()
        except ValueError:
            raise _garbage(self.url) from None

    def _refused(self, answer: requests.Response) -> ConverseError:
        kind = _ERRORS.get(answer.status_code, "ModelErrorException")
        said = answer.text[:_LONGEST_MESSAGE]
        if self._key:
            said = said.replace(self._key, "…")
        members = {"originalStatusCode": answer.status_code} if kind == "ModelErrorException" else {}
        return ConverseError(kind, f"The model at {self.url} refused with HTTP {answer.status_code}: {said}", **members)


def _garbage(url: str) -> ConverseError:
    return ConverseError(
        "ModelErrorException", f"The answer of the model at {url} is no chat completion.", originalStatusCode=200
    )


def _translated(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The request of OpenAI's, without model and max_tokens."""
    inference = asked.get("inferenceConfig") or {}
    names = {"temperature": "temperature", "topP": "top_p", "stopSequences": "stop"}
    system = [{"role": "system", "content": block["text"]} for block in asked.get("system") or [] if "text" in block]
    return {
        "messages": [*system, *(part for message in asked["messages"] for part in _messages(message))],
        "stream": False,
        **{names[name]: value for name, value in inference.items() if name in names},
        **_output_format((asked.get("outputConfig") or {}).get("textFormat")),
        **_tools(asked.get("toolConfig")),
    }


def _messages(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One message of Converse: each result of a tool is a message of its own at OpenAI's."""
    content: Sequence[Mapping[str, Any]] = message["content"]
    results = [
        {"role": "tool", "tool_call_id": block["toolResult"]["toolUseId"], "content": _result(block["toolResult"])}
        for block in content
        if "toolResult" in block
    ]
    calls = [
        {
            "id": block["toolUse"]["toolUseId"],
            "type": "function",
            "function": {"name": block["toolUse"]["name"], "arguments": json.dumps(block["toolUse"]["input"])},
        }
        for block in content
        if "toolUse" in block
    ]
    text = "\n".join(block["text"] for block in content if "text" in block)
    said = {"role": message["role"], "content": text or None, **({"tool_calls": calls} if calls else {})}
    return [*results, *([said] if text or calls else [])]


def _result(result: Mapping[str, Any]) -> str:
    return "\n".join(part["text"] if "text" in part else json.dumps(part.get("json")) for part in result["content"])


def _output_format(text_format: Mapping[str, Any] | None) -> dict[str, Any]:
    if not text_format:
        return {}
    given = text_format["structure"]["jsonSchema"]
    schema = {"name": given.get("name", "answer"), "schema": json.loads(given["schema"]), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _tools(config: Mapping[str, Any] | None) -> dict[str, Any]:
    if not config:
        return {}
    tools = [
        {
            "type": "function",
            "function": {
                "name": spec["name"],
                "parameters": spec["inputSchema"]["json"],
                **{name: spec[name] for name in ("description", "strict") if name in spec},
            },
        }
        for spec in (tool["toolSpec"] for tool in config["tools"])
    ]
    choice = config.get("toolChoice") or {}
    if "tool" in choice:
        return {"tools": tools, "tool_choice": {"type": "function", "function": {"name": choice["tool"]["name"]}}}
    return {"tools": tools, "tool_choice": "required" if "any" in choice else "auto"}


def _answer_of(reply: Mapping[str, Any]) -> Answer:
    choice, usage = reply["choices"][0], reply.get("usage") or {}
    message = choice["message"]
    content: list[dict[str, Any]] = [{"text": message["content"]}] if message.get("content") else []
    stop_reason = _STOP_REASONS.get(choice.get("finish_reason"), "end_turn")
    for call in message.get("tool_calls") or []:
        function = call["function"]
        try:
            given = json.loads(function["arguments"])
        except ValueError:
            content.append({"text": function["arguments"]})
            stop_reason = "malformed_tool_use" if stop_reason != "max_tokens" else stop_reason
        else:
            content.append({"toolUse": {"toolUseId": call["id"], "name": function["name"], "input": given}})
            stop_reason = "tool_use" if stop_reason == "end_turn" else stop_reason
    return Answer(content, stop_reason, int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0)))
