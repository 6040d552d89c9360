"""Client of the Agora Cloud Recording REST API: start, query, stop and change a recorder.

`calls` sends and repeats one call, `answers` says what an answer means.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from recording_insights.agora.answers import OTHER_PARAMETERS, RETRY_WAITS, Call, Verdict, code_of
from recording_insights.agora.calls import AgoraCalls, Answer, BuildBody, Credentials, outcome_unknown
from recording_insights.agora.recorder import LiveState, Recorder, RecorderOrder, Stopped
from recording_insights.agora.rtc_token import CERTIFICATE_KEY, CERTIFICATE_SECRET, MalformedKey, recorder_token
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    AgoraChannelBusy,
    AgoraOutcomeUnknown,
    AgoraRejected,
    AgoraUnavailable,
    SecretUnusable,
)

SECRET_KEYS = ("appId", "customerId", "customerSecret")
"""The required keys of the secret of an Agora project."""


@dataclass(frozen=True)
class AgoraClient:
    """Controls the recorders of one Agora project.

    Every method calls Agora, repeats the call within the deadline where that may help, and may raise `SecretUnusable`
    or any `AgoraError`. `certificate_secret` is the name of the App Certificate's secret in error messages.
    """

    calls: AgoraCalls
    uploader: Uploader
    certificate_secret: str = CERTIFICATE_SECRET
    now: Callable[[], float] = time.time

    def start(
        self, order: RecorderOrder, prefix: Sequence[str], deadline: Deadline, apart_from: Sequence[str] = ()
    ) -> Recorder:
        """Acquire a resource and start a recorder with it, which writes to the folder `prefix` of the bucket.

        A resource lives 5 minutes and serves one recording. `apart_from` are the resources of other recorders; Agora
        runs the new one on another server.

        Raises:
            UploadCredentialsError: there are no credentials for Agora's upload.
            AgoraChannelBusy: a recorder of this uid, started elsewhere, is in the channel.
            AgoraOutcomeUnknown: the recorder may run nevertheless.
        """
        # Agora requires acquire and start within two seconds of each other, so AWS is called first.
        storage = self.uploader.storage_config(prefix, deadline)
        waits = iter(RETRY_WAITS)
        may_differ = order.settings.announces_start
        unsure: str | None = None  # the resource of a start that may have taken effect unseen
        while True:
            try:
                resource_id, answer = self._acquire_and_start(order, storage, apart_from, deadline)
            except Exception as error:
                if may_differ and isinstance(error, AgoraRejected) and error.code == OTHER_PARAMETERS:
                    may_differ = False  # once: the certificate was rotated between the calls, so the token differs
                    continue
                if unsure is None or isinstance(error, AgoraOutcomeUnknown):
                    raise
                raise AgoraOutcomeUnknown(outcome_unknown(error)) from error
            unsure = resource_id if answer.unsure else unsure
            recorder = _started(answer, resource_id, unsure)
            if recorder is not None:
                return recorder
            wait = next(waits, None)
            if wait is None or not self.calls.pause(wait, deadline):
                failure = AgoraUnavailable if unsure is None else AgoraOutcomeUnknown
                raise failure(f"Agora did not start the recording ({answer.reason})")

    def query(self, recording: Mapping[str, Any], deadline: Deadline, *, patient: bool = False) -> LiveState:
        """Return a recorder's live state; a `patient` query is repeated for up to 15 s if Agora finds no recorder.

        `recording` is the row, of which this needs mode, resource_id and sid.
        """
        answer = self.calls("query", _task_path(recording, "query"), None, deadline, patient=patient)
        return LiveState(None) if answer.verdict in (Verdict.GONE, Verdict.LOST) else LiveState.from_reply(answer.body)

    def stop(self, recording: Mapping[str, Any], deadline: Deadline) -> Stopped:
        """Make a recorder leave its channel; one that has left before counts as stopped.

        If Agora finds no recorder, it may be moving to another host, and has to be stopped again once it is found. The
        stop is asynchronous: Agora uploads the last files afterwards, which may take longer than the 30 s of an HTTP
        API.
        """
        answer = self._call_task("stop", recording, {"async_stop": True}, deadline)
        if answer.verdict is Verdict.EMPTY:
            return Stopped(empty=True, reason=f"Agora: {answer.reason}")
        if answer.verdict is Verdict.LOST:
            return Stopped(lost=True, reason=answer.reason)
        # If an earlier attempt may have taken effect, the recorder has left because of it.
        left = answer.verdict is Verdict.GONE and not answer.unsure
        return Stopped(left=left, reason=answer.reason if left else None)

    def change(
        self,
        call: Literal["update", "updateLayout"],
        recording: Mapping[str, Any],
        client_request: Mapping[str, Any],
        deadline: Deadline,
    ) -> bool:
        """Change how a recorder records; False if it has left."""
        return self._call_task(call, recording, client_request, deadline).verdict is Verdict.DONE

    def _call_task(
        self, call: Call, recording: Mapping[str, Any], client_request: Mapping[str, Any], deadline: Deadline
    ) -> Answer:
        body = {"cname": recording["channel"], "uid": recording["uid"], "clientRequest": client_request}
        return self.calls(call, _task_path(recording, call), lambda _: body, deadline)

    def _acquire_and_start(
        self, order: RecorderOrder, storage: Mapping[str, Any], apart_from: Sequence[str], deadline: Deadline
    ) -> tuple[str, Answer]:
        """Acquire a resource and start with it; returns the resource's id and the answer to start."""
        build_request = self._start_request_builder(order, storage)
        resource_id = self._acquire(order, apart_from, build_request, deadline)

        def build_body(credentials: Credentials) -> Mapping[str, Any]:
            return {"cname": order.channel, "uid": order.uid, "clientRequest": build_request(credentials)}

        path = f"/resourceid/{quote(resource_id, safe='')}/mode/{order.mode}/start"
        return resource_id, self.calls("start", path, build_body, deadline)

    def _acquire(
        self, order: RecorderOrder, apart_from: Sequence[str], build_start_request: BuildBody, deadline: Deadline
    ) -> str:
        request = order.settings.acquire_request(order.max_hours)
        if apart_from:
            request["excludeResourceIds"] = list(apart_from)

        def build_body(credentials: Credentials) -> Mapping[str, Any]:
            announced = {"startParameter": build_start_request(credentials)} if order.settings.announces_start else {}
            return {"cname": order.channel, "uid": order.uid, "clientRequest": {**request, **announced}}

        answer = self.calls("acquire", "/acquire", build_body, deadline)
        resource_id = answer.body.get("resourceId")
        if not isinstance(resource_id, str) or not resource_id:
            raise AgoraUnavailable("Agora answered acquire without a resourceId")
        return resource_id

    def _start_request_builder(self, order: RecorderOrder, storage: Mapping[str, Any]) -> BuildBody:
        """Return what builds start's `clientRequest` for each attempt, with a token if the channel is protected.

        Each attempt gets a new token. If acquire announces the request, attempts with the same App Certificate get the
        same token: Agora refuses a start that differs from the announcement.
        """
        request = {**order.settings.start_request(), "storageConfig": storage}
        tokens: dict[str | None, str | None] = {}

        def build(credentials: Credentials) -> Mapping[str, Any]:
            certificate = credentials.get(CERTIFICATE_KEY)
            if certificate not in tokens or not order.settings.announces_start:
                tokens[certificate] = self._token(order, credentials)
            token = tokens[certificate]
            return {**request, **({"token": token} if token else {})}

        return build

    def _token(self, order: RecorderOrder, credentials: Credentials) -> str | None:
        if order.mode == "web":
            return None  # a web page is not a channel
        try:
            return order.token or recorder_token(order, credentials, int(self.now()))
        except MalformedKey as malformed:
            name = self.certificate_secret if malformed.key == CERTIFICATE_KEY else self.calls.secret_name
            raise SecretUnusable(name, str(malformed)) from None


def _started(answer: Answer, resource_id: str, unsure: str | None) -> Recorder | None:
    """Return the recorder that an answer to start shows; None if another resource is needed.

    `unsure` is the resource of an earlier start that may have taken effect: a recorder in the channel is that one.

    Raises:
        AgoraChannelBusy: the recorder in the channel was started elsewhere.
    """
    if answer.verdict is Verdict.DONE and isinstance(sid := answer.body.get("sid"), str) and sid:
        return Recorder(resource_id, sid)
    if answer.verdict in (Verdict.DONE, Verdict.STARTED_BEFORE):
        return Recorder(resource_id, None)
    if answer.verdict is not Verdict.CHANNEL_BUSY:
        return None
    if unsure is None:
        raise AgoraChannelBusy(code_of(answer.body), answer.reason)
    return Recorder(unsure, None)


def _task_path(recording: Mapping[str, Any], action: str) -> str:
    resource_id, sid = quote(recording["resource_id"], safe=""), quote(recording["sid"], safe="")
    return f"/resourceid/{resource_id}/sid/{sid}/mode/{recording['mode']}/{action}"
