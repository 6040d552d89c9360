"""The HTTP API's requests and responses, in API Gateway's payload format 2.0.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from recording_insights.bounded import parse_bounded
from recording_insights.deadline import Deadline
from recording_insights.errors import InvalidRequest, NotFound, PayloadTooLarge
from recording_insights.http.problems import CONTENT_TYPE, UNEXPECTED, Problem, problem_of
from recording_insights.measures import measure
from recording_insights.validation import RECORDING_ID

LARGEST_BODY = 16 * 1024
LARGEST_CALLBACK = 6 * 1024 * 1024
"""The limit for a vendor's callback: the largest event that Lambda accepts."""
ANSWER_MARGIN_SECONDS = 2.0
"""The part of a function's time that is reserved for the last writes and the response."""

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Conversations are in no cache, and no browser takes a text of theirs for a page."""

_RECORDING_ID = re.compile(RECORDING_ID)

LONGEST_NAME = 640
"""Of a caller, in characters: more than the longest ARN, that of a user with a path of 512.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
_LONGEST_LOGGED = 256
"""Of each text that a request says of itself, in characters."""


class LambdaContext(Protocol):
    """The part of Lambda's context that the functions use."""

    def get_remaining_time_in_millis(self) -> int: ...


def parse_json(body: bytes) -> Any:
    """Parse a body as JSON. Raises ValueError, also for half a surrogate pair.

    Half a surrogate pair is valid JSON, but the table cannot store it and Agora cannot receive it.
    """
    value = parse_bounded(body)
    json.dumps(value, ensure_ascii=False).encode()
    return value


@dataclass(frozen=True)
class HttpMessage:
    """The body of a request as received, and its headers with names in lower case."""

    body: bytes
    headers: Mapping[str, str]

    def json_object(self, parse: Callable[[bytes], Any] = parse_json) -> dict[str, Any]:
        """The body as a JSON object. `parse` may raise ValueError.

        Raises:
            InvalidRequest: the body is not JSON or not an object.
        """
        try:
            value = parse(self.body)
        except ValueError:
            raise InvalidRequest("body", "is not JSON") from None
        if not isinstance(value, dict):
            raise InvalidRequest("body", "must be a JSON object")
        return value


@dataclass(frozen=True)
class HttpRequest(HttpMessage):
    """A request to a route.

    `deadline` is the moment at which the response must be ready. `who` is the name of who calls, for logs and rows:
    see `who_calls`. `caller` tells callers apart: see `caller_of`.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    deadline: Deadline
    caller: str = ""
    who: str | None = None

    @classmethod
    def from_event(
        cls, event: Mapping[str, Any], context: LambdaContext, largest_body: int = LARGEST_BODY
    ) -> "HttpRequest":
        """Read an event of API Gateway.

        Raises:
            InvalidRequest: the event says that the body is base64, but it is not.
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
            caller=caller_of(event),
            who=who_calls(event),
        )

    @property
    def recording_id(self) -> str:
        """The recording id in the path.

        Raises:
            NotFound: no recording can have this id.
        """
        recording_id = self.path.get("recording_id", "")
        if not _RECORDING_ID.fullmatch(recording_id):
            raise NotFound("a recording id has 32 hexadecimal digits")
        return recording_id


