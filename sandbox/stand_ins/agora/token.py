"""RTC tokens of version 007, which channels of a project with an App Certificate need.

Stricter than necessary: nothing may be before, after or between the documented fields.
"""

import base64
import hashlib
import hmac
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.stand_ins.agora.answers import refusal
from sandbox.stand_ins.agora.credentials import AGORA_APP_ID

EXPIRED, WRONG = 109, 110

_RTC_SERVICE = 1
_JOIN = 1
_LONGEST_PRIVILEGE_SECONDS = 24 * 3600
_LARGEST_TOKEN_BYTES = 4096


class NotAToken(Exception):
    """The text is not a token of version 007. The message says why."""


@dataclass(frozen=True)
class RtcToken:
    """The fields of a token. `issued_at` is in unix seconds; `expire` and the privileges are in seconds after it.

    `signature` covers `signed`. An empty `uid` admits any.
    """

    signature: bytes
    signed: bytes
    app_id: str
    issued_at: int
    expire: int
    salt: int
    privileges: Mapping[int, int]
    channel: str
    uid: str

    @classmethod
    def decode(cls, text: str) -> "RtcToken":
        """Decode a token. Raises NotAToken."""
        if text[:3] != "007":
            raise NotAToken("the version is not 007")
        reader = _Reader(_inflated(text[3:]))
        signature = reader.sized()
        signed = reader.rest
        app_id, issued_at, expire, salt = reader.text(), reader.number(4), reader.number(4), reader.number(4)
        if (reader.number(2), reader.number(2)) != (1, _RTC_SERVICE):
            raise NotAToken("it is not for the one service RTC")
        privileges = {reader.number(2): reader.number(4) for _ in range(reader.number(2))}
        channel, uid = reader.text(), reader.text()
        if reader.rest:
            raise NotAToken("something follows the last field")
        return cls(signature, signed, app_id, issued_at, expire, salt, privileges, channel, uid)

    def signed_with(self, certificate: str) -> bool:
        """Whether this App Certificate made the signature."""
        key = certificate.encode()
        for number in (self.issued_at, self.salt):
            key = hmac.new(number.to_bytes(4, "little"), key, hashlib.sha256).digest()
        return hmac.compare_digest(self.signature, hmac.new(key, self.signed, hashlib.sha256).digest())

    @property
    def joins_until(self) -> int:
        """Unix seconds until which the token admits; before its issue if it has no privilege to join."""
        privilege = min(self.privileges.get(_JOIN, -1), _LONGEST_PRIVILEGE_SECONDS)
        return self.issued_at + min(self.expire, privilege)


def admit(given: Mapping[str, Any], certificate: str, now: float) -> None:
    """Refuse a start whose token does not admit its uid to its channel: code 109 for an expired token, else 110."""
    text = given["clientRequest"].get("token")
    if not text:
        raise refusal(400, WRONG, "the project has an App Certificate: a token is needed", given)
    try:
        token = RtcToken.decode(text)
    except NotAToken as reason:
        raise refusal(400, WRONG, f"the token is invalid: {reason}", given) from None
    wrongs = {
        "the signature does not match": not token.signed_with(certificate),
        "it is for another App ID": token.app_id != AGORA_APP_ID,
        "it is for another channel": token.channel != given["cname"],
        "it is for another uid": token.uid not in ("", given["uid"]),
        "it has no privilege to join": _JOIN not in token.privileges,
    }
    if wrong := [reason for reason, holds in wrongs.items() if holds]:
        raise refusal(400, WRONG, f"the token is invalid: {wrong[0]}", given)
    if token.joins_until <= now:
        raise refusal(400, EXPIRED, "the token has expired", given)


class _Reader:
    """Reads fields from the front of `rest`: little-endian numbers, and bytes after their 16-bit length."""

    def __init__(self, content: bytes) -> None:
        self.rest = content

    def number(self, size: int) -> int:
        return int.from_bytes(self._taken(size), "little")

    def sized(self) -> bytes:
        return self._taken(self.number(2))

    def text(self) -> str:
        try:
            return self.sized().decode()
        except UnicodeDecodeError:
            raise NotAToken("a text is not UTF-8") from None

    def _taken(self, size: int) -> bytes:
        if len(self.rest) < size:
            raise NotAToken("it ends too early")
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken


def _inflated(encoded: str) -> bytes:
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(base64.b64decode(encoded, validate=True), _LARGEST_TOKEN_BYTES)
    except (ValueError, zlib.error):
        raise NotAToken("it is not base64 over zlib") from None
    if not inflate.eof or inflate.unused_data:
        raise NotAToken("it is cut off, or something follows")
    return content
