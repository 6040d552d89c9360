"""Client of the Agora Cloud Recording REST API: what is told to it, and what it is asked.

How one call is made and repeated is in `calls`, what an answer means in `replies`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from recording_insights.agora.answers import (
    LADDER,
    OTHER_PARAMETERS,
    Call,
    LiveState,
    Recorder,
    Stopped,
    Verdict,
    code_of,
)
from recording_insights.agora.calls import AgoraCalls, Answer
from recording_insights.agora.hosts import HostLadder, hosts_near
from recording_insights.agora.rtc_token import CERTIFICATE_KEY, recorder_token
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.aws.secrets import read_secret
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    AgoraChannelBusy,
    AgoraError,
    AgoraOutcomeUnknown,
    AgoraRejected,
    AgoraUnavailable,
    SecretUnusable,
)
from recording_insights.recordings.request import RecordingRequest
from recording_insights.settings import AgoraSettings

SECRET_KEYS = ("appId", "customerId", "customerSecret")

Told = Callable[[Mapping[str, str]], Mapping[str, Any]]
"""Start's `clientRequest`: the same in every try if acquire has announced it, otherwise with a token of its own."""


@dataclass(frozen=True)
class AgoraClient:
    """Talks to one Agora project.

    Every method calls Agora, repeats what `replies` says is worth it while the deadline allows, and may raise
    `SecretUnusable` or any `AgoraError`.
    """

    calls: AgoraCalls
    uploader: Uploader
    now: Callable[[], float] = time.time

    @classmethod
    def from_settings(cls, settings: AgoraSettings, *, aws_region: str) -> "AgoraClient":
        """The client of a stage, wired to its secret and its hosts; stack and bucket lie in `aws_region`."""
        base_url = settings.base_urls.get("agora")
        secret = settings.secret_name("agora")

        def credentials(fresh: bool) -> Mapping[str, str]:
            return read_secret(secret, SECRET_KEYS, fresh=fresh)

        hosts = HostLadder([base_url.rstrip("/")] if base_url else hosts_near(aws_region))
        uploader = Uploader.from_settings(settings, aws_region=aws_region)
        return cls(AgoraCalls(credentials, hosts, secret_name=secret), uploader)

    def start(
        self, request: RecordingRequest, prefix: Sequence[str], deadline: Deadline, apart_from: Sequence[str] = ()
    ) -> Recorder:
        """Acquire and start, in a pair: a resource lives 5 minutes and serves one recording.

        `apart_from` are the resources of recorders that this one is not to share a server with.

        Raises:
            UploadCredentialsError: there is nothing to let Agora write the recording with.
            AgoraChannelBusy: somebody else's recorder of this uid is in the channel.
            AgoraOutcomeUnknown: the recorder may run all the same.
        """
        # First of all: Agora wants acquire and start within two seconds of each other.
        storage = self.uploader.storage_config(prefix, deadline)
        waits = iter(LADDER)
        announced = request.recorder.announces_start
        unsure: str | None = None  # the resource whose start may have taken effect
        while True:
            told = self._start_request(request, storage)
            try:
                resource_id = self._acquire(request, apart_from, told, deadline)
                answer = self._start(request, resource_id, told, deadline)
            except (AgoraError, SecretUnusable) as error:
                if announced and isinstance(error, AgoraRejected) and error.code == OTHER_PARAMETERS:
                    announced = False  # a certificate that was rotated between the two calls makes another token, once
                    continue
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
            if wait is None or not self.calls.pause(wait, deadline):
                failure = AgoraUnavailable if unsure is None else AgoraOutcomeUnknown
                raise failure(f"Agora did not start the recording ({answer.reason})")

    def query(self, recording: Mapping[str, Any], deadline: Deadline, *, patient: bool = False) -> LiveState:
        """A recorder's live state; `patient` repeats, up to 15 s for one that cannot be found."""
        answer = self.calls("query", _task_path(recording, "query"), None, deadline, patient=patient)
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
        return self.calls(call, _task_path(recording, call), lambda _: body, deadline)

    def _acquire(self, request: RecordingRequest, apart_from: Sequence[str], told: Told, deadline: Deadline) -> str:
        wanted = request.recorder.acquire_request(request.max_hours)
        if apart_from:
            wanted["excludeResourceIds"] = list(apart_from)

        def body(credentials: Mapping[str, str]) -> Mapping[str, Any]:
            announced = {"startParameter": told(credentials)} if request.recorder.announces_start else {}
            return {"cname": request.channel, "uid": request.uid, "clientRequest": {**wanted, **announced}}

        answer = self.calls("acquire", "/acquire", body, deadline)
        resource_id = answer.body.get("resourceId")
        if not isinstance(resource_id, str) or not resource_id:
            raise AgoraUnavailable("Agora answered acquire without a resourceId")
        return resource_id

    def _start(self, request: RecordingRequest, resource_id: str, told: Told, deadline: Deadline) -> Answer:
        def body(credentials: Mapping[str, str]) -> Mapping[str, Any]:
            return {"cname": request.channel, "uid": request.uid, "clientRequest": told(credentials)}

        path = f"/resourceid/{quote(resource_id, safe='')}/mode/{request.mode}/start"
        return self.calls("start", path, body, deadline)

    def _start_request(self, request: RecordingRequest, storage: Mapping[str, Any]) -> Told:
        told = {**request.recorder.start_request(), "storageConfig": storage}
        tokens: dict[str | None, str | None] = {}

        def of(credentials: Mapping[str, str]) -> Mapping[str, Any]:
            certificate = credentials.get(CERTIFICATE_KEY)
            if certificate not in tokens or not request.recorder.announces_start:
                tokens[certificate] = self._token(request, credentials)
            token = tokens[certificate]
            return {**told, **({"token": token} if token else {})}

        return of

    def _token(self, request: RecordingRequest, credentials: Mapping[str, str]) -> str | None:
        if request.mode == "web":
            return None  # a web page is no channel
        try:
            return request.token or recorder_token(request, credentials, int(self.now()))
        except ValueError as unusable:
            raise SecretUnusable(self.calls.secret_name, str(unusable)) from None


def _task_path(recording: Mapping[str, Any], action: str) -> str:
    resource_id, sid = quote(recording["resource_id"], safe=""), quote(recording["sid"], safe="")
    return f"/resourceid/{resource_id}/sid/{sid}/mode/{recording['mode']}/{action}"
