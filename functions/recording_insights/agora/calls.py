"""One call of the Agora Cloud Recording REST API, with the repeats that are worth it.

What an answer means is data in `replies`, whom to ask next in `hosts`.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth

from recording_insights.agora.answers import NO_ANSWER, TOKEN_REFUSED, Call, Rule, Verdict, code_of, judge, reason_of
from recording_insights.agora.hosts import HostRotation
from recording_insights.agora.rtc_token import CERTIFICATE_KEY
from recording_insights.agora.storage import STORAGE_SECRETS
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    AgoraOutcomeUnknown,
    AgoraRefusedCredentials,
    AgoraRejected,
    AgoraUnavailable,
)
from recording_insights.redaction import hide_secrets, secrets_in

CONNECT_SECONDS = 3.05
"""Four tries at hosts that take no connection, and the waits between them, fit in the time of an API call."""
ANSWER_SECONDS = 8.0
SHORTEST_CALL_SECONDS = 1.0
"""With less time left, no call is begun."""
NO_TIME = Rule(Verdict.UNAVAILABLE, "no time was left")
LONGEST_REASON = 400
SECRET_FIELDS = ("token", "secret", "salt", *STORAGE_SECRETS)
"""The secret fields of a `clientRequest`, at any depth."""

Credentials = Mapping[str, str]
"""The secret of an Agora project: appId, customerId, customerSecret and, if the project has one, appCertificate."""
ReadCredentials = Callable[[bool], Credentials]
"""Reads the credentials; True reads past every cache."""
BuildBody = Callable[[Credentials], Mapping[str, Any]]
"""Builds the body of one attempt, with the credentials of that attempt."""


@dataclass(frozen=True)
class Answer:
    """Where a call ended after its repeats; `unsure` if one of its tries may have taken effect unseen."""

    verdict: Verdict
    body: Mapping[str, Any]
    reason: str
    unsure: bool


@dataclass(frozen=True)
class AgoraCalls:
    """Calls Agora with the credentials of one project; `secret_name` is what errors call these."""

    credentials: ReadCredentials
    hosts: HostRotation
    session: requests.Session = field(default_factory=requests.Session)
    jitter: Callable[[], float] = random.random
    secret_name: str = "agora"  # noqa: S105

    def __call__(
        self,
        call: Call,
        path: str,
        body: BuildBody | None,
        deadline: Deadline,
        *,
        patient: bool = True,
    ) -> Answer:
        """The answer that ends the call; `patient` repeats what may pass while the deadline allows.

        Raises:
            SecretUnusable: there are no credentials.
            AgoraError: Agora refused, or gave no usable answer.
        """
        credentials = self.credentials(False)
        fresh = unsure = False
        tries = 0
        while True:
            sent = body and body(credentials)
            rule, reply = self._try(call, path, sent, deadline, credentials)
            if rule is not NO_TIME:
                (self.hosts.did_not_answer if rule.unanswered else self.hosts.answered)()
            if not fresh and (rule.verdict is Verdict.BAD_CREDENTIALS or code_of(reply) in TOKEN_REFUSED):
                used, credentials = credentials, self.credentials(fresh := True)  # rotated since it was read?
                rotated = used.get(CERTIFICATE_KEY) != credentials.get(CERTIFICATE_KEY)
                if rule.verdict is Verdict.BAD_CREDENTIALS or rotated:
                    continue
            unsure = unsure or rule.unsure
            verdict = rule.verdict
            if verdict is Verdict.REPEAT:
                waits = (rule.unanswered and self.hosts.waits) or rule.waits
                if patient and tries < len(waits) and self.pause(waits[tries], deadline):
                    tries += 1
                    continue
                verdict = rule.then
            break
        reason = hide_secrets(reason_of(rule, reply), _secrets(credentials, sent))[:LONGEST_REASON]
        match verdict:
            case Verdict.BAD_CREDENTIALS:
                raise AgoraRefusedCredentials(f"Agora refused the credentials: {reason}")
            case Verdict.REJECTED:
                raise AgoraRejected(code_of(reply), reason)
            case Verdict.UNAVAILABLE:
                failure = AgoraOutcomeUnknown if call == "start" and unsure else AgoraUnavailable
                raise failure(f"Agora gave no usable answer to {call} ({reason})")
        return Answer(verdict, reply, reason, unsure)

    def _try(
        self,
        call: Call,
        path: str,
        body: Mapping[str, Any] | None,
        deadline: Deadline,
        credentials: Mapping[str, str],
    ) -> tuple[Rule, Mapping[str, Any]]:
        if deadline.seconds_left < SHORTEST_CALL_SECONDS:
            return NO_TIME, {}
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
            )
            reply = response.json()
        except requests.JSONDecodeError:
            if response.status_code < 300:
                return NO_ANSWER, {"message": "the answer is not JSON"}
            return judge(call, response.status_code, {}), {}
        except requests.RequestException as error:
            # The text of requests' errors holds the whole URL; the class says what happened.
            return NO_ANSWER, {"message": type(error).__name__}
        if not isinstance(reply, dict):
            return NO_ANSWER, {"message": "the answer is not a JSON object"}
        return judge(call, response.status_code, reply), reply

    def pause(self, seconds: float, deadline: Deadline) -> bool:
        """Wait a little more than that before asking again; false if no time for another call would be left."""
        return deadline.pause(seconds * (1 + self.jitter() / 4), reserve=2 * SHORTEST_CALL_SECONDS)


def _secrets(credentials: Mapping[str, str], body: Mapping[str, Any] | None) -> list[str]:
    # Agora's reasons end on the row; one that repeats the request would carry its secrets there.
    secrets = [value for name, value in credentials.items() if name != "appId" and isinstance(value, str)]
    return [*secrets, *secrets_in((body or {}).get("clientRequest", {}), SECRET_FIELDS)]
