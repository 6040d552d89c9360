"""What Agora's answers mean, and what to do about each: a table with one rule per answer.

Agora reports errors with 2xx too: 201 and 206 carry a `code` that is not 0. Its gateway answers without a `code`.
The rules follow Agora's pages "Response status codes" and "Common errors".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal

Call = Literal["acquire", "start", "query", "update", "updateLayout", "stop"]


class Verdict(Enum):
    """What an answer means for the call."""

    DONE = auto()
    REPEAT = auto()
    """Repeat the same call after a wait."""
    NEW_RESOURCE = auto()
    """The resource cannot be used: acquire another one and start with that."""
    STARTED_BEFORE = auto()
    """The same resource records already: an earlier attempt took effect and its answer was lost."""
    CHANNEL_BUSY = auto()
    """A recorder of this uid is in the channel; a repeat with the same uid fails too."""
    GONE = auto()
    """The recorder has left, or is leaving."""
    LOST = auto()
    """Agora finds no such recorder: it has left, or is moving to another host, which takes 30 to 90 s."""
    STOPPED = auto()
    """The recorder leaves the channel; Agora goes on to upload its files."""
    EMPTY = auto()
    """The recorder has left and wrote nothing: no file will arrive."""
    BAD_CREDENTIALS = auto()
    REJECTED = auto()
    UNAVAILABLE = auto()


OTHER_PARAMETERS = 432
"""Agora's code for a start that differs from the `startParameter` of acquire."""
RETRY_WAITS = (3.0, 6.0)
"""Seconds before the second and the third attempt, as Agora advises."""


@dataclass(frozen=True)
class Rule:
    """What to do about an answer.

    `meaning` goes before Agora's reason, or replaces it. The call is repeated after each of `waits`, in seconds, if the
    verdict is REPEAT; when no wait is left, the verdict becomes `then`. `unsure` marks an answer that does not show
    whether the call took effect. `unanswered` marks one that is not Agora's, so that another host may answer.
    """

    verdict: Verdict
    meaning: str = ""
    waits: tuple[float, ...] = ()
    then: Verdict = Verdict.UNAVAILABLE
    unsure: bool = False
    unanswered: bool = False

    @property
    def final_verdict(self) -> Verdict:
        """The verdict when the call is not repeated any more."""
        return self.then if self.verdict is Verdict.REPEAT else self.verdict


def _repeat(
    meaning: str, *, then: Verdict = Verdict.UNAVAILABLE, unsure: bool = False, unanswered: bool = False
) -> Rule:
    return Rule(Verdict.REPEAT, meaning, RETRY_WAITS, then, unsure, unanswered)


def _rejected(meaning: str) -> Rule:
    return Rule(Verdict.REJECTED, meaning)


_GONE = Rule(Verdict.GONE, "the recording task has ended")
_NO_TASK = "Agora finds no such recording task"
_LOST_TASK = Rule(Verdict.REPEAT, _NO_TASK, waits=(5.0, 10.0), then=Verdict.LOST)
_NOT_FINISHED = "the request is not finished yet"
_TIMEOUT = "timeout inside Agora"

