"""Converse's answer, made of the words of the request.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html ("Converse API response")
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.stand_ins.bedrock.fill import filled
from sandbox.stand_ins.bedrock.findings import Findings, findings_in
from sandbox.stand_ins.bedrock.models import Model
from sandbox.stand_ins.bedrock.spoil import spoil_findings, spoil_text, spoil_value
from sandbox.stand_ins.bedrock.tokens import CHARACTERS_PER_TOKEN, input_tokens, tokens_of
from sandbox.stand_ins.bedrock.transcript import lines_of, system_of

BLOCKED = "Sorry, the model cannot answer this question."
"""What a guardrail says instead of an answer, as AWS's console proposes it."""


@dataclass(frozen=True)
class Wanted:
    """How the request wants its answer: `schema` of the JSON, and the `tool` that it is given to. None: free text."""

    schema: Mapping[str, Any] | None
    tool: str | None


@dataclass(frozen=True)
class Answer:
    """Content, stop reason and tokens of an answer."""

    content: list[dict[str, Any]]
    stop_reason: str
    input_tokens: int
    output_tokens: int
    trace: Mapping[str, Any] | None = None

    def as_json(self, latency_ms: int) -> dict[str, Any]:
        """Return the body of Converse's answer."""
        return {
            "output": {"message": {"role": "assistant", "content": self.content}},
            "stopReason": self.stop_reason,
            "usage": {
                "inputTokens": self.input_tokens,
                "outputTokens": self.output_tokens,
                "totalTokens": self.input_tokens + self.output_tokens,
            },
            "metrics": {"latencyMs": latency_ms},
            **({"trace": self.trace} if self.trace else {}),
        }


def wanted_by(request: Mapping[str, Any]) -> Wanted:
    """Return how a request wants its answer. A tool is used if it is forced, or if there is no other form."""
    config = request.get("toolConfig") or {}
    schemas = {tool["toolSpec"]["name"]: tool["toolSpec"]["inputSchema"]["json"] for tool in config.get("tools", [])}
    choice = config.get("toolChoice") or {"auto": {}}
    text_format = (request.get("outputConfig") or {}).get("textFormat")
    has_results = any("toolResult" in block for block in request["messages"][-1]["content"])
    if "tool" in choice:
        return Wanted(schemas[choice["tool"]["name"]], choice["tool"]["name"])
    if schemas and ("any" in choice or not (text_format or has_results)):
        name = next(iter(schemas))
        return Wanted(schemas[name], name)
    return Wanted(json.loads(text_format["structure"]["jsonSchema"]["schema"]) if text_format else None, None)


def answer_to(request: Mapping[str, Any], model: Model, dial: str | None) -> Answer:
    """Answer a request that was checked. `dial` spoils the answer."""
    tokens = input_tokens(request)
    if dial == "guardrail_next" and "guardrailConfig" in request:
        return _blocked(request, tokens)
    if dial == "content_filtered_next":
        return Answer([], "content_filtered", tokens, 0)
    wanted = wanted_by(request)
    findings = spoil_findings(dial, findings_in(lines_of(request)), system_of(request))
    value = spoil_value(dial, filled(wanted.schema, findings)) if wanted.schema is not None else None
    text = spoil_text(dial, _compact(value)) if wanted.schema is not None else _free_text(findings)
    inference = request.get("inferenceConfig") or {}
    most = inference.get("maxTokens", model.output_tokens)
    if dial == "cut_next":
        most = min(most, tokens_of(text) // 2)
    if dial != "oversized_next" and tokens_of(text) > most:
        return Answer(_cut(wanted, text[: most * CHARACTERS_PER_TOKEN]), "max_tokens", tokens, most)
    if wanted.tool is None:
        return _text_answer(text, inference.get("stopSequences", []), tokens)
    if dial in ("malformed_json_next", "prose_next"):
        return Answer([{"text": text}], "malformed_tool_use", tokens, tokens_of(text))
    return Answer([_tool_use(wanted.tool, value)], "tool_use", tokens, tokens_of(text))


def digest_of(request: Mapping[str, Any]) -> str:
    """Return a digest of the prompt: system and messages. Equal prompts have equal digests."""
    prompt = _compact([request.get("system"), request.get("messages")])
    return hashlib.sha256(prompt.encode()).hexdigest()[:16]


def _text_answer(text: str, stops: list[str], tokens: int) -> Answer:
    ends = [end for stop in stops if (end := text.find(stop)) >= 0]
    if ends:
        text = text[: min(ends)]
    return Answer([{"text": text}], "stop_sequence" if ends else "end_turn", tokens, tokens_of(text))


def _cut(wanted: Wanted, text: str) -> list[dict[str, Any]]:
    """A text ends anywhere. The input of a tool is a document, which cannot end so: it is empty."""
    return [{"text": text}] if wanted.tool is None else [_tool_use(wanted.tool, {})]


def _tool_use(name: str, value: Any) -> dict[str, Any]:
    digest = hashlib.sha256(_compact(value).encode()).hexdigest()
    return {"toolUse": {"toolUseId": f"tooluse_{digest[:22]}", "name": name, "input": value}}


def _free_text(findings: Findings) -> str:
    return " ".join(finding.text for finding in findings.summary) or "Nothing was said."


def _blocked(request: Mapping[str, Any], tokens: int) -> Answer:
    config = request["guardrailConfig"]
    trace = None
    if config.get("trace", "disabled") != "disabled":
        found = {"filters": [{"type": "PROMPT_ATTACK", "confidence": "HIGH", "action": "BLOCKED"}]}
        trace = {"guardrail": {"inputAssessment": {config["guardrailIdentifier"]: {"contentPolicy": found}}}}
    return Answer([{"text": BLOCKED}], "guardrail_intervened", tokens, 0, trace)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