@dataclass(frozen=True)
class HttpResponse:
    """A response. `content` is written as JSON."""

    content: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def event(self) -> dict[str, Any]:
        """The response in the form that Lambda returns."""
        return {
            "statusCode": self.status,
            "headers": {"content-type": "application/json", **_HEADERS, **self.headers},
            "body": self.body,
        }

    @property
    def body(self) -> str:
        """The content as it is sent."""
        return json.dumps(self.content, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class TextResponse(HttpResponse):
    """A response whose content is a text. Its headers name the content type."""

    @property
    def body(self) -> str:
        """The text."""
        text: str = self.content
        return text


def caller_of(event: Mapping[str, Any]) -> str:
    """Return who calls: the ARN of an IAM user or role, or the subject of a JWT; empty if API Gateway names nobody.

    The ARN of a role has no session name: each task of a service has another one, and repeats the calls of the others.
    """
    arn, claims = _identity(event)
    if ":assumed-role/" in arn:
        return arn.rpartition("/")[0]
    return arn or str(claims.get("sub") or "")


def who_calls(event: Mapping[str, Any]) -> str | None:
    """Return the name of who calls, for people to read; None if API Gateway names nobody.

    It is the whole ARN of an IAM user or role, with the session name, or the subject of a JWT. A JWT without a subject
    has the id of its client. The name has at most 640 printable characters, whatever the issuer puts into its tokens.
    """
    arn, claims = _identity(event)
    names = (_printable(name, LONGEST_NAME) for name in (arn, claims.get("sub"), claims.get("client_id")))
    return next(filter(None, names), None)


def _identity(event: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the ARN, empty if there is none, and the claims of who calls, as API Gateway has verified them."""
    authorizer = _object(_object(event.get("requestContext")).get("authorizer"))
    arn = _object(authorizer.get("iam")).get("userArn")
    return str(arn or ""), _object(_object(authorizer.get("jwt")).get("claims"))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _printable(value: Any, longest: int) -> str | None:
    """Return a text of others, cut and with `�` in place of what is not printable; None if it is no text or blank."""
    if not isinstance(value, str) or not value.strip():
        return None
    cut = value if len(value) <= longest else f"{value[: longest - 1]}…"
    return "".join(character if character.isprintable() else "\ufffd" for character in cut)


Route = Callable[[HttpRequest], HttpResponse]
LambdaHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def http_route(
    logger: Logger,
    *,
    parameters: Collection[str] = (),
    largest_body: int = LARGEST_BODY,
    is_anonymous: bool = False,
) -> Callable[[Route], LambdaHandler]:
    """Make a Lambda handler of a function from request to response.

    A request with another query parameter than `parameters` is refused, so that a misspelt one is noticed. A vendor may
    add parameters to the address of a webhook.

    Errors of the function become problem documents. Who calls a route without a sign-in learns the status only: the
    reason may name a secret or what the stack lacks. The handler logs one line for each request: who called, from
    where, the method and the path, and the reason of a refusal. Body and query are in no log, and neither is the path
    of a route without a sign-in, which may hold a token.
    """

    def decorate(route: Route) -> LambdaHandler:
        @wraps(route)
        def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            fields = _log_fields(event, is_anonymous)
            try:
                request = HttpRequest.from_event(event, context, largest_body)
                if not is_anonymous:
                    _check_parameters(request.query, parameters)
                response = route(request)
            except Exception as error:
                problem = problem_of(error)
                if problem is UNEXPECTED:
                    logger.exception("failed", extra=fields)
                else:
                    _log_refusal(logger, problem, fields)
                if is_anonymous and problem.status == 401:
                    measure("WebhookRefused", route=str(fields["route"]))
                document = problem.bare_document() if is_anonymous else problem.document()
                return _problem_response(problem, document, fields["request_id"]).event()
            if isinstance(response.content, dict):
                fields["recording_id"] = response.content.get("recording_id", fields["recording_id"])
            logger.info("answered", extra={**fields, "status": response.status})
            return response.event()

        return handler

    return decorate


def _check_parameters(query: Mapping[str, str], known: Collection[str]) -> None:
    for name in query:
        if name not in known:
            raise InvalidRequest(name, f"unknown; the parameters are {', '.join(known)}" if known else "unknown")


def _log_fields(event: Mapping[str, Any], is_anonymous: bool) -> dict[str, Any]:
    context = _object(event.get("requestContext"))
    http = _object(context.get("http"))
    said = {"source_ip": "sourceIp", "user_agent": "userAgent", "method": "method"}
    if not is_anonymous:
        said["path"] = "path"
    return {
        "route": event.get("routeKey"),
        "request_id": context.get("requestId"),
        "recording_id": (event.get("pathParameters") or {}).get("recording_id"),
        "who": who_calls(event),
        **{name: _printable(http.get(key), _LONGEST_LOGGED) for name, key in said.items()},
    }


def _log_refusal(logger: Logger, problem: Problem, fields: Mapping[str, Any]) -> None:
    log = logger.error if problem.status >= 500 else logger.info
    log("refused", extra={**fields, "status": problem.status, "reason": problem.detail})


def _problem_response(problem: Problem, document: Mapping[str, Any], request_id: str | None) -> HttpResponse:
    headers = {"content-type": CONTENT_TYPE}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    return HttpResponse({**document, "request_id": request_id}, problem.status, headers)
