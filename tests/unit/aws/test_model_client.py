"""Errors of Bedrock's Converse become ours: what passes, what an operator mends, what is refused for good."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError, ReadTimeoutError

from recording_insights.aws.model_client import BedrockModel
from recording_insights.errors import (
    ModelRefused,
    ModelUnusable,
    ProviderBusy,
    ProviderUnavailable,
    ReplyTooLarge,
)


class Client:
    """boto3's client of bedrock-runtime: it answers with a reply, or raises."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply

    def converse(self, **request: Any) -> Any:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def refused(code: str, message: str = "", status: int = 400, headers: dict[str, str] | None = None) -> ClientError:
    meta: Any = {"HTTPStatusCode": status, "HTTPHeaders": headers or {}}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": meta}, "Converse")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused("ThrottlingException", "Too many requests"), ProviderBusy),
        (refused("ServiceQuotaExceededException"), ProviderBusy),
        (refused("ModelNotReadyException", status=429), ProviderBusy),
        (refused("SomethingNew", status=429), ProviderBusy),
        (refused("ServiceUnavailableException", status=503), ProviderUnavailable),
        (refused("InternalServerException", status=500), ProviderUnavailable),
        (refused("ModelTimeoutException", status=408), ProviderUnavailable),
        (refused("ModelErrorException", status=424), ProviderUnavailable),
        (refused("SomethingNew", status=502), ProviderUnavailable),
        (ReadTimeoutError(endpoint_url="https://a"), ProviderUnavailable),
        (EndpointConnectionError(endpoint_url="https://a"), ProviderUnavailable),
        (refused("AccessDeniedException", "You don't have access to the model", 403), ModelUnusable),
        (refused("ResourceNotFoundException", "The model has reached the end of its life.", 404), ModelUnusable),
        (refused("ValidationException", "The provided model identifier is invalid."), ModelUnusable),
        (refused("ValidationException", "… with on-demand throughput isn’t supported …"), ModelUnusable),
        (refused("ValidationException", "The guardrail identifier or version … does not exist."), ModelUnusable),
        (refused("ValidationException", "This model doesn't support the outputConfig field."), ModelRefused),
        (ParamValidationError(report="Unknown parameter in input"), ModelRefused),
    ],
)
def test_an_error_says_who_can_mend_it(error: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected) as raised:
        BedrockModel(Client(error)).converse({})
    assert type(raised.value) is expected


def test_bedrock_says_when_to_come_back() -> None:
    with pytest.raises(ProviderBusy) as raised:
        BedrockModel(Client(refused("ThrottlingException", headers={"retry-after": "7"}))).converse({})
    assert raised.value.retry_after == 7


@pytest.mark.parametrize(
    ("message", "is_too_long"),
    [
        ("The model returned the following errors: prompt is too long: 210000 tokens > 200000 maximum", True),
        ("The model returned the following errors: Input is too long for requested model.", True),
        ("input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000", True),
        ("The model returned the following errors: temperature: Extra inputs are not permitted", False),
    ],
)
def test_a_request_that_is_too_long_is_known(message: str, is_too_long: bool) -> None:
    with pytest.raises(ModelRefused) as raised:
        BedrockModel(Client(refused("ValidationException", message))).converse({})
    assert raised.value.is_too_long is is_too_long


def test_an_answer_is_returned_without_what_boto3_adds() -> None:
    answer = {"stopReason": "end_turn", "ResponseMetadata": {"RequestId": "1"}}
    assert BedrockModel(Client(answer)).converse({}) == {"stopReason": "end_turn"}
    with pytest.raises(ReplyTooLarge):
        BedrockModel(Client({"output": "x" * 200}), most_bytes=100).converse({})
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ReplyTooLarge):
        BedrockModel(Client({"output": nested})).converse({})
