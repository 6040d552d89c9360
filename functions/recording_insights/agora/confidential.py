"""What of a request to Agora must not be seen: in rows, answers, and Agora's words that repeat it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from recording_insights.agora.storage import STORAGE_SECRETS

_LINKS = ("https://", "http://")
_STREAMS = ("rtmp://", "rtmps://")
_SECRET_FIELDS = ("token", "secret", "salt", *STORAGE_SECRETS)


def storable(value: Any) -> Any:
    """What may be stored and shown: no secret and no salt, links without their query, streams without their key,
    numbers exact."""
    match value:
        case Mapping():
            return {name: storable(inner) for name, inner in value.items() if name not in ("secret", "salt")}
        case list():
            return [storable(inner) for inner in value]
        case float():
            return Decimal(str(round(value, 6)))
        case str() if value.startswith(_LINKS):
            return value.partition("?")[0].partition("#")[0]  # whoever has it may be let in by it
        case str() if value.startswith(_STREAMS):
            parts = urlsplit(value)  # whoever has the rest may publish there
            return f"{parts.scheme}://{parts.netloc}"
        case _:
            return value


def secrets_in(client_request: Any) -> Iterator[str]:
    """What of a `clientRequest` must not be repeated anywhere; Agora's reasons may quote it."""
    entries = client_request.items() if isinstance(client_request, Mapping) else enumerate(client_request)
    for name, value in entries:
        if isinstance(value, Mapping | list):
            yield from secrets_in(value)
        elif isinstance(value, str) and (name in _SECRET_FIELDS or value.startswith(_LINKS + _STREAMS)):
            yield value
