"""The edge of the HTTP API: events of payload format 2.0 in, JSON and problem documents out.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import wraps
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from recording_insights.deadline import Deadline
from recording_insights.errors import InvalidRequest, NotFound, PayloadTooLarge
from recording_insights.http.problems import CONTENT_TYPE, UNEXPECTED, problem_of

LARGEST_BODY = 16 * 1024
LARGEST_CALLBACK = 6 * 1024 * 1024
"""Of a vendor's callback: what Lambda takes at all."""
ANSWER_MARGIN_SECONDS = 2.0
"""Kept back from a function's time for the last writes and the answer."""

_RECORDING_ID = re.compile(r"[0-9a-f]{32}")


class LambdaContext(Protocol):
    """The part of Lambda's context that is used here."""

    def get_remaining_time_in_millis(self) -> int: ...


@dataclass(frozen=True)
class HttpRequest:
    """A request; header names are in lower case, `deadline` is when the answer has to be ready."""

    body: bytes
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    deadline: Deadline

    @classmethod
    def from_event(
        cls, event: Mapping[str, Any], context: LambdaContext, largest_body: int = LARGEST_BODY
    ) -> "HttpRequest":
        """From an event.

        Raises:
            InvalidRequest: the body is marked as base64 and is none.
            PayloadTooLarge: the body exceeds `largest_body` bytes.
        """
        body = (event.get("body") or "").encode(errors="surrogatepass")
        if event.get("isBase64Encoded"):
            try:
                body = base64.b64decode(body, validate=True)
            except binascii.Error:
                raise InvalidRequest("body", "is not base64") from None
        if len(body) > largest_body:
            raise PayloadTooLarge(f"the body has {len(body)} bytes, {largest_body} are allowed")
        return cls(
            body=body,
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            deadline=Deadline.after(context.get_remaining_time_in_millis() / 1000 - ANSWER_MARGIN_SECONDS),
        )

    @property
    def recording_id(self) -> str:
        """The recording named in the path.

        Raises:
            NotFound: no recording can have this id.
        """
        recording_id = self.path.get("recording_id", "")
        if not _RECORDING_ID.fullmatch(recording_id):
            raise NotFound("a recording id has 32 hexadecimal digits")
        return recording_id

    def json_object(self) -> Mapping[str, Any]:
        """The body as a JSON object.

        Raises:
            InvalidRequest: it is something else.
        """
        try:
            value = json.loads(self.body)
            # Half a surrogate pair is valid JSON and can be neither stored nor sent on.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise InvalidRequest("body", "is not JSON") from None
        if not isinstance(value, dict):
            raise InvalidRequest("body", "must be a JSON object")
        return value


@dataclass(frozen=True)
class HttpResponse:
    """An answer; `content` is written as JSON."""

    content: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def event(self) -> dict[str, Any]:
        """As Lambda returns it."""
        return {
            "statusCode": self.status,
            "headers": {"content-type": "application/json", **self.headers},
            "body": json.dumps(self.content, default=_plain, ensure_ascii=False, separators=(",", ":")),
        }


Route = Callable[[HttpRequest], HttpResponse]
LambdaHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def http_route(logger: Logger, *, largest_body: int = LARGEST_BODY) -> Callable[[Route], LambdaHandler]:
    """Make a Lambda handler of a function from request to response; its errors become problem documents.

    Logs one line per request, with neither body nor query.
    """

    def decorate(route: Route) -> LambdaHandler:
        @wraps(route)
        def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            seen = {
                "route": event.get("routeKey"),
                "request_id": (event.get("requestContext") or {}).get("requestId"),
                "recording_id": (event.get("pathParameters") or {}).get("recording_id"),
            }
            try:
                response = route(HttpRequest.from_event(event, context, largest_body))
            except Exception as error:
                problem = problem_of(error)
                if problem is UNEXPECTED:
                    logger.exception("failed", extra=seen)
                else:
                    seen |= {"status": problem.status, "reason": problem.detail}
                    (logger.error if problem.status >= 500 else logger.info)("refused", extra=seen)
                headers = {"content-type": CONTENT_TYPE}
                if problem.retry_after is not None:
                    headers["retry-after"] = str(problem.retry_after)
                document = {**problem.document(), "request_id": seen["request_id"]}
                return HttpResponse(document, problem.status, headers).event()
            if isinstance(response.content, dict):
                seen["recording_id"] = response.content.get("recording_id", seen["recording_id"])
            logger.info("answered", extra={**seen, "status": response.status})
            return response.event()

        return handler

    return decorate


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
