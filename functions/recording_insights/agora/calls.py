"""Call the Agora Cloud Recording REST API, and repeat a call where that may help.

`answers` says what an answer means, `hosts` which host to call next.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth

from recording_insights.agora.answers import NO_ANSWER, TOKEN_REFUSED, Call, Rule, Verdict, code_of, judge, reason_of
from recording_insights.agora.hosts import HostRotation
from recording_insights.agora.rtc_token import CERTIFICATE_KEY
from recording_insights.agora.storage import STORAGE_SECRETS
from recording_insights.bounded import CHUNK, parse_bounded, read_at_most
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    AgoraOutcomeUnknown,
    AgoraRefusedCredentials,
    AgoraRejected,
    AgoraUnavailable,
    RecordingInsightsError,
)
from recording_insights.redaction import hide_secrets, secrets_in

CONNECT_SECONDS = 3.05
"""Four attempts to connect, and the waits between them, fit into the time of one call to our API."""
ANSWER_SECONDS = 8.0
SHORTEST_CALL_SECONDS = 1.0
"""With less time left, no request is sent."""
NO_TIME = Rule(Verdict.UNAVAILABLE, "no time was left")
LONGEST_REASON = 400
LARGEST_ANSWER = 4 << 20
"""In bytes, unpacked: a hundred times the longest list of files. A larger answer counts as one that is not JSON."""
SECRET_FIELDS = ("token", "secret", "salt", *STORAGE_SECRETS)
"""The secret fields of a `clientRequest`, at any depth."""

Credentials = Mapping[str, str]
"""The keys of an Agora project: appId, customerId, customerSecret and, for a start, appCertificate if there is one."""
ReadCredentials = Callable[[bool], Credentials]
"""Reads the credentials; True reads past every cache."""
BuildBody = Callable[[Credentials], Mapping[str, Any]]
"""Builds the body of one attempt, with the credentials of that attempt."""


@dataclass(frozen=True)
class Answer:
    """The result of a call after its repeats; `unsure` if one of the attempts may have taken effect unseen."""

    verdict: Verdict
    body: Mapping[str, Any]
    reason: str
    unsure: bool


@dataclass(frozen=True)
class Attempt:
    """One request to Agora: what was sent, the rule for the answer, and the answer's JSON object (`reply`)."""

    credentials: Credentials
    sent: Mapping[str, Any] | None
    rule: Rule
    reply: Mapping[str, Any]

    @property
    def refused_secret(self) -> bool:
        """Whether Agora refused the credentials, or a token made with them."""
        return self.rule.verdict is Verdict.BAD_CREDENTIALS or code_of(self.reply) in TOKEN_REFUSED

    def worth_repeating_with(self, fresh: Credentials) -> bool:
        """Whether a refused attempt may succeed with fresh credentials; a token needs another certificate for that."""
        rotated = self.credentials.get(CERTIFICATE_KEY) != fresh.get(CERTIFICATE_KEY)
        return self.rule.verdict is Verdict.BAD_CREDENTIALS or rotated

    @property
    def reason(self) -> str:
        """The meaning of the answer with Agora's message, without the secrets of this attempt.

        Agora's message may repeat the request, and the reason ends on the row.
        """
        secrets = [value for name, value in self.credentials.items() if name != "appId" and isinstance(value, str)]
        secrets += secrets_in((self.sent or {}).get("clientRequest", {}), SECRET_FIELDS)
        texts = {name: text for name, text in self.reply.items() if isinstance(text, str)}
        hidden = {name: hide_secrets(" ".join(text.split()), secrets) for name, text in texts.items()}
        return reason_of(self.rule, {**self.reply, **hidden})[:LONGEST_REASON]


