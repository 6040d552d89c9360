"""Agora's notifications: who may send them, and what they say.

Source: https://docs.agora.io/en/cloud-recording/develop/receive-notifications
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from recording_insights.errors import CallbackForged, InvalidRequest
from recording_insights.redaction import without_keys_of_links

SECRET_KEY = "notificationSecret"  # noqa: S105 - a key's name
"""In the secret, and optional: where it is, notifications are taken in."""
CLOUD_RECORDING = 3
SIGNATURES = {"agora-signature-v2": "sha256", "agora-signature": "sha1"}
"""Header and hash, the better one first: it decides where both are there."""
LONGEST_MESSAGE = 400
LARGEST_CODE = 10**9
"""What is larger is no code, and the table takes no number of more than 38 digits."""

ERROR, FAIL_OVER, UPLOADED, BACKED_UP = 1, 12, 31, 32
SESSION_EXIT, RECORDER_LEAVE, WEB_RECORDER_STOPPED = 11, 41, 71

_LEAVE_CAUSES = {2: "told to", 4: "nobody else in the channel", 16: "disconnected"}
_ENDS = 2 | 4
"""The causes after which nobody takes over."""
_OPAQUE = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}|[A-Za-z0-9+/=_%-]{32,}")
"""Keys, tokens and signatures: an error's words may repeat what the recorder was given."""


def check_signature(body: bytes, headers: Mapping[str, str], secret: str) -> None:
    """Refuse what Agora did not send, before any of it is believed; header names are in lower case.

    Raises:
        CallbackForged: the signature is missing or wrong.
    """
    for header, algorithm in SIGNATURES.items():
        if header in headers:
            expected = hmac.new(secret.encode(), body, algorithm).hexdigest()
            if not hmac.compare_digest(headers[header].strip().lower().encode(), expected.encode()):
                raise CallbackForged("the notification's signature is wrong")
            return
    raise CallbackForged("the notification has no signature")


@dataclass(frozen=True)
class Notification:
    """What a notification says; a test of the console has no sid."""

    notice_id: str
    product: Any
    event: Any
    sid: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """From a notification's JSON object, `{noticeId, productId, eventType, notifyMs, payload}`.

        Raises:
            InvalidRequest: it has no id.
        """
        notice_id = body.get("noticeId")
        if not isinstance(notice_id, str) or not 0 < len(notice_id.encode()) <= 500:
            raise InvalidRequest("noticeId", "must be a text")
        payload = _object(body.get("payload"))
        sid = payload.get("sid")
        return cls(
            notice_id,
            body.get("productId"),
            body.get("eventType"),
            sid if isinstance(sid, str) else "",
            _object(payload.get("details")),
        )

    @property
    def ends_recording(self) -> bool:
        """Whether a recorder that left its channel is the last one: it was told to, was alone, or could not join.

        One that was disconnected may be replaced by another, and the notification of that may come later.
        """
        code = self._leave_code
        return code == 0 or (code > 0 and bool(code & _ENDS))

    @property
    def leave_cause(self) -> str:
        """Why a recorder left its channel, out of the bits of `leaveCode`."""
        code = self._leave_code
        causes = [cause for bit, cause in _LEAVE_CAUSES.items() if code > 0 and code & bit]
        return ", ".join(causes) or ("it could not join" if code == 0 else "left the channel")

    @property
    def _leave_code(self) -> int:
        code = self.details.get("leaveCode")
        return code if isinstance(code, int) and not isinstance(code, bool) else -1

    @property
    def exit_meaning(self) -> str:
        """How a session ended."""
        return "exited abnormally" if self.details.get("exitStatus") == 1 else "exited"

    @property
    def error(self) -> dict[str, Any]:
        """`{"code"?, "message"?}` of an error, without anything that may be a secret."""
        code, message = self.details.get("errorCode"), self.details.get("errorMsg")
        told: dict[str, Any] = {"code": code} if isinstance(code, int) and abs(code) <= LARGEST_CODE else {}
        if isinstance(message, str) and message.strip():
            plain = _OPAQUE.sub("***", without_keys_of_links(" ".join(message.split())))
            told["message"] = plain[:LONGEST_MESSAGE]
        return told


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
