"""Agora's notifications: check the signature, then read the event.

Source: https://docs.agora.io/en/cloud-recording/develop/receive-notifications
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from recording_insights.errors import CallbackForged, InvalidRequest
from recording_insights.redaction import hide_keys_and_tokens, hide_queries_and_stream_keys

SECRET, SECRET_KEY = "agora-notifications", "notificationSecret"
"""An optional secret, by the last part of its name, and its key: with it, notifications are accepted."""
CLOUD_RECORDING = 3
SIGNATURES = {"agora-signature-v2": "sha256", "agora-signature": "sha1"}
"""Hash by header, the stronger one first; the first header that is present decides."""
LONGEST_MESSAGE = 400
LARGEST_CODE = 10**9
"""Larger numbers are dropped: Agora has no such codes, and the table refuses numbers of more than 38 digits."""

OLDEST = timedelta(hours=24)
"""Agora sends a notification four times at most, and each time writes `notifyMs` anew: an older one is a copy."""

ERROR, FAIL_OVER, UPLOADED, BACKED_UP = 1, 12, 31, 32
SESSION_EXIT, RECORDER_LEAVE, WEB_RECORDER_STOPPED = 11, 41, 71

_LEAVE_CAUSES = {2: "stopped on request", 4: "nobody else in the channel", 16: "disconnected"}
_ENDS = 2 | 4
"""The causes after which no other recorder takes over."""


def check_signature(body: bytes, headers: Mapping[str, str], secret: str) -> None:
    """Refuse a notification that Agora did not sign; header names are in lower case.

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
    """A notification's event and details. `sid` is empty in a test from Agora's console.

    `sent_ms` is when Agora sent it, in Unix milliseconds; None if it does not say so in a whole number.
    """

    notice_id: str
    product: Any
    event: Any
    sid: str
    details: Mapping[str, Any] = field(default_factory=dict)
    sent_ms: int | None = None

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read a notification's JSON object, `{noticeId, productId, eventType, notifyMs, payload}`.

        Raises:
            InvalidRequest: the notification has no id.
        """
        notice_id = body.get("noticeId")
        if not isinstance(notice_id, str) or not 0 < len(notice_id.encode()) <= 500:
            raise InvalidRequest("noticeId", "must be a text")
        payload = _object(body.get("payload"))
        sid, sent_ms = payload.get("sid"), body.get("notifyMs")
        return cls(
            notice_id,
            body.get("productId"),
            body.get("eventType"),
            sid if isinstance(sid, str) else "",
            _object(payload.get("details")),
            sent_ms if isinstance(sent_ms, int) and not isinstance(sent_ms, bool) else None,
        )

    def is_timely(self, now: datetime) -> bool:
        """Return whether it was sent within a day of `now`, or does not say when.

        Agora signs the time with the body, so nobody can take it out of a copy.
        """
        if self.sent_ms is None:
            return True
        return abs(self.sent_ms - int(now.timestamp() * 1000)) <= OLDEST // timedelta(milliseconds=1)

    @property
    def ends_recording(self) -> bool:
        """Whether the recording ends with the recorder that left its channel.

        It does if the recorder was stopped, was alone or could not join. After a disconnect another recorder may take
        over, and the notification of that may arrive later.
        """
        code = self._leave_code
        return code == 0 or (code > 0 and bool(code & _ENDS))

    @property
    def leave_cause(self) -> str:
        """Why a recorder left its channel, from the bits of `leaveCode`."""
        code = self._leave_code
        causes = [cause for bit, cause in _LEAVE_CAUSES.items() if code > 0 and code & bit]
        return ", ".join(causes) or ("it could not join" if code == 0 else "left the channel")

    @property
    def _leave_code(self) -> int:
        code = self.details.get("leaveCode")
        return code if isinstance(code, int) and not isinstance(code, bool) else -1

    @property
    def exit_meaning(self) -> str:
        """How the session ended."""
        return "exited abnormally" if self.details.get("exitStatus") == 1 else "exited"

    @property
    def error(self) -> dict[str, Any]:
        """The error as `{"code"?, "message"?}`, with secrets hidden: Agora may repeat what the recorder was given."""
        code, message = self.details.get("errorCode"), self.details.get("errorMsg")
        error: dict[str, Any] = {"code": code} if isinstance(code, int) and abs(code) <= LARGEST_CODE else {}
        if isinstance(message, str) and message.strip():
            without_links = hide_queries_and_stream_keys(" ".join(message.split()))
            error["message"] = hide_keys_and_tokens(without_links)[:LONGEST_MESSAGE]
        return error


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
