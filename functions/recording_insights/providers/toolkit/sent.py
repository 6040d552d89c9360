"""The secrets in a request to a vendor: a vendor that refuses a request often quotes it."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

_HARMLESS_HEADERS = frozenset({"accept", "content-type", "user-agent"})
_SECRET_NAME = re.compile(r"(?:key|secret|token|password|assertion|_auth_header_value)\Z", re.IGNORECASE)
_LINK = re.compile(r"https?://", re.IGNORECASE)
_TOKEN_IN_PATH = re.compile(r"[0-9a-f]{64}")
SHORTEST = 8
"""A shorter text is most likely in an answer by chance."""


def secrets_sent(
    *,
    headers: Mapping[str, str],
    query: Sequence[tuple[str, str]] = (),
    json: Any = None,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> frozenset[str]:
    """Return the secrets of a request: credentials in headers and fields, the queries and tokens of links."""
    found = {
        *_in_headers(headers),
        *_in_fields(query),
        *_in_fields((form or {}).items()),
        *_in_json(json),
        *(auth or ()),
    }
    if auth:
        found.add(b64encode(":".join(auth).encode()).decode())
    return frozenset(secret for secret in found if len(secret) >= SHORTEST)


def _in_headers(headers: Mapping[str, str]) -> Iterator[str]:
    for name, value in headers.items():
        if name.lower() not in _HARMLESS_HEADERS:
            yield value
            yield value.rpartition(" ")[2]  # without the scheme, such as Bearer


def _in_fields(fields: Any) -> Iterator[str]:
    for name, value in fields:
        if _SECRET_NAME.search(name):
            yield str(value)
        yield from _in_link(value)


def _in_json(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _in_fields((name, inner) for name, inner in value.items() if isinstance(inner, str))
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for inner in children:
        if isinstance(inner, str):
            yield from _in_link(inner)
        else:
            yield from _in_json(inner)


def _in_link(value: Any) -> Iterator[str]:
    if isinstance(value, str) and _LINK.match(value):
        query = value.partition("?")[2]
        yield query
        yield from (part for _, part in parse_qsl(query))
        yield from _TOKEN_IN_PATH.findall(value)
