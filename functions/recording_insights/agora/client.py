"""Client of the Agora Cloud Recording REST API.

It alone knows paths, bodies and the rhythm of repeats; what an answer means is data in `replies`, whom to ask in
`hosts`.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth

from recording_insights.agora.client_request import secrets_in
from recording_insights.agora.hosts import HostLadder, hosts_near
from recording_insights.agora.replies import (
    LADDER,
    SILENCE,
    TOKEN_REFUSED,
    Call,
    LiveState,
    Recorder,
    Rule,
    Stopped,
    Verdict,
    code_of,
    judge,
    reason_of,
)
from recording_insights.agora.rtc_token import CERTIFICATE_KEY, recorder_token
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    AgoraChannelBusy,
    AgoraError,
    AgoraOutcomeUnknown,
    AgoraRefusedCredentials,
    AgoraRejected,
    AgoraUnavailable,
    SecretUnusable,
)
from recording_insights.recording_request import RecordingRequest
from recording_insights.secrets import read_secret
from recording_insights.settings import FunctionSettings

SECRET_KEYS = ("appId", "customerId", "customerSecret")
CONNECT_SECONDS = 3.05
"""Four tries at hosts that take no connection, and the waits between them, fit in the time of an API call."""
ANSWER_SECONDS = 8.0
SHORTEST_CALL_SECONDS = 1.0
"""With less time left, no call is begun."""
NO_TIME = Rule(Verdict.UNAVAILABLE, "no time was left")
LONGEST_REASON = 400

Credentials = Callable[[bool], Mapping[str, str]]
"""True asks for a fresh copy, after a refusal."""
Body = Callable[[Mapping[str, str]], Mapping[str, Any]]
"""Made anew for every try, out of the credentials of that try."""


@dataclass(frozen=True)
class Answer:
    """Where a call ended after its repeats; `unsure` if one of its tries may have taken effect unseen."""

    verdict: Verdict
    body: Mapping[str, Any]
    reason: str
    unsure: bool


@dataclass(frozen=True)
class AgoraClient:
    """Talks to one Agora project; `secret_name` is what errors call its credentials.

    Every method calls Agora, repeats what `replies` says is worth it while the deadline allows, and may raise
    `SecretUnusable` or any `AgoraError`.
    """

    credentials: Credentials
    uploader: Uploader
    hosts: HostLadder
    session: requests.Session = field(default_factory=requests.Session)
    jitter: Callable[[], float] = random.random
    now: Callable[[], float] = time.time
    secret_name: str = "agora"  # noqa: S105

    @classmethod
    def from_settings(cls, settings: FunctionSettings, *, aws_region: str) -> "AgoraClient":
        """The client of a stage, wired to its secret and its hosts; stack and bucket lie in `aws_region`."""
        base_url = settings.base_urls.get("agora")
        secret = settings.secret_name("agora")

        def credentials(fresh: bool) -> Mapping[str, str]:
            return read_secret(secret, SECRET_KEYS, fresh=fresh)

        return cls(
            credentials,
            Uploader.from_settings(settings, aws_region=aws_region),
            HostLadder([base_url.rstrip("/")] if base_url else hosts_near(aws_region)),
            secret_name=secret,
        )

    def start(self, request: RecordingRequest, prefix: Sequence[str], deadline: Deadline) -> Recorder:
        """Acquire and start, in a pair: a resource lives 5 minutes and serves one recording.

        Raises:
            UploadCredentialsError: there is nothing to let Agora write the recording with.
            AgoraChannelBusy: somebody else's recorder of this uid is in the channel.
            AgoraOutcomeUnknown: the recorder may run all the same.
        """
        # First of all: Agora wants acquire and start within two seconds of each other.
        storage = self.uploader.storage_config(prefix, deadline)
        waits = iter(LADDER)
        unsure: str | None = None  # the resource whose start may have taken effect
        while True:
            try:
                resource_id = self._acquire(request, deadline)
                answer = self._start(request, resource_id, storage, deadline)
            except (AgoraError, SecretUnusable) as error:
                if unsure is None:
                    raise
                raise AgoraOutcomeUnknown(str(error)) from error
            if answer.verdict is Verdict.DONE and isinstance(sid := answer.body.get("sid"), str) and sid:
                return Recorder(resource_id, sid)
            if answer.verdict in (Verdict.DONE, Verdict.STARTED_BEFORE):
                return Recorder(resource_id, None)
            unsure = resource_id if answer.unsure else unsure
            if answer.verdict is Verdict.CHANNEL_BUSY:
                if unsure is None:
                    raise AgoraChannelBusy(code_of(answer.body), answer.reason)
                return Recorder(unsure, None)
            wait = next(waits, None)
            if wait is None or not self._pause(wait, deadline):
                failure = AgoraUnavailable if unsure is None else AgoraOutcomeUnknown
                raise failure(f"Agora did not start the recording ({answer.reason})")

    def query(self, recording: Mapping[str, Any], deadline: Deadline, *, patient: bool = False) -> LiveState:
        """A recorder's live state; `patient` repeats, up to 15 s for one that cannot be found."""
        answer = self._call("query", _task_path(recording, "query"), None, deadline, patient=patient)
        return LiveState(None) if answer.verdict is Verdict.GONE else LiveState.from_reply(answer.body)

    def stop(self, recording: Mapping[str, Any], deadline: Deadline) -> Stopped:
        """Tell a recorder to leave; one that has left already counts as stopped.

        Asynchronous: the upload goes on afterwards, and would outlast an HTTP API's 30 s otherwise.
        """
        answer = self._tell("stop", recording, {"async_stop": True}, deadline)
        if answer.verdict is Verdict.EMPTY:
            return Stopped(empty=True, reason=f"Agora: {answer.reason}")
        # Where an earlier try may have got through, it is our own stop that the recorder has obeyed.
        left = answer.verdict is Verdict.GONE and not answer.unsure
        return Stopped(left=left, reason=answer.reason if left else None)

    def change(
        self,
        call: Literal["update", "updateLayout"],
        recording: Mapping[str, Any],
        client_request: Mapping[str, Any],
        deadline: Deadline,
    ) -> bool:
        """Have a recorder go on otherwise; False if it has left."""
        return self._tell(call, recording, client_request, deadline).verdict is Verdict.DONE

    def _tell(
        self, call: Call, recording: Mapping[str, Any], client_request: Mapping[str, Any], deadline: Deadline
    ) -> Answer:
        body = {"cname": recording["channel"], "uid": recording["uid"], "clientRequest": client_request}
        return self._call(call, _task_path(recording, call), lambda _: body, deadline)

    def _acquire(self, request: RecordingRequest, deadline: Deadline) -> str:
        body = {
            "cname": request.channel,
            "uid": request.uid,
            "clientRequest": request.recorder.acquire_request(request.max_hours),
        }
        answer = self._call("acquire", "/acquire", lambda _: body, deadline)
        resource_id = answer.body.get("resourceId")
        if not isinstance(resource_id, str) or not resource_id:
            raise AgoraUnavailable("Agora answered acquire without a resourceId")
        return resource_id

    def _start(
        self, request: RecordingRequest, resource_id: str, storage: Mapping[str, Any], deadline: Deadline
    ) -> Answer:
        client_request = {**request.recorder.start_request(), "storageConfig": storage}

        def body(credentials: Mapping[str, str]) -> Mapping[str, Any]:
            token = self._token(request, credentials)
            with_token = {**client_request, **({"token": token} if token else {})}
            return {"cname": request.channel, "uid": request.uid, "clientRequest": with_token}

        path = f"/resourceid/{quote(resource_id, safe='')}/mode/{request.mode}/start"
        return self._call("start", path, body, deadline)

    def _token(self, request: RecordingRequest, credentials: Mapping[str, str]) -> str | None:
        if request.mode == "web":
            return None  # a web page is no channel
        try:
            return request.token or recorder_token(request, credentials, int(self.now()))
        except ValueError as unusable:
            raise SecretUnusable(self.secret_name, str(unusable)) from None

    def _call(
        self,
        call: Call,
        path: str,
        body: Body | None,
        deadline: Deadline,
        *,
        patient: bool = True,
    ) -> Answer:
        credentials = self.credentials(False)
        fresh = unsure = False
        tries = 0
        while True:
            sent = body and body(credentials)
            rule, reply = self._try(call, path, sent, deadline, credentials)
            if rule is not NO_TIME:
                (self.hosts.kept_silent if rule.silence else self.hosts.answered)()
            if not fresh and (rule.verdict is Verdict.BAD_CREDENTIALS or code_of(reply) in TOKEN_REFUSED):
                used, credentials = credentials, self.credentials(fresh := True)  # rotated since it was read?
                rotated = used.get(CERTIFICATE_KEY) != credentials.get(CERTIFICATE_KEY)
                if rule.verdict is Verdict.BAD_CREDENTIALS or rotated:
                    continue
            unsure = unsure or rule.unsure
            verdict = rule.verdict
            if verdict is Verdict.REPEAT:
                waits = (rule.silence and self.hosts.waits) or rule.waits
                if patient and tries < len(waits) and self._pause(waits[tries], deadline):
                    tries += 1
                    continue
                verdict = rule.then
            break
        reason = _without_secrets(reason_of(rule, reply), credentials, sent)[:LONGEST_REASON]
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
                return SILENCE, {"message": "the answer is not JSON"}
            return judge(call, response.status_code, {}), {}
        except requests.RequestException as error:
            # The text of requests' errors holds the whole URL; the class says what happened.
            return SILENCE, {"message": type(error).__name__}
        if not isinstance(reply, dict):
            return SILENCE, {"message": "the answer is not a JSON object"}
        return judge(call, response.status_code, reply), reply

    def _pause(self, seconds: float, deadline: Deadline) -> bool:
        return deadline.pause(seconds * (1 + self.jitter() / 4), reserve=2 * SHORTEST_CALL_SECONDS)


def _task_path(recording: Mapping[str, Any], action: str) -> str:
    resource_id, sid = quote(recording["resource_id"], safe=""), quote(recording["sid"], safe="")
    return f"/resourceid/{resource_id}/sid/{sid}/mode/{recording['mode']}/{action}"


def _without_secrets(text: str, credentials: Mapping[str, str], body: Mapping[str, Any] | None) -> str:
    # Agora's reasons end on the row; one that repeats the request would carry its secrets there.
    secrets = [value for name, value in credentials.items() if name != "appId" and isinstance(value, str)]
    secrets += secrets_in((body or {}).get("clientRequest", {}))
    for secret in sorted(filter(None, secrets), key=len, reverse=True):  # one may be part of another
        text = text.replace(secret, "***")
    return text
