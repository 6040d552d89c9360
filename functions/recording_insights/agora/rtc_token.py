"""Agora's RTC token, version 007: what admits a uid to a channel of a project that has an App Certificate.

A token is "007" and, in base64 over zlib, a signature with all that it signs: the App ID, when it was issued, how
long it is good, a salt, and the services with their privileges. Integers are little-endian; before a text stands
its length, in 16 bits.

Source: AccessToken2 and RtcTokenBuilder2 in https://github.com/AgoraIO/Tools/tree/master/DynamicKey
"""

import hmac
import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Mapping
from secrets import randbelow

from recording_insights.recordings.request import RecordingRequest

CERTIFICATE_KEY = "appCertificate"
"""In the secret, and optional: where it is, a start that brings no token gets one."""
LONGEST_SECONDS = 24 * 3600
"""No privilege is good for longer, and a recorder's token cannot be renewed: the recording ends with it."""

_KEY = re.compile(r"[0-9A-Fa-f]{32}")
_RTC_SERVICE = 1
_JOIN = 1


def recorder_token(request: RecordingRequest, credentials: Mapping[str, str], issued_at: int) -> str | None:
    """The token for a request's recorder, for as long as it may be asked about; None without an App Certificate.

    Raises:
        ValueError: as `build_rtc_token` does.
    """
    if CERTIFICATE_KEY not in credentials:
        return None
    return build_rtc_token(
        credentials["appId"],
        credentials[CERTIFICATE_KEY],
        request.channel,
        request.uid,
        issued_at=issued_at,
        seconds=request.max_hours * 3600,
        salt=randbelow(1 << 32),
    )


def build_rtc_token(
    app_id: str, app_certificate: str, channel: str, uid: str, *, issued_at: int, seconds: int, salt: int
) -> str:
    """A token that lets `uid`, in digits, join `channel` and listen; it may publish nothing.

    Good for `seconds` from `issued_at` (unix seconds), and never for more than 24 hours; `salt` is any number of
    32 bits that makes it unlike the others.

    Raises:
        ValueError: the App ID or the App Certificate cannot be one; names its key in the secret, not its value.
    """
    for key, value in (("appId", app_id), (CERTIFICATE_KEY, app_certificate)):
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise ValueError(f"{key} must be 32 hexadecimal digits")
    life = min(seconds, LONGEST_SECONDS)
    privileges = struct.pack("<HHI", 1, _JOIN, life)
    service = struct.pack("<H", _RTC_SERVICE) + privileges + _packed(channel.encode()) + _packed(uid.encode())
    signed = _packed(app_id.encode()) + struct.pack("<IIIH", issued_at, life, salt, 1) + service
    issue_key = hmac.digest(struct.pack("<I", issued_at), app_certificate.encode(), "sha256")
    signature = hmac.digest(hmac.digest(struct.pack("<I", salt), issue_key, "sha256"), signed, "sha256")
    return "007" + b64encode(zlib.compress(_packed(signature) + signed)).decode()


def _packed(content: bytes) -> bytes:
    return struct.pack("<H", len(content)) + content
