"""What of a request to Agora must not be seen: in rows, answers, and Agora's words that repeat it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from recording_insights.agora.storage import STORAGE_SECRETS

_LINKS = ("https://", "http://")
_STREAMS = ("rtmp://", "rtmps://")
_LINK = re.compile(r"(https?:\\?/\\?/[^\s?#\"']+)[?#][^\s\"']*")
_STREAM = re.compile(r"(rtmps?:\\?/\\?/[^\s/\\?#\"']+)[^\s\"']*")
_AS_GO_DOES = {ord(character): f"\\u{ord(character):04x}" for character in "&<>"}
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
        elif isinstance(value, str) and name in _SECRET_FIELDS:
            yield value
        elif isinstance(value, str) and value.startswith(_LINKS + _STREAMS):
            hidden = value.removeprefix(storable(value)).lstrip("/?#")
            yield from (value, hidden, hidden.rpartition("/")[2])


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A text of Agora's without these, however it quotes them, and without what no link may show."""
    forms = {form for secret in secrets for form in _quoted(secret) if form}
    for form in sorted(forms, key=len, reverse=True):  # one may be part of another
        text = text.replace(form, "***")
    return without_keys_of_links(text)


def without_keys_of_links(text: str) -> str:
    """Links without their query, streams without their key; slashes may be escaped."""
    return _STREAM.sub(r"\1", _LINK.sub(r"\1?***", text))


def _quoted(secret: str) -> Iterator[str]:
    """A secret as it is, as JSON has it, and as JSON within JSON; the blanks of Agora's texts are single ones."""
    for plain in (secret, " ".join(secret.split())):
        for ascii_only in (True, False):
            once = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
            for form in (plain, once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]):
                yield from (form, form.replace("/", "\\/"), form.translate(_AS_GO_DOES))
