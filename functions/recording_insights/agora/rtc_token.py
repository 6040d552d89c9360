"""Agora's RTC token, version 007. It admits a uid to a channel of a project that has an App Certificate.

A token is "007", then base64 over zlib of a signature and the signed content. The content is the App ID, the time of
issue, the lifetime, a salt, and the services with their privileges. Integers are little-endian; a text follows its
length in 16 bits.

Source: AccessToken2 and RtcTokenBuilder2 in https://github.com/AgoraIO/Tools/tree/master/DynamicKey
"""

import hmac
import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Mapping
from secrets import randbelow

from recording_insights.agora.recorder import RecorderOrder

CERTIFICATE_SECRET, CERTIFICATE_KEY = "agora-certificate", "appCertificate"
"""An optional secret, by the last part of its name, and its key: with it, a start without a token gets one.

Only a start reads the secret: who holds the certificate can make a token for any channel of the project.
"""
LONGEST_SECONDS = 24 * 3600
"""The longest lifetime of a privilege. A recorder's token cannot be renewed, so the recording ends with it."""

_KEY = re.compile(r"[0-9A-Fa-f]{32}")
_RTC_SERVICE = 1
_JOIN = 1


class MalformedKey(ValueError):
    """A key of a secret has no form of Agora's. The text names the key, not its value."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} must be 32 hexadecimal digits")
        self.key = key


def recorder_token(order: RecorderOrder, credentials: Mapping[str, str], issued_at: int) -> str | None:
    """Return a token for the recorder of an order, valid for `max_hours`; None without an App Certificate.

    Raises:
        MalformedKey: as `build_rtc_token` does.
    """
    if CERTIFICATE_KEY not in credentials:
        return None
    return build_rtc_token(
        credentials["appId"],
        credentials[CERTIFICATE_KEY],
        order.channel,
        order.uid,
        issued_at=issued_at,
        seconds=order.max_hours * 3600,
        salt=randbelow(1 << 32),
    )


def build_rtc_token(
    app_id: str, app_certificate: str, channel: str, uid: str, *, issued_at: int, seconds: int, salt: int
) -> str:
    """Return a token that lets `uid`, in digits, join `channel` and receive, but not publish.

    It is valid for `seconds` from `issued_at` (unix seconds), at most for 24 hours. `salt` is any 32-bit number; it
    makes the token different from others.

    Raises:
        MalformedKey: the App ID or the App Certificate is malformed.
    """
    for key, value in (("appId", app_id), (CERTIFICATE_KEY, app_certificate)):
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise MalformedKey(key)
    lifetime = min(seconds, LONGEST_SECONDS)
    privileges = struct.pack("<HHI", 1, _JOIN, lifetime)
    service = struct.pack("<H", _RTC_SERVICE) + privileges + _packed(channel.encode()) + _packed(uid.encode())
    signed = _packed(app_id.encode()) + struct.pack("<IIIH", issued_at, lifetime, salt, 1) + service
    issue_key = hmac.digest(struct.pack("<I", issued_at), app_certificate.encode(), "sha256")
    signature = hmac.digest(hmac.digest(struct.pack("<I", salt), issue_key, "sha256"), signed, "sha256")
    return "007" + b64encode(zlib.compress(_packed(signature) + signed)).decode()


def _packed(content: bytes) -> bytes:
    return struct.pack("<H", len(content)) + content
