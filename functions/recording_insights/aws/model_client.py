"""The models of Amazon Bedrock, by Converse."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recording_insights.bounded import LARGEST_REPLY
from recording_insights.errors import (
    ModelRefused,
    ModelUnusable,
    ProviderBusy,
    ProviderUnavailable,
    ReplyTooLarge,
)

CONNECT_SECONDS, READ_SECONDS = 5, 300
"""Of one call: a model writes 8,192 tokens in two minutes, if it is slow."""

_BUSY = frozenset({"ThrottlingException", "ServiceQuotaExceededException", "ModelNotReadyException"})
_UNAVAILABLE = frozenset(
    {
        *("ServiceUnavailableException", "InternalServerException", "ModelTimeoutException", "ModelErrorException"),
        *("RequestTimeout", "RequestTimeoutException"),
    }
)
_UNUSABLE = frozenset(
    {
        *("AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException", "ExpiredTokenException"),
        *("UnknownOperationException", "OptInRequired"),
    }
)
"""Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html ("Errors")"""
_OF_OPERATOR = re.compile(
    r"model identifier|on-demand throughput|guardrail identifier|inference profile|access to the model|end of its life"
    r"|not (supported|available) in (this|your) (region|account|country)|not authorized|marketplace|use case details",
    re.IGNORECASE,
)
"""What a ValidationException says that only an operator can mend, as users of Bedrock quote it."""
_TOO_LONG = re.compile(
    r"too long|context (limit|length|window)|too many (input )?tokens|maximum context", re.IGNORECASE
)
_LONGEST_REASON = 300


@dataclass(frozen=True)
class BedrockModel:
    """Asks a model by boto3's client of bedrock-runtime, which makes one attempt at each call.

    An answer of more than `most_bytes` is not returned.
    """

    client: Any
    most_bytes: int = LARGEST_REPLY

    def converse(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a request, as `derive.model` says."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        try:
            reply = self.client.converse(**request)
        except ClientError as error:
            raise _error_of(error.response) from error
        except ParamValidationError as error:
            raise ModelRefused(str(error)[:_LONGEST_REASON]) from error
        except BotoCoreError as error:
            raise ProviderUnavailable(f"the model did not answer ({type(error).__name__})") from error
        answer = {name: value for name, value in reply.items() if name != "ResponseMetadata"}
        try:
            is_too_large = len(json.dumps(answer, default=str)) > self.most_bytes
        except RecursionError:
            raise ReplyTooLarge("the model's answer is nested too deeply") from None
        if is_too_large:
            raise ReplyTooLarge(f"the model's answer has more than {self.most_bytes} bytes")
        return answer


def _error_of(response: Mapping[str, Any]) -> Exception:
    code, message = response["Error"]["Code"], str(response["Error"].get("Message", ""))[:_LONGEST_REASON]
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _BUSY or status == 429:
        return ProviderBusy(f"{code}: {message}", _retry_after(response))
    if code in _UNUSABLE or (code == "ValidationException" and _OF_OPERATOR.search(message)):
        return ModelUnusable(f"{code}: {message}")
    if code in _UNAVAILABLE or status >= 500:
        return ProviderUnavailable(f"{code}: {message}")
    return ModelRefused(f"{code}: {message}", is_too_long=_TOO_LONG.search(message) is not None)


def _retry_after(response: Mapping[str, Any]) -> int | None:
    after = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    return int(after) if after.isascii() and after.isdecimal() else None
