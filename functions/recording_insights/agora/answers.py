"""What Agora's answers mean, and what to do about each: one row per answer.

Agora reports errors with 2xx too (201 and 206 carry a `code` that is not 0), and its gateway answers without any
`code`. The rows follow Agora's pages "Response status codes" and "Common errors".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal

Call = Literal["acquire", "start", "query", "update", "updateLayout", "stop"]


class Verdict(Enum):
    """What an answer comes to."""

    DONE = auto()
    REPEAT = auto()
    """The same call again after a wait."""
    ANEW = auto()
    """This resource is of no use: acquire another one and start with it."""
    STARTED_BEFORE = auto()
    """This very resource records already: an earlier try got through and its answer was lost."""
    CHANNEL_BUSY = auto()
    """A recorder of this uid is in the channel; repeating with the same uid cannot work."""
    GONE = auto()
    """The recorder has left, or is leaving."""
    STOPPED = auto()
    """The recorder leaves as it was told; the rest of its work goes on without it."""
    EMPTY = auto()
    """The recorder has left and wrote nothing: no file will ever come."""
    BAD_CREDENTIALS = auto()
    REJECTED = auto()
    UNAVAILABLE = auto()


OTHER_PARAMETERS = 432
"""Agora's code for a start that differs from what acquire has announced."""
LADDER = (3.0, 6.0)
"""Seconds before the second and the third try, as Agora advises."""


@dataclass(frozen=True)
class Rule:
    """What to do about an answer.

    `meaning` stands for Agora's reason or before it. A REPEAT is tried again after each of `waits`, in seconds, and
    comes to `then` when they are used up. `unsure` marks an answer that leaves open whether the call took effect,
    `silence` one that is not Agora's: another host may be the better one to ask.
    """

    verdict: Verdict
    meaning: str = ""
    waits: tuple[float, ...] = ()
    then: Verdict = Verdict.UNAVAILABLE
    unsure: bool = False
    silence: bool = False


def _repeat(meaning: str, *, then: Verdict = Verdict.UNAVAILABLE, unsure: bool = False, silence: bool = False) -> Rule:
    return Rule(Verdict.REPEAT, meaning, LADDER, then, unsure, silence)


def _rejected(meaning: str) -> Rule:
    return Rule(Verdict.REJECTED, meaning)


_GONE = Rule(Verdict.GONE, "the recording task has ended")
_LOST_TASK = Rule(
    # A recorder that moves to another host cannot be found either, for 30 to 90 s.
    Verdict.REPEAT,
    "Agora finds no such recording task",
    waits=(5.0, 10.0),
    then=Verdict.GONE,
)
_NOT_FINISHED = "the request is not finished yet"
_TIMEOUT = "timeout inside Agora"

RULES: Mapping[tuple[Call, int, int], Rule] = {
    ("acquire", 400, 400): _rejected("the App ID is invalid"),
    ("acquire", 400, 401): _rejected("the channel name is invalid"),
    ("acquire", 400, 405): _rejected("the account is overdue or inactive"),
    ("acquire", 400, 406): _rejected("the peak of concurrent recordings is reached, try later"),
    ("acquire", 500, 500): _repeat("internal error"),
    ("acquire", 500, 501): _repeat("no worker manager"),
    ("acquire", 500, 504): _repeat("timeout while a worker was allocated"),
    ("start", 201, 7): Rule(Verdict.STARTED_BEFORE, "this resource records already"),
    ("start", 206, 65): _repeat(_NOT_FINISHED, then=Verdict.ANEW, unsure=True),
    ("start", 400, 53): Rule(Verdict.CHANNEL_BUSY, "a recorder of this uid is in the channel already"),
    ("start", 500, 502): Rule(Verdict.ANEW, "no worker"),
    ("start", 500, 62): _repeat(_TIMEOUT, then=Verdict.ANEW, unsure=True),
    ("query", 206, 65): _repeat(_NOT_FINISHED),
    ("query", 404, 404): _LOST_TASK,
    ("query", 504, 62): _repeat(_TIMEOUT),
    ("update", 206, 65): _repeat(_NOT_FINISHED),
    ("update", 404, 404): _LOST_TASK,
    ("update", 504, 62): _repeat(_TIMEOUT),
    ("updateLayout", 206, 65): _repeat(_NOT_FINISHED),
    ("updateLayout", 404, 404): _LOST_TASK,
    ("updateLayout", 504, 62): _repeat(_TIMEOUT),
    ("stop", 206, 65): _repeat(_NOT_FINISHED, unsure=True),
    ("stop", 206, 435): Rule(Verdict.EMPTY, "nothing was recorded, so there is no file"),
    ("stop", 400, 49): _GONE,
    ("stop", 404, 404): _GONE,
    ("stop", 504, 62): _repeat(_TIMEOUT, unsure=True),
}
"""By call, HTTP status and code."""

RULES_BY_CODE: Mapping[tuple[Call, int], Rule] = {
    ("acquire", 62): _rejected("Cloud Recording is not enabled for this project"),
    ("start", 433): Rule(Verdict.ANEW, "the resource has expired"),
    ("start", 1001): Rule(Verdict.ANEW, "the resource cannot be read"),
    ("query", 501): _GONE,
    ("update", 501): _GONE,
    ("updateLayout", 501): _GONE,
    ("stop", 50): Rule(Verdict.STOPPED, "stopped, the upload goes on"),
    ("stop", 501): _GONE,
}
"""By call and code, where Agora names no HTTP status."""

