"""Agora's notifications of a recording: events to a webhook, with a signature of the bytes that are sent.

Source: docs.agora.io/en/realtime-media/cloud-recording/build/handle-events/receive-notifications.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.runtime.runtime import Runtime

ERROR, FIRST_PLAYLIST, EXIT, FAIL_OVER, UPLOADED, BACKED_UP = 1, 4, 11, 12, 31, 32
STARTED, LEFT, SNAPSHOT, PAGE_STARTED, PAGE_STOPPED = 40, 41, 45, 70, 71

_CLOUD_RECORDING = 3
_SERVICE, _RECORDER, _UPLOADER, _PAGE_RECORDER = 0, 1, 2, 6
EVENTS: Mapping[int, tuple[str, int]] = {
    ERROR: ("cloud_recording_error", _UPLOADER),
    FIRST_PLAYLIST: ("cloud_recording_file_infos", _SERVICE),
    EXIT: ("session_exit", _SERVICE),
    FAIL_OVER: ("session_failover", _SERVICE),
    UPLOADED: ("uploaded", _UPLOADER),
    BACKED_UP: ("backuped", _UPLOADER),
    STARTED: ("recorder_started", _RECORDER),
    LEFT: ("recorder_leave", _RECORDER),
    SNAPSHOT: ("snapshot_file", _RECORDER),
    PAGE_STARTED: ("web_recorder_started", _PAGE_RECORDER),
    PAGE_STOPPED: ("web_recorder_stopped", _PAGE_RECORDER),
}
"""By eventType: its msgName and the serviceType of its source."""
_TRIES = 3


class Notifications:
    """Sends the events of one recording in their order, in the background. `uid` is the recorder's, and may change."""

    def __init__(self, runtime: Runtime, cname: str, uid: str, sid: str) -> None:
        self.uid = uid
        self._runtime = runtime
        self._cname = cname
        self._sid = sid
        self._sequence = 0
        self._waiting: deque[dict[str, Any]] = deque()
        self._sending = False
        self._lock = threading.Lock()

    def notify(self, event: int, **details: Any) -> None:
        """Queue an event. `event` is Agora's eventType, `details` has its details without msgName."""
        if not self._runtime.dials.of(AgoraDials).notifications_url:
            return
        with self._lock:
            of_recording = {"cname": self._cname, "uid": self.uid, "sid": self._sid, "sequence": self._sequence}
            self._sequence += 1
            self._waiting.append(_notice(event, _now_ms(self._runtime), of_recording, details))
            if self._sending:
                return
            self._sending = True
        self._runtime.jobs.start(f"agora notifications {self._sid}", self._send_all)

    def _send_all(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._sending = False
                    return
                notice = self._waiting.popleft()
            dials = self._runtime.dials.of(AgoraDials)
            for _ in range(2 if dials.notify_twice else 1):
                self._send(notice, dials)

    def _send(self, notice: Mapping[str, Any], dials: AgoraDials) -> None:
        """Send it until it is answered with 200. A repeated notification differs only in `notifyMs`."""
        for attempt in range(_TRIES):
            self._runtime.jobs.sleep(0.25 * attempt)
            status = _send_once(self._runtime, dials, notice)
            self._runtime.ledger.add("agora.notification", status, sid=self._sid, event=notice["eventType"])
            if status == 200:
                return


def check_webhook(runtime: Runtime) -> dict[int, int]:
    """Send a test event of each kind once, as "Check" in the console does. Return the HTTP status by eventType.

    The console saves the webhook only if every status is 200. Agora documents that the test events correspond to the
    subscribed events, but not their contents: they look like those of a recording that does not exist.
    """
    dials = runtime.dials.of(AgoraDials)
    statuses = {}
    for event in EVENTS:
        statuses[event] = _send_once(runtime, dials, health_check_event(event, _now_ms(runtime)))
        runtime.ledger.add("agora.health_check", statuses[event], event=event)
    return statuses


def health_check_event(event: int, sent_ms: int) -> dict[str, Any]:
    """Create a test event, which has no notifyMs yet. `sent_ms` is in unix ms."""
    nobodys = {"cname": "test_webhook", "uid": "12121212", "sid": secrets.token_hex(16), "sequence": 0}
    return _notice(event, sent_ms, nobodys, {})


def _notice(event: int, sent_ms: int, of_recording: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any]:
    name, service = EVENTS[event]
    payload = {
        **of_recording,
        "sendts": sent_ms,
        "serviceType": service,
        "details": {"msgName": name, **details},
    }
    notice = {"noticeId": secrets.token_hex(16), "productId": _CLOUD_RECORDING, "eventType": event}
    return {**notice, "payload": payload}


def _send_once(runtime: Runtime, dials: AgoraDials, notice: Mapping[str, Any]) -> int:
    body = json.dumps({**notice, "notifyMs": _now_ms(runtime)}).encode()
    headers = {"Content-Type": "application/json", **_signatures(dials.notification_secret, body)}
    return runtime.send("POST", dials.notifications_url, body, headers)


def _now_ms(runtime: Runtime) -> int:
    return int(runtime.clock() * 1000)


def _signatures(secret: str, body: bytes) -> dict[str, str]:
    kinds = {"Agora-Signature": hashlib.sha1, "Agora-Signature-V2": hashlib.sha256}
    return {header: hmac.new(secret.encode(), body, kind).hexdigest() for header, kind in kinds.items()}
