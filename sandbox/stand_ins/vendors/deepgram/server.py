"""Deepgram's pre-recorded API: one call, answered with the result itself or, with `callback`, with a request id.

Another call shows whether a key is valid. Deepgram stores nothing, and a result cannot be requested again: if no
callback accepts it, it is lost. A job that fails after the answer delivers an error in the place of the result. No
source shows its shape: the dial `error_shape` chooses one of the documented shapes of errors. No source says whether a
dead link is found before the answer. Users report it there, as REMOTE_CONTENT_ERROR with HTTP 400, which the dial
`link_checked_first` does. An unknown path gets the shape of the other errors. `search`, `replace` and the vocabulary
are checked and then ignored, `redact` finds no more than days of the week, `multichannel` finds one channel, and speech
in any `language` is recognised as English.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.runtime.calls import Refusal
from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.deepgram.results import result
from sandbox.stand_ins.vendors.deepgram.rules import Query, checked, refusal, url_in_body
from sandbox.stand_ins.vendors.vendor import (
    JobFailed,
    Route,
    Vendor,
    VendorDials,
    call_back,
    recognise,
    start_job,
    vendor_blueprint,
)

CREDENTIALS = {"apiKey": "5tand1n0deepgram0key0000000000000000000f"}
OWN_FAULT = "INTERNAL_SERVER_ERROR"
KEY_ID = "8d4b5c1a-0f3e-4b7a-9c61-2e5d7f90ab13"
"""The identifier of that key, which callbacks send as `dg-token`. It is not secret."""

_CONTAINERS = frozenset(
    {"mp4", "m4a", "mov", "mp3", "wav", "aac", "adts", "flac", "ogg", "webm", "matroska", "avi", "mpegts", "amr", "caf"}
)
_TRIES = 11


@dataclass(frozen=True)
class DeepgramDials(VendorDials):
    """`error_shape`: shape of a delivered error, "err_code", "category" or "text". `link_checked_first`: a call with a
    callback downloads the link before it answers.
    """

    error_shape: str = "err_code"
    link_checked_first: bool = False


@dataclass(frozen=True)
class _Job:
    """A request. The file `media` exists once the bytes were uploaded, or downloaded from `link`."""

    request_id: str
    query: Query
    link: str | None = field(repr=False)
    media: Path


class _Deepgram:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def _dials(self) -> DeepgramDials:
        return self._runtime.dials.of(DeepgramDials)

    def listen(self) -> ResponseReturnValue:
        request_id, dials = str(uuid.uuid4()), self._dials
        note(request_id=request_id)
        _authorize(request_id)
        query = checked(request.args, request_id)
        if query.unknown:
            note(unknown=query.unknown)
        media = self._runtime.scratch / f"deepgram-{request_id}"
        link = url_in_body(request_id) if request.mimetype == "application/json" else None
        if link is None:
            media.write_bytes(request.get_data())
        job = _Job(request_id, query, link, media)
        if "callback" not in query.texts:
            return self._answer(job, dials)
        if dials.link_checked_first:
            self._check_link(job, dials)
        self._runtime.ledger.pay("deepgram.jobs")
        start_job(self._runtime, dials, f"deepgram {request_id}", lambda: self._deliver(job, dials))
        return {"request_id": request_id}

    def token(self) -> ResponseReturnValue:
        """Return details of the key. The vendor documents the call, and not which details these are."""
        _authorize(str(uuid.uuid4()))
        return {"api_key_id": KEY_ID, "scopes": ["usage:write"]}

    def _answer(self, job: _Job, dials: DeepgramDials) -> ResponseReturnValue:
        if dials.job_never_ends:
            return Response("Gateway Timeout", 504, content_type="text/plain")
        try:
            found = self._work(job, dials)
        except JobFailed as failed:
            raise _refusal(failed, job.request_id) from None
        self._runtime.ledger.pay("deepgram.jobs")
        return found

    def _deliver(self, job: _Job, dials: DeepgramDials) -> None:
        try:
            body = _as_json(self._work(job, dials))
        except JobFailed as failed:
            body = _error(_refusal(failed, job.request_id), dials.error_shape)
        headers = {"Content-Type": "application/json", "dg-token": KEY_ID}
        method = job.query.text("callback_method", "post").upper()
        url = job.query.text("callback")
        call_back(self._runtime, dials, "deepgram", url, body, headers, method=method, tries=_TRIES)

    def _work(self, job: _Job, dials: DeepgramDials) -> dict[str, Any]:
        try:
            self._fetch(job)
            speakers = None if job.query.diarizes else 1
            said = recognise(self._runtime, dials, job.media, containers=_CONTAINERS, speakers=speakers)
            with job.media.open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            seconds, now = _seconds(job.media), self._runtime.clock()
        finally:
            job.media.unlink(missing_ok=True)
        return result(said, job.query, request_id=job.request_id, sha256=sha256, seconds=seconds, now=now)

    def _fetch(self, job: _Job) -> None:
        """Download the media to its file: the result has the digest of its bytes."""
        if job.link is None or job.media.exists():
            return
        try:
            self._runtime.download(job.link, job.media)
        except DownloadFailed as failed:
            raise JobFailed(str(failed), "link expired" if failed.forbidden else "link") from None

    def _check_link(self, job: _Job, dials: DeepgramDials) -> None:
        try:
            if dials.link_expired_next:
                self._runtime.dials.turn(DeepgramDials, link_expired_next=dials.link_expired_next - 1)
                raise JobFailed("the link has expired", "link expired")
            self._fetch(job)
        except JobFailed as failed:
            raise _refusal(failed, job.request_id) from None


def _authorize(request_id: str) -> None:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "token" or key != CREDENTIALS["apiKey"]:
        raise refusal(401, "INVALID_AUTH", "Invalid credentials.", request_id)


def _refusal(failed: JobFailed, request_id: str) -> Refusal:
    host = "The remote server hosting the media"
    status, code, text = {
        "vendor": (422, "UNPROCESSABLE_ENTITY", failed.message),
        "own fault": (500, OWN_FAULT, "The server has encountered a situation it does not know how to handle."),
        "link expired": (400, "REMOTE_CONTENT_ERROR", f"{host} returned a client error: 403 Forbidden."),
        "link": (400, "REMOTE_CONTENT_ERROR", f"{host} failed to return valid data."),
        "media": (400, "Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data"),
    }[failed.cause]
    return refusal(status, code, text, request_id)


def _error(refused: Refusal, shape: str) -> bytes:
    code, text = refused.body["err_code"], refused.body["err_msg"]
    if shape == "text":
        return f"{code}: {text}".encode()
    if shape == "category":
        return _as_json({"category": code, "message": text, "details": "", "request_id": refused.body["request_id"]})
    return _as_json(refused.body)


def _as_json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _seconds(media: Path) -> float:
    """The length in the container's header, 0 without one."""
    try:
        with av.open(str(media)) as container:
            return (container.duration or 0) / av.time_base
    except av.FFmpegError:
        return 0.0


def deepgram_blueprint(runtime: Runtime) -> Blueprint:
    """Create the blueprint."""
    deepgram = _Deepgram(runtime)
    routes: list[Route] = [("POST", "/v1/listen", deepgram.listen), ("GET", "/v1/auth/token", deepgram.token)]

    def unknown(path: str) -> ResponseReturnValue:
        known = path in ("v1/listen", "v1/auth/token")
        status, code = (405, "METHOD_NOT_ALLOWED") if known else (404, "NOT_FOUND")
        return {"err_code": code, "err_msg": f"{request.method} /{path}", "request_id": str(uuid.uuid4())}, status

    return vendor_blueprint(runtime, "deepgram", routes, unknown)


VENDOR = Vendor(
    name="deepgram",
    credentials=CREDENTIALS,
    dials=DeepgramDials,
    blueprint=deepgram_blueprint,
    submits="deepgram.listen",
    paid="deepgram.jobs",
    own_fault=OWN_FAULT,
)
