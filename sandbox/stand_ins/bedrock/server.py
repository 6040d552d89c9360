"""Bedrock's Converse. The local cloud sends the request here after IAM has let it through, and hands the answer back.

The query says what the local cloud knows: `region`, `foundation_model`, and for a profile `geography` and `profile`.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.bedrock.answer import Answer, answer_to, digest_of
from sandbox.stand_ins.bedrock.dials import BedrockDials
from sandbox.stand_ins.bedrock.errors import ConverseError
from sandbox.stand_ins.bedrock.models import Model, model_named
from sandbox.stand_ins.bedrock.request_rules import check_request, read_request
from sandbox.stand_ins.bedrock.spoil import REFUSALS, SPOILS, refusal
from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime

CALL = "bedrock.converse"
PAID = "bedrock.calls"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class OtherModel(Protocol):
    """A model that answers instead of this stand-in."""

    def answer(self, asked: Mapping[str, Any], model: Model) -> Answer:
        """Answer a checked request. Raises ConverseError."""


class _Bedrock:
    def __init__(self, runtime: Runtime, other: OtherModel | None) -> None:
        self._runtime = runtime
        self._other = other
        self._counting = threading.Lock()

    def converse(self, model_id: str) -> ResponseReturnValue:
        model_id = unquote(model_id)
        region, geography = request.args.get("region", ""), request.args.get("geography", "")
        note(model=request.args.get("foundation_model", ""), region=region, profile=request.args.get("profile", ""))
        began = self._runtime.monotonic()
        try:
            answer = self._answer(model_id, geography)
        except ConverseError as error:
            note(error=error.kind)
            return _json(error.body, error.status)
        note(
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            stop_reason=answer.stop_reason,
        )
        self._runtime.ledger.pay(PAID)
        return _json(answer.as_json(max(1, round((self._runtime.monotonic() - began) * 1000))), 200)

    def _answer(self, model_id: str, geography: str) -> Answer:
        dials = self._runtime.dials.of(BedrockDials)
        asked = read_request(model_id, request.get_data())
        model = model_named(model_id, request.args.get("foundation_model", ""), geography)
        note(prompt=digest_of(asked))
        if model.id in dials.not_enabled:
            raise ConverseError(
                "AccessDeniedException", "You don't have access to the model with the specified model ID."
            )
        check_request(asked, model, dials.guardrails)
        self._runtime.jobs.sleep(dials.slow_seconds)
        if dial := self._take(tuple(REFUSALS)):
            raise refusal(dial)
        dial = self._take(SPOILS if "guardrailConfig" in asked else SPOILS[1:])
        if self._other and dial is None:
            return self._other.answer(asked, model)
        return answer_to(asked, model, dial)

    def _take(self, names: Sequence[str]) -> str | None:
        """The first of these dials that is turned, which is counted down."""
        with self._counting:
            dials = self._runtime.dials.of(BedrockDials)
            dial = next((name for name in names if getattr(dials, name)), None)
            if dial:
                self._runtime.dials.turn(BedrockDials, **{dial: getattr(dials, dial) - 1})
                note(dial=dial)
            return dial


def bedrock_blueprint(runtime: Runtime, other: OtherModel | None = None) -> Blueprint:
    """POST model/{id}/converse. With `other` that model answers, unless a dial spoils the answer."""
    blueprint = Blueprint("bedrock", __name__)
    converse = runtime.calls.named(CALL)(_Bedrock(runtime, other).converse)
    blueprint.add_url_rule("/model/<path:model_id>/converse", "converse", converse, methods=["POST"])

    @blueprint.route("/", defaults={"path": ""}, methods=_METHODS)
    @blueprint.route("/<path:path>", methods=_METHODS)
    def unknown(path: str) -> ResponseReturnValue:
        return _json({"__type": "UnknownOperationException", "message": "This Bedrock has Converse only."}, 404)

    return blueprint


def _json(body: Mapping[str, Any], status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")
