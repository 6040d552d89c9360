"""Secrets in a text, however a vendor or a library has written them."""

import binascii
import re
from base64 import b64decode
from collections.abc import Collection, Iterator
from urllib.parse import unquote_plus

SIGNED = re.compile(
    r"(?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|AWSAccessKeyId)(?:=|%(?:25)*3D|\\+u003d)(?!redacted|\*\*\*)"
    r"|Bearer [A-Za-z0-9]"
    r"|/webhooks(\\?/[^\s\"'/\\]+){2}\\?/[0-9a-f]{64}"
)
"""What nobody's text may hold: parameters of presigned links, access tokens, the tokens of webhooks."""
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What controls a terminal, or the direction of writing."""

_BASE64 = re.compile(r"[\w+/-]{12,}", re.ASCII)
_HALF = 12
"""Half of a secret counts if it has so many characters."""


def secrets_in_text(text: str, secrets: Collection[str]) -> list[str]:
    """Return those of the secrets that the text holds: plain, escaped, percent-encoded or in Base64, whole or half."""
    views = list(_views(text))
    return [secret for secret in secrets if any(part in view for view in views for part in _parts(secret))]


def signed_in_text(text: str) -> str | None:
    """Return a signature or token that the text holds in any of the forms, with what is around it."""
    for view in _views(text):
        if found := SIGNED.search(view):
            return view[max(found.start() - 60, 0) : found.end() + 60]
    return None


def _parts(secret: str) -> Iterator[str]:
    yield secret
    if len(secret) >= 2 * _HALF:
        yield from (secret[: len(secret) // 2], secret[len(secret) // 2 :])


def _views(text: str) -> Iterator[str]:
    """Yield the text as it is, and with each form taken back."""
    yield text
    for _ in range(2):
        text = re.sub(r"\\u00([0-9a-fA-F]{2})", lambda code: chr(int(code[1], 16)), text)
        text = re.sub(r"\\([\"\\/])", r"\1", text)
        yield text
    decoded = text
    for _ in range(3):
        decoded = unquote_plus(decoded)
        yield decoded
    for run in _BASE64.findall(unquote_plus(text)):
        # A run that something was cut from begins anywhere in a group of four.
        for start in range(4):
            yield _decoded(run[start:])


def _decoded(run: str) -> str:
    whole = run.replace("-", "+").replace("_", "/")
    try:
        return b64decode(whole[: len(whole) // 4 * 4]).decode("latin-1")
    except binascii.Error:
        return ""
