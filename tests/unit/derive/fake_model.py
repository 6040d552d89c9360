"""Models without a network: one with scripted answers, one that answers by the engine of the sandbox's Bedrock."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from recording_insights.aws.model_client import BedrockModel
from recording_insights.derive.brief import Brief
from recording_insights.derive.lines import Line
from recording_insights.derive.model import Model
from recording_insights.derive.models import foundation_model
from recording_insights.derive.progress import Progress
from recording_insights.derive.steps import advance, begin, result
from recording_insights.model.derived import KINDS, Derived
from sandbox.stand_ins.bedrock.answer import answer_to
from sandbox.stand_ins.bedrock.errors import ConverseError
from sandbox.stand_ins.bedrock.models import model_named
from sandbox.stand_ins.bedrock.request_rules import check_request, read_request
from sandbox.stand_ins.bedrock.spoil import REFUSALS, refusal

HAIKU = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "amazon.nova-lite-v1:0"
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
ALL = Brief(HAIKU, KINDS)
_SHOWN = re.compile(r"\[([us]\d+)\] ([^:]+): (.+)")


def said(*texts: str, speakers: Sequence[str] = ("Anna", "Ben")) -> list[Line]:
    """Lines of speakers who take turns, with the ids L1, L2, …"""
    return [
        Line(f"L{number}", speakers[(number - 1) % len(speakers)], text, number * 1000)
        for number, text in enumerate(texts, start=1)
    ]


def nothing(*kinds: str) -> dict[str, Any]:
    """An answer of the right form in which nothing is found."""
    return {kind: {"text": "", "evidence": []} if kind == "title" else [] for kind in kinds or KINDS}


def shown_in(request: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(short id, speaker, words) of each line that a request shows."""
    text = request["messages"][0]["content"][0]["text"]
    return [match.groups() for line in text.splitlines() if (match := _SHOWN.fullmatch(line))]  # type: ignore[misc]


def reply(value: Any, stop: str = "end_turn", usage: tuple[int, int] = (100, 50)) -> dict[str, Any]:
    """Converse's answer with this value as JSON, or with this text."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}] if text else []}},
        "stopReason": stop,
        "usage": {"inputTokens": usage[0], "outputTokens": usage[1], "totalTokens": sum(usage)},
        "metrics": {"latencyMs": 1},
    }


class ScriptedModel:
    """Gives these answers in turn: replies, values to answer as JSON, or errors to raise. The last one is repeated.

    A request that Converse would refuse for its form is an error of the test.
    """

    def __init__(self, *answers: Any) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self._answers = list(answers)

    def converse(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        read_request(request["modelId"], _body(request))
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Mapping) and "output" in answer else reply(answer)


class StandInClient:
    """boto3's client of bedrock-runtime before the engine of the sandbox. Each call takes the next dial, if any."""

    def __init__(self, dials: Iterable[str | None] = ()) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self._dials = list(dials)

    def converse(self, **request: Any) -> Mapping[str, Any]:
        self.requests.append(request)
        model_id = request["modelId"]
        geography = model_id.partition(".")[0] if foundation_model(model_id) != model_id else ""
        try:
            model = model_named(model_id, foundation_model(model_id), geography)
            asked = read_request(model_id, _body(request))
            _check_once(asked, model)
            dial = self._dials.pop(0) if self._dials else None
            if dial and dial in REFUSALS:
                raise refusal(dial)
            return answer_to(asked, model, dial).as_json(1)
        except ConverseError as error:
            response = {
                "Error": {"Code": error.kind, "Message": str(error)},
                "ResponseMetadata": {"HTTPStatusCode": error.status, "HTTPHeaders": {}},
            }
            raise ClientError(response, "Converse") from error  # type: ignore[arg-type]


_CHECKED: set[str] = set()


def _check_once(asked: Mapping[str, Any], model: Any) -> None:
    """Check a request like the sandbox; a schema only once for each model, since that takes longer than the rest."""
    schema = json.dumps([model.id, asked.get("outputConfig"), asked.get("toolConfig")])
    known = {"outputConfig", "toolConfig"} if schema in _CHECKED else set()
    check_request({name: part for name, part in asked.items() if name not in known}, model, ["guard:1"])
    _CHECKED.add(schema)


def stand_in(*dials: str | None) -> BedrockModel:
    """The model of the sandbox. Each call takes the next dial, if any."""
    return BedrockModel(StandInClient(dials))


def _body(request: Mapping[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in request.items() if name != "modelId"}).encode()


TALK = said(
    "Good morning Ben, can you send the offer to the customer by Friday?",
    "Sure, I will send the offer by Friday.",
    "We decided to lower the price to 4,711 euros.",
    "Let's talk again about the delivery next week.",
    "Who pays for the delivery?",
    "The customer pays for the delivery.",
)
MOST_STEPS = 500


def derive(lines: Sequence[Line], brief: Brief, model: Model) -> Derived:
    """Advance until it is over. The progress is stored as JSON after each step, as the function does it."""
    progress = begin(lines, brief)
    for _ in range(MOST_STEPS):
        if progress.is_over:
            return result(progress, lines, brief)
        progress, _ = advance(progress, lines, brief, model)
        progress = Progress.from_map(json.loads(json.dumps(progress.to_map())))
    raise AssertionError("it does not end")
