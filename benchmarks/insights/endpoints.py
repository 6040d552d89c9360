"""The models that can be asked, all by boto3's client of Bedrock's Converse and the product's `BedrockModel`."""

import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from recording_insights.aws.model_client import CONNECT_SECONDS, READ_SECONDS, BedrockModel
from recording_insights.derive.model import Model
from recording_insights.derive.models import foundation_model
from sandbox.stand_ins.bedrock.answer import answer_to
from sandbox.stand_ins.bedrock.errors import ConverseError
from sandbox.stand_ins.bedrock.models import model_named
from sandbox.stand_ins.bedrock.open_model import OpenModel
from sandbox.stand_ins.bedrock.request_rules import check_request, read_request

STAND_INS_MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
"""The model whose rules the stand-in follows. Its words come from the conversation, not from that model."""


_PAUSES = (5, 10, 20, 40, 60, 60, 60, 60)


class NoAccount(Exception):
    """The environment names no AWS account or no region. The message says how to."""


@dataclass(frozen=True)
class Endpoint:
    """A model, the id that it is asked by, and what the table says of it.

    `pauses` are the seconds after which a call is made again that was throttled, or found nobody.
    """

    model: Model
    model_id: str
    name: str
    pauses: Sequence[int] = ()


def endpoint(model_id: str | None, dial: str | None = None) -> Endpoint:
    """Return Bedrock's model of this id, with the caller's credentials. Without an id: a model in this process.

    That is the one at MODEL_URL if the environment has it, else the stand-in, whose answers a `dial` spoils.

    Raises:
        BadModelUrl: MODEL_URL is no base URL.
        NoAccount: there are no credentials, or no region.
    """
    if model_id:
        session = boto3.Session()
        region = os.environ.get("AWS_REGION") or session.region_name
        if not region or not session.get_credentials():
            raise NoAccount("MODEL is asked with your AWS credentials in your region: set AWS_PROFILE and AWS_REGION.")
        model = BedrockModel(_client(region_name=region))
        return Endpoint(model, model_id, f"{model_id} on Amazon Bedrock in {region}", _PAUSES)
    other = OpenModel.from_environment(os.environ)
    name = other.greeting() if other else "the stand-in of Bedrock, which is no model"
    return Endpoint(BedrockModel(_client_of(_InProcess(other, dial))), STAND_INS_MODEL, name)


def _client(**more: Any) -> Any:
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return boto3.client("bedrock-runtime", config=config, **more)


def _client_of(answering: "_InProcess") -> Any:
    """A client whose requests stay in this process. It checks and writes them, and reads answers, as always."""
    client = _client(
        region_name="us-east-1",
        endpoint_url="https://bedrock.invalid",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106
    )
    client.meta.events.register("before-send.bedrock-runtime.Converse", answering)
    return client


@dataclass(frozen=True)
class _InProcess:
    """Bedrock's stand-in without its server: it refuses what Converse refuses."""

    other: OpenModel | None
    dial: str | None

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        try:
            status, body = 200, self._answer(request)
        except ConverseError as error:
            status, body = error.status, error.body
        return AWSResponse(str(request.url), status, HTTPHeaders(), _Raw(json.dumps(body).encode()))

    def _answer(self, request: AWSPreparedRequest) -> dict[str, Any]:
        model_id = unquote(urlsplit(str(request.url)).path.split("/")[2])
        assert isinstance(request.body, bytes)
        asked = read_request(model_id, request.body)
        name = foundation_model(model_id)
        model = model_named(model_id, name, "" if name == model_id else model_id.partition(".")[0])
        check_request(asked, model, [])
        answer = self.other.answer(asked, model) if self.other else answer_to(asked, model, self.dial)
        return answer.as_json(1)


class _Raw(io.BytesIO):
    """The body of an answer, as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()