GATEWAY_RULES: Mapping[int, Rule] = {
    401: Rule(Verdict.BAD_CREDENTIALS, "the customer id or the customer secret is wrong"),
    403: _rejected("Cloud Recording is not enabled for this project"),
    429: _repeat("too many requests"),
}
"""By HTTP status, any call, with or without a code."""

MEANINGS: Mapping[int, str] = {
    2: "a parameter is wrong",
    8: "the request is malformed",
    109: "the token has expired",
    110: "the token is wrong",
    OTHER_PARAMETERS: "the parameters do not fit those of acquire",
    1003: "App ID or sid do not match",
    1013: "the channel name is wrong",
    1028: "the layout parameters are wrong",
}
"""Codes that no repeat can help, any call."""

TOKEN_REFUSED = (109, 110)
"""The codes of a token that has expired or is wrong."""

SILENCE = _repeat("no answer", unsure=True, silence=True)
"""No connection, a time-out, or an answer that is not JSON."""


def judge(call: Call, status: int, body: Mapping[str, Any]) -> Rule:
    """The rule for an answer. An error that nobody has documented is repeated if it is the server's own (5xx).

    Without a code of Agora's in it, such an error is its gateway's, and says nothing of Agora itself.
    """
    code = code_of(body)
    if 200 <= status < 300 and not code:
        return Rule(Verdict.DONE)
    if code is not None:
        if rule := RULES.get((call, status, code)) or RULES_BY_CODE.get((call, code)):
            return rule
        if code in MEANINGS and status not in GATEWAY_RULES:
            return _rejected(MEANINGS[code])
    if status in GATEWAY_RULES:
        return GATEWAY_RULES[status]
    if status >= 500:
        return _repeat(f"HTTP {status}", unsure=True, silence=code is None)
    return _rejected(f"HTTP {status}")


def code_of(body: Mapping[str, Any]) -> int | None:
    """Agora's own code; None in an answer of its gateway."""
    code = body.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def reason_of(rule: Rule, body: Mapping[str, Any]) -> str:
    """The rule's meaning and Agora's own words, on one line."""
    words = body.get("reason") or body.get("message")
    if not isinstance(words, str):
        return rule.meaning
    words = " ".join(words.split())
    return f"{rule.meaning}: {words}" if rule.meaning else words


STATUS_WORDS: Mapping[int, str] = {
    0: "not started",
    1: "initialised",
    2: "components starting",
    3: "some components ready",
    4: "all components ready",
    5: "in progress",
    6: "stop requested",
    7: "components stopped",
    8: "exited",
    20: "exited abnormally",
}


@dataclass(frozen=True)
class LiveState:
    """What Agora says of a recorder; `status` is None when it finds none (ended, or moving to another host).

    `onhold` is whether the recording of a web page pauses; None if Agora does not say.
    """

    status: int | None
    files: tuple[str, ...] = ()
    onhold: bool | None = None

    @classmethod
    def from_reply(cls, body: Mapping[str, Any]) -> "LiveState":
        """From a query's answer. `fileList` is a text or a list, and absent before the first slice.

        That of a web page has its files in the state of a service, with `filename` for `fileName`.
        """
        response = body.get("serverResponse")
        response = response if isinstance(response, dict) else {}
        page = _page_state(response)
        status, files = response.get("status"), response.get("fileList") or page.get("fileList") or []
        entries = [files] if isinstance(files, str) else files if isinstance(files, list) else []
        names = (
            entry.get("fileName", entry.get("filename")) if isinstance(entry, dict) else entry for entry in entries
        )
        onhold = page.get("onhold")
        return cls(
            status=status if isinstance(status, int) else None,
            files=tuple(name for name in names if isinstance(name, str)),
            onhold=onhold if isinstance(onhold, bool) else None,
        )

    @property
    def meaning(self) -> str:
        """In words."""
        if self.status is None:
            return "Agora finds no such recorder: it has ended, or is moving to another host"
        return STATUS_WORDS.get(self.status, f"unknown status {self.status}")

    @property
    def records(self) -> bool:
        """The recorder is in the channel."""
        return self.status in (4, 5)

    @property
    def over(self) -> bool:
        """The recorder has left, or is leaving."""
        return self.status in (None, 6, 7, 8, 20)


def _page_state(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the page recorder says of itself; the older reference spells its key `playload`."""
    services = response.get("extensionServiceState")
    for service in services if isinstance(services, list) else ():
        if isinstance(service, dict) and service.get("serviceName") == "web_recorder_service":
            payload = service.get("payload", service.get("playload"))
            return payload if isinstance(payload, dict) else {}
    return {}


@dataclass(frozen=True)
class Recorder:
    """A recorder that Agora has started; both are None when the answer that named them was lost."""

    resource_id: str | None
    sid: str | None


@dataclass(frozen=True)
class Stopped:
    """How a stop went; `empty` says that no file will ever come, `left` that the recorder was gone already, `reason`
    why."""

    empty: bool = False
    left: bool = False
    reason: str | None = None
