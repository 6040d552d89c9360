"""Errors as problem documents (RFC 9457). This is the only module that gives an error an HTTP status."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from recording_insights.errors import (
    AgoraRefusedCredentials,
    AgoraRejected,
    AgoraUnavailable,
    AnswerTooLarge,
    AwsUnavailable,
    CallbackForged,
    Conflict,
    IntakePaused,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RecordingErased,
    RecordingInsightsError,
    SecretUnavailable,
    SecretUnusable,
    UploadCredentialsUnavailable,
    UploadKeyRefused,
    WatchUnavailable,
)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS, PAUSED_SECONDS = 10, 60
"""When a caller may try again: after a fault that passes, and while the intake is paused."""


@dataclass(frozen=True)
class Problem:
    """A problem document. `kind` names the problem for programs. `members` are further members of the document."""

    status: int
    kind: str
    title: str
    detail: str
    members: dict[str, Any] = field(default_factory=dict)
    retry_after: int | None = None

    def document(self) -> dict[str, Any]:
        """The problem as a JSON object."""
        return {
            "type": f"urn:recording-insights:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }

    def bare_document(self) -> dict[str, Any]:
        """The problem as a JSON object, for callers who may learn no more than the status."""
        return {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status}


UNEXPECTED = Problem(
    500, "internal-error", "Internal error", "The request failed; the log has the reason under its request id."
)

_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
    }
)
"""AWS's codes, with status 400, for a call that may succeed later."""

PROBLEMS: dict[type[RecordingInsightsError], tuple[int, str, str]] = {
    InvalidRequest: (400, "invalid-request", "A field of the request is wrong"),
    CallbackForged: (401, "callback-forged", "The callback is not authentic"),
    NotFound: (404, "not-found", "No such recording"),
    RecordingErased: (410, "recording-erased", "The recording was erased"),
    Conflict: (409, "conflict", "The recording's state does not allow it"),
    PayloadTooLarge: (413, "payload-too-large", "The request body is too large"),
    AnswerTooLarge: (413, "answer-too-large", "The answer is too large for this format"),
    IntakePaused: (503, "intake-paused", "The intake is paused"),
    WatchUnavailable: (503, "watch-unavailable", "AWS did not start the watch over the recording"),
    SecretUnusable: (500, "secret-unusable", "A secret cannot be used"),
    SecretUnavailable: (503, "secret-unavailable", "A secret cannot be read"),
    UploadKeyRefused: (500, "upload-key-refused", "The key for uploads cannot be used"),
    UploadCredentialsUnavailable: (503, "upload-credentials-unavailable", "AWS gave no credentials for the upload"),
    AgoraRefusedCredentials: (502, "agora-refused-credentials", "Agora refused the credentials"),
    AgoraRejected: (502, "agora-rejected", "Agora refused the request"),
    AwsUnavailable: (503, "aws-unavailable", "AWS is not available"),
    AgoraUnavailable: (503, "agora-unavailable", "Agora is not available"),
}


def problem_of(error: Exception) -> Problem:
    """The problem of an error. It is `UNEXPECTED` for an error that callers must not see.

    A call of AWS that got no answer in time, a 5xx or a throttle is a problem of its own: trying again may help.
    """
    if fault := _fault_of_aws(error):
        error = AwsUnavailable(f"AWS did not answer in time ({fault}); try again.")
    for kind in type(error).__mro__:
        if kind in PROBLEMS:
            status, name, title = PROBLEMS[kind]
            break
    else:
        return UNEXPECTED
    members: dict[str, Any] = {}
    if isinstance(error, InvalidRequest):
        members["field"] = error.field
    if isinstance(error, RecordingErased):
        members["receipt"] = dict(error.receipt)
    if isinstance(error, AgoraRejected) and error.code is not None:
        members["agora_code"] = error.code
    seconds = PAUSED_SECONDS if isinstance(error, IntakePaused) else RETRY_SECONDS
    return Problem(status, name, title, str(error), members, retry_after=seconds if status == 503 else None)


def _fault_of_aws(error: Exception) -> str | None:
    """Return the name of the passing fault of AWS that an error is; None for any other error.

    The text of botocore's errors contains whole URLs. The name says enough.
    """
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

    if isinstance(error, ConnectionError | HTTPClientError):
        return type(error).__name__
    if not isinstance(error, ClientError):
        return None
    code = str(error.response.get("Error", {}).get("Code"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code if status >= 500 or code in _THROTTLED else None
