"""The errors of Converse. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"""

from typing import Any

STATUSES = {
    "SerializationException": 400,
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
}


class ConverseError(Exception):
    """The request ends with this error of Converse."""

    def __init__(self, kind: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = STATUSES[kind]
        self.body = {"__type": kind, "message": message, **members}


def invalid(message: str) -> ConverseError:
    """Return a ValidationException."""
    return ConverseError("ValidationException", message)


def refused_by_model(message: str) -> ConverseError:
    """Return the ValidationException that Bedrock makes of what the model's own API refuses."""
    return invalid(f"The model returned the following errors: {message}")