@dataclass
class Repeats:
    """What a call has repeated so far. Decides about fresh credentials and about the next wait.

    A call that is not `patient` is repeated for fresh credentials only. `unsure` is true once an attempt may have taken
    effect unseen.
    """

    patient: bool
    unsure: bool = False
    credentials_read_again: bool = False
    waits_used: int = 0

    def needs_fresh_credentials(self, attempt: Attempt) -> bool:
        """Whether to read the credentials again; True once per call, after Agora refused them."""
        needed = attempt.refused_secret and not self.credentials_read_again
        self.credentials_read_again |= needed
        return needed

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count the attempt as unsure if it breaks off with an error instead of an answer."""
        try:
            yield
        except Exception:
            self.unsure = True
            raise

    def next_wait(self, rule: Rule, host_waits: Sequence[float] | None) -> float | None:
        """Return the seconds to wait before the next attempt; None to end the call.

        `host_waits` replace the waits of the rule if the host did not answer and there is another host.
        """
        self.unsure |= rule.unsure
        waits = (host_waits if rule.unanswered else None) or rule.waits
        if rule.verdict is not Verdict.REPEAT or not self.patient or self.waits_used >= len(waits):
            return None
        self.waits_used += 1
        return waits[self.waits_used - 1]


@dataclass(frozen=True)
class AgoraCalls:
    """Calls Agora with the credentials of one project; `secret_name` is the name of their secret in error messages."""

    credentials: ReadCredentials
    hosts: HostRotation
    session: requests.Session = field(default_factory=requests.Session)
    jitter: Callable[[], float] = random.random
    secret_name: str = "agora"  # noqa: S105

    def __call__(
        self,
        call: Call,
        path: str,
        build_body: BuildBody | None,
        deadline: Deadline,
        *,
        patient: bool = True,
        once: bool = False,
    ) -> Answer:
        """Call Agora and return the answer; a `patient` call is repeated within the deadline where that may help.

        A call that is made `once` is not repeated with fresh credentials either.

        Raises:
            SecretUnusable: there are no usable credentials.
            AgoraOutcomeUnknown: a start broke off, or was refused, after an attempt that may have taken effect.
            AgoraError: Agora refused, or gave no usable answer.
        """
        repeats = Repeats(patient and not once, credentials_read_again=once)
        try:
            return self._repeated(call, path, build_body, deadline, repeats)
        except Exception as error:
            if call == "start" and repeats.unsure:
                raise AgoraOutcomeUnknown(outcome_unknown(error)) from error
            raise

    def _repeated(
        self, call: Call, path: str, build_body: BuildBody | None, deadline: Deadline, repeats: Repeats
    ) -> Answer:
        credentials = self.credentials(False)
        while True:
            body = build_body and build_body(credentials)
            with repeats.in_flight():
                attempt = self._attempt(call, path, body, deadline, credentials)
            if repeats.needs_fresh_credentials(attempt):
                credentials = self.credentials(True)
                if attempt.worth_repeating_with(credentials):
                    continue
            wait = repeats.next_wait(attempt.rule, self.hosts.waits)
            if wait is None or not self.pause(wait, deadline):
                return _answer(call, attempt, unsure=repeats.unsure)

    def pause(self, seconds: float, deadline: Deadline) -> bool:
        """Wait up to a quarter longer than `seconds`; False at once if no time would be left for a call."""
        return deadline.pause(seconds * (1 + self.jitter() / 4), reserve=2 * SHORTEST_CALL_SECONDS)

    def _attempt(
        self,
        call: Call,
        path: str,
        body: Mapping[str, Any] | None,
        deadline: Deadline,
        credentials: Credentials,
    ) -> Attempt:
        if deadline.seconds_left < SHORTEST_CALL_SECONDS:
            return Attempt(credentials, body, NO_TIME, {})
        rule, reply = self._send(call, path, body, deadline, credentials)
        if rule.unanswered:
            self.hosts.did_not_answer()
        else:
            self.hosts.answered()
        return Attempt(credentials, body, rule, reply)

    def _send(
        self,
        call: Call,
        path: str,
        body: Mapping[str, Any] | None,
        deadline: Deadline,
        credentials: Credentials,
    ) -> tuple[Rule, Mapping[str, Any]]:
        app = quote(credentials["appId"], safe="")
        try:
            response = self.session.request(
                "GET" if call == "query" else "POST",
                f"{self.hosts.host}/v1/apps/{app}/cloud_recording{path}",
                json=body,
                headers={"Content-Type": "application/json;charset=utf-8"},
                auth=HTTPBasicAuth(credentials["customerId"].encode(), credentials["customerSecret"].encode()),
                timeout=(min(CONNECT_SECONDS, deadline.seconds_left), min(ANSWER_SECONDS, deadline.seconds_left)),
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = read_at_most(response.iter_content(CHUNK), LARGEST_ANSWER)
        except requests.RequestException as error:
            # The text of such an error holds the whole URL; the class name is enough.
            return NO_ANSWER, {"message": type(error).__name__}
        try:
            reply = parse_bounded(content or b"")
        except ValueError:
            if response.status_code < 300:
                return NO_ANSWER, {"message": "the answer is not JSON"}
            return judge(call, response.status_code, {}), {}
        if not isinstance(reply, dict):
            return NO_ANSWER, {"message": "the answer is not a JSON object"}
        return judge(call, response.status_code, reply), reply


def _answer(call: Call, attempt: Attempt, *, unsure: bool) -> Answer:
    """Return the answer of the last attempt of a call.

    Raises:
        AgoraError: the answer is an error that no caller can use.
    """
    verdict, reason = attempt.rule.final_verdict, attempt.reason
    match verdict:
        case Verdict.BAD_CREDENTIALS:
            raise AgoraRefusedCredentials(f"Agora refused the credentials: {reason}")
        case Verdict.REJECTED:
            raise AgoraRejected(code_of(attempt.reply), reason)
        case Verdict.UNAVAILABLE:
            raise AgoraUnavailable(f"Agora gave no usable answer to {call} ({reason})")
    return Answer(verdict, attempt.reply, reason, unsure)


def outcome_unknown(error: Exception) -> str:
    """Return why the outcome of a start is unknown, if the start ended with this error."""
    # The text of an error that is not ours may hold a secret; the class name is enough.
    why = str(error) if isinstance(error, RecordingInsightsError) else type(error).__name__
    return f"{why}; an earlier request may have started a recorder"
