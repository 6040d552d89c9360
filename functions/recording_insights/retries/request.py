"""Read and check the bodies of the routes that retry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from recording_insights.errors import InvalidRequest
from recording_insights.model.reasons import REASONS
from recording_insights.processing.reopen import Start
from recording_insights.providers.registry import PROVIDERS, validate_options
from recording_insights.recordings.derivation import Choice, insights_choice
from recording_insights.retries.order import Order
from recording_insights.validation import Reader, checked, flag, matching, moment, object_of, one_of, text

LONGEST_KEY = 1024
"""In bytes; S3's limit."""
STATUSES = ("failed", "partial")
"""The statuses of recordings that may have failed media objects."""

_start: Reader[Start] = one_of("saved", "job", "media")
_media_id = matching("[0-9a-f]{20}", "must be the id of a media object")


def retry_readers(providers: Sequence[str]) -> Mapping[str, Reader[Any]]:
    """The fields of POST /recordings/{recording_id}/retry; `validate_options` checks the content of `options`."""
    return {
        "media_id": _media_id,
        "provider": one_of(*providers),
        "options": checked(lambda value: isinstance(value, dict), "must be an object", {"type": "object"}),
        "from": _start,
        "force": flag,
        "insights": insights_choice,
    }


def retries_readers(providers: Sequence[str]) -> Mapping[str, Reader[Any]]:
    """The fields of POST /retries."""
    return {
        "status": one_of(*STATUSES),
        "reason_code": one_of(*REASONS),
        "since": moment,
        "until": moment,
        "provider": one_of(*PROVIDERS),
        "prefix": text(LONGEST_KEY),
        "from": _start,
        "to_provider": one_of(*providers),
        "force": flag,
        "dry_run": flag,
    }


@dataclass(frozen=True)
class RetryRequest:
    """Which media object of a recording is retried, None for every one that failed, and how.

    `insights` is what a model is to derive from then on; None leaves that as it is, and False is nothing.
    """

    order: Order
    media_id: str | None = None
    insights: Choice = None

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, providers: Sequence[str]) -> Self:
        """Read the body of POST /recordings/{recording_id}/retry; `providers` are those of the stack.

        Raises:
            InvalidRequest: names the field that is unknown or wrong.
        """
        given = object_of(retry_readers(providers))("", body)
        order = _order(given, "provider")
        if order.provider and order.options:
            validate_options(order.provider, order.options)
        return cls(order, given.get("media_id"), given.get("insights"))


@dataclass(frozen=True)
class RetriesRequest:
    """Which failed media objects are retried, as the body said, and whether they are only counted."""

    filters: Mapping[str, Any]
    dry_run: bool

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, providers: Sequence[str]) -> Self:
        """Read the body of POST /retries; `providers` are those of the stack.

        Raises:
            InvalidRequest: names the field that is unknown or wrong.
        """
        given = object_of(retries_readers(providers))("", body)
        order_of(given)
        return cls({name: value for name, value in given.items() if name != "dry_run"}, given.get("dry_run", False))


def order_of(filters: Mapping[str, Any]) -> Order:
    """Return how the media objects of a retry of many are retried.

    Raises:
        InvalidRequest: the fields do not go together.
    """
    return _order(filters, "to_provider")


def _order(given: Mapping[str, Any], provider: str) -> Order:
    order = Order(given.get("from"), given.get(provider), given.get("options"), given.get("force", False))
    if order.start in ("saved", "job") and (order.provider or order.options):
        raise InvalidRequest("from", f"must be media or left out, since {provider} or options need a new job")
    return order


def _read_key(path: str, value: Any) -> str:
    if value is None:
        raise InvalidRequest(path, "is required")
    if not isinstance(value, str) or not 0 < len(value.encode(errors="replace")) <= LONGEST_KEY:
        raise InvalidRequest(path, f"must be the key of an object, of at most {LONGEST_KEY} bytes")
    return value


@dataclass(frozen=True)
class AdmissionRequest:
    """The key of an object, and the provider that gets it; None for that of its recording, its prefix or the stack."""

    key: str
    provider: str | None = None

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, providers: Sequence[str]) -> Self:
        """Read the body of POST /media; `providers` are those of the stack.

        Raises:
            InvalidRequest: names the field that is missing, unknown or wrong.
        """
        return cls(**admission(providers)("", body))


def admission(providers: Sequence[str]) -> Reader[Any]:
    """The body of POST /media."""
    key = Reader(_read_key, {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY})
    return object_of({"key": key, "provider": one_of(*providers)}, required=("key",))