RULES: Mapping[tuple[Call, int], Rule] = {
    ("acquire", 62): _rejected("Cloud Recording is not enabled for this project"),
    ("acquire", 400): _rejected("the App ID is invalid"),
    ("acquire", 401): _rejected("the channel name is invalid"),
    ("acquire", 405): _rejected("the account is overdue or inactive"),
    ("acquire", 406): _rejected("the peak of concurrent recordings is reached, try later"),
    ("acquire", 500): _repeat("internal error"),
    ("acquire", 501): _repeat("no worker manager"),
    ("acquire", 504): _repeat("timeout while a worker was allocated"),
    ("start", 7): Rule(Verdict.STARTED_BEFORE, "this resource records already"),
    ("start", 53): Rule(Verdict.CHANNEL_BUSY, "a recorder of this uid is in the channel already"),
    ("start", 62): _repeat(_TIMEOUT, then=Verdict.NEW_RESOURCE, unsure=True),
    ("start", 65): _repeat(_NOT_FINISHED, then=Verdict.NEW_RESOURCE, unsure=True),
    ("start", 433): Rule(Verdict.NEW_RESOURCE, "the resource has expired"),
    ("start", 502): Rule(Verdict.NEW_RESOURCE, "no worker"),
    ("start", 1001): Rule(Verdict.NEW_RESOURCE, "the resource cannot be read"),
    ("query", 62): _repeat(_TIMEOUT),
    ("query", 65): _repeat(_NOT_FINISHED),
    ("query", 404): _LOST_TASK,
    ("query", 501): _GONE,
    ("update", 62): _repeat(_TIMEOUT),
    ("update", 65): _repeat(_NOT_FINISHED),
    ("update", 404): _LOST_TASK,
    ("update", 501): _GONE,
    ("updateLayout", 62): _repeat(_TIMEOUT),
    ("updateLayout", 65): _repeat(_NOT_FINISHED),
    ("updateLayout", 404): _LOST_TASK,
    ("updateLayout", 501): _GONE,
    ("stop", 49): _GONE,
    ("stop", 50): Rule(Verdict.STOPPED, "stopped, the upload goes on"),
    ("stop", 62): _repeat(_TIMEOUT, unsure=True),
    ("stop", 65): _repeat(_NOT_FINISHED, unsure=True),
    ("stop", 404): Rule(Verdict.LOST, _NO_TASK),
    ("stop", 435): Rule(Verdict.EMPTY, "nothing was recorded, so there is no file"),
    ("stop", 501): _GONE,
}
"""By call and code. The HTTP status does not matter: Agora sends codes under other statuses than its pages say."""

GATEWAY_RULES: Mapping[int, Rule] = {
    401: Rule(Verdict.BAD_CREDENTIALS, "the customer id or the customer secret is wrong"),
    403: _rejected("Cloud Recording is not enabled for this project"),
    429: _repeat("too many requests"),
}
"""By HTTP status, for all calls, with or without a code."""

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
"""By code, for all calls: errors that a repeat does not help."""

TOKEN_REFUSED = (109, 110)
"""The codes of a token that has expired or is wrong."""

NO_ANSWER = _repeat("no answer", unsure=True, unanswered=True)
"""No connection, a time-out, or an answer that is not JSON."""


def judge(call: Call, status: int, body: Mapping[str, Any]) -> Rule:
    """Return the rule for an answer: Agora's code decides, and without a known code the HTTP status does.

    An undocumented error is repeated if it is a server error (5xx). A server error without a code comes from Agora's
    gateway, and another host may still answer.
    """
    code = code_of(body)
    # Agora's gateway may repeat its status as a code.
    if code is None or (code == status and status in GATEWAY_RULES):
        return _by_status(status, code)
    if rule := RULES.get((call, code)):
        return rule
    return _rejected(MEANINGS[code]) if code in MEANINGS else _by_status(status, code)


def _by_status(status: int, code: int | None) -> Rule:
    """Return the rule for an answer with an unknown code or none."""
    if 200 <= status < 300 and not code:
        return Rule(Verdict.DONE)
    if status in GATEWAY_RULES:
        return GATEWAY_RULES[status]
    meaning = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
    if status >= 500:
        return _repeat(meaning, unsure=True, unanswered=code is None)
    return _rejected(meaning)


def code_of(body: Mapping[str, Any]) -> int | None:
    """Return Agora's code; None for an answer of its gateway."""
    code = body.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def reason_of(rule: Rule, body: Mapping[str, Any]) -> str:
    """Return the rule's meaning and Agora's message, on one line."""
    message = body.get("reason") or body.get("message")
    if not isinstance(message, str):
        return rule.meaning
    message = " ".join(message.split())
    return f"{rule.meaning}: {message}" if rule.meaning else message
