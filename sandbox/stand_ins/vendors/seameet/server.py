"""SeaMeet's API: meeting, upload URL with the storage behind it, analysis, its job, the callback of the workspace.

Where its table and its script differ, both are accepted: `channels` and `channel`, `name` in the body and `file_name`
in the query. No source shows the status or the body of an error. Here it is 400, 401, 403, 404 or 409 with
`{"detail": …}`, and the storage answers in S3's XML. A file name counts as used once it has an upload URL. The callback
goes to one URL per workspace, which the customer cannot set over the API: it is the dial `callback_url`, or else the
runtime's webhooks.
"""

import hashlib
import hmac
import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.seameet.analysis import payload_of
from sandbox.stand_ins.vendors.seameet.rules import analysis_in, body_of, file_name_in, meeting_in, refusal
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

CREDENTIALS = {
    "apiKey": "stand-in-seameet-key",
    "workspaceId": "stand-in-seameet-workspace",
}
SIGNING_KEY = "StandInSeaMeetWebhookSecret00000"
MOST_BYTES = 300 * 1024 * 1024
_API = "/seameet-api/api/v1/workspaces/<workspace_id>"
_CONTAINERS = frozenset({"wav", "mp3", "mp4", "ogg", "flac", "asf", "aac", "amr", "webm"})
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True)
class SeaMeetDials(VendorDials):
    """`callback_url`: URL of the workspace's callbacks, if not the runtime's webhooks. `callback_after_seconds`: time
    from FINISHED to the callback. `event_field`: "event_name", or "event" for the shape of the published sample, which
    names the meeting in its payload only. `callback_tries`: how often a callback that is not answered 2xx is sent. No
    source says that the vendor repeats one, so it is sent once. `upload_seconds`: lifetime of an upload URL. With
    `link_expired_next` an upload URL has expired from the start.
    """

    callback_url: str | None = None
    callback_after_seconds: float = 0.0
    event_field: str = "event_name"
    callback_tries: int = 1
    upload_seconds: float = 3600.0


@dataclass
class _Meeting:
    id: str
    language: str
    audio: dict[str, Path | None]
    """By file name; None until the upload."""


@dataclass
class _Upload:
    meeting: _Meeting
    file_name: str
    ends: float
    is_used: bool = False


@dataclass
class _Job:
    meeting: _Meeting
    parameters: dict[str, Any]
    audio: Path
    id: str
    status: str = "QUEUED"
    error_message: str | None = None
    polls: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "MEETING_ANALYSIS",
            "relations": {"meeting_id": self.meeting.id, "workspace_id": CREDENTIALS["workspaceId"]},
            "parameters": self.parameters,
            "status": self.status,
            "error_message": self.error_message,
            "result": None,
        }


class _SeaMeet:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._meetings: dict[str, _Meeting] = {}
        self._uploads: dict[str, _Upload] = {}
        self._jobs: dict[str, _Job] = {}

    @property
    def _dials(self) -> SeaMeetDials:
        return self._runtime.dials.of(SeaMeetDials)

    def create_meeting(self, workspace_id: str) -> ResponseReturnValue:
        self._authorize(workspace_id)
        given = meeting_in(body_of())
        meeting = _Meeting(f"seax_{secrets.token_hex(16)}", given["language"], {})
        self._meetings[meeting.id] = meeting
        note(meeting_id=meeting.id)
        return {
            "id": meeting.id,
            "owner_id": "stand-in",
            "name": given["meeting_name"],
            "participants_number": 0,
            "status": "INITIAL",
            "start_time": datetime.fromisoformat(given["start_time"]).isoformat(timespec="microseconds"),
            "language": meeting.language,
            "duration": 0,
            "flag": "WAITING",
            "channel_type": given["channel_type"],
        }

    def delete_meeting(self, workspace_id: str, meeting_id: str) -> ResponseReturnValue:
        meeting = self._meeting(workspace_id, meeting_id)
        del self._meetings[meeting.id]
        for audio in meeting.audio.values():
            if audio:
                audio.unlink(missing_ok=True)
        return "", 200

    def upload_audio_url(self, workspace_id: str, meeting_id: str) -> ResponseReturnValue:
        meeting = self._meeting(workspace_id, meeting_id)
        name = file_name_in(body_of(), request.args.get("file_name"))
        if name in meeting.audio:
            raise refusal(409, "the file name already exists")
        meeting.audio[name] = None
        dials = self._dials
        life = dials.upload_seconds
        if dials.link_expired_next:
            self._runtime.dials.turn(SeaMeetDials, link_expired_next=dials.link_expired_next - 1)
            life = 0.0
        token, ends = secrets.token_hex(32), self._runtime.clock() + life
        self._uploads[token] = _Upload(meeting, name, ends)
        link = url_for("seameet.put_audio", meeting_id=meeting.id, name=name, _external=True)
        return {
            "upload_audio_url": f"{link}?X-Amz-Expires={int(life)}&X-Amz-Signature={token}",
            "expired_time": datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        }

    def put_audio(self, meeting_id: str, name: str) -> ResponseReturnValue:
        """S3's part: it accepts only the signature in the query, and needs the length."""
        note(meeting_id=meeting_id)
        if "Authorization" in request.headers:
            return _s3_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        length = request.content_length
        if length is None:
            return _s3_error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        upload = self._uploads.get(request.args.get("X-Amz-Signature", ""))
        if upload is None or (upload.meeting.id, upload.file_name) != (meeting_id, name):
            return _s3_error(403, "SignatureDoesNotMatch", "The request signature does not match the one you provided.")
        if upload.is_used or upload.ends <= self._runtime.clock():
            return _s3_error(403, "AccessDenied", "Request has expired")
        audio = self._runtime.scratch / f"seameet-{uuid.uuid4()}"
        with audio.open("wb") as file:
            while piece := request.stream.read(_PIECE_BYTES):
                file.write(piece)
        if audio.stat().st_size != length:
            return _s3_error(400, "IncompleteBody", "You did not provide the number of bytes given by Content-Length")
        upload.is_used = True
        upload.meeting.audio[name] = audio
        note(bytes=length)
        return "", 200

    def analyze_audio(self, workspace_id: str, meeting_id: str) -> ResponseReturnValue:
        meeting = self._meeting(workspace_id, meeting_id)
        parameters = analysis_in(body_of(), meeting_id)
        uploaded = {name: audio for name, audio in meeting.audio.items() if audio}
        audio = uploaded.get(parameters.get("file_name") or next(iter(uploaded), ""))
        if audio is None:
            raise refusal(404, "AudioNotFoundError")
        job = _Job(meeting, parameters, audio, str(uuid.uuid4()))
        self._jobs[job.id] = job
        self._runtime.ledger.pay("seameet.jobs")
        note(job_id=job.id)
        answer, dials = {"job": job.as_json()}, self._dials
        start_job(self._runtime, dials, f"seameet {job.id}", lambda: self._work(job, dials))
        return answer

    def job(self, workspace_id: str, job_id: str) -> ResponseReturnValue:
        self._authorize(workspace_id)
        note(job_id=job_id)
        job = self._jobs.get(job_id)
        if job is None:
            raise refusal(404, "The requested data does not exist.")
        job.polls += 1
        answer, dials = job.as_json(), self._dials
        if dials.unknown_state and job.polls <= dials.unknown_state_polls:
            answer["status"] = dials.unknown_state
        note(state=answer["status"])
        return answer

    def _authorize(self, workspace_id: str) -> None:
        if request.headers.get("Authorization") != f"Bearer {CREDENTIALS['apiKey']}":
            raise refusal(401, "Unauthorized")
        if workspace_id != CREDENTIALS["workspaceId"]:
            raise refusal(403, "Forbidden")

    def _meeting(self, workspace_id: str, meeting_id: str) -> _Meeting:
        self._authorize(workspace_id)
        note(meeting_id=meeting_id)
        if meeting_id not in self._meetings:
            raise refusal(404, "MeetingNotFoundError")
        return self._meetings[meeting_id]

    def _work(self, job: _Job, dials: SeaMeetDials) -> None:
        job.status = "STARTED"
        separated = job.parameters.get("diarization_options", "by_server") == "by_server"
        speakers = job.parameters.get("num_speakers") if separated else 1
        try:
            if job.audio.stat().st_size > MOST_BYTES:
                raise JobFailed("the audio is larger than 300MB", "media")
            said = recognise(self._runtime, dials, job.audio, containers=_CONTAINERS, speakers=speakers)
        except JobFailed as failed:
            job.error_message, job.status = failed.message, "FAILED"
            return
        payload = payload_of(job.meeting.id, said, job.parameters)
        job.status = "FINISHED"
        self._call_back(job, dials, payload)

    def _call_back(self, job: _Job, dials: SeaMeetDials, payload: dict[str, Any]) -> None:
        url = dials.callback_url or (f"{self._runtime.webhooks}/seameet" if self._runtime.webhooks else None)
        if url is None:
            return
        event: dict[str, Any] = {dials.event_field: "dashboard_analysis_finished"}
        if dials.event_field == "event_name":
            event |= {"workspace_id": CREDENTIALS["workspaceId"], "meeting_id": job.meeting.id}
        body = json.dumps({**event, "payload": payload}, ensure_ascii=False).encode()
        signature = hmac.new(SIGNING_KEY.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Accept": "*/*", "Content-Type": "application/json", "X-Seasalt-Server-Signature": signature}
        after = dials.callback_after_seconds
        call_back(self._runtime, dials, "seameet", url, body, headers, tries=dials.callback_tries, after_seconds=after)


def _s3_error(status: int, code: str, message: str) -> Response:
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(xml, status, content_type="application/xml")


def seameet_blueprint(runtime: Runtime) -> Blueprint:
    """Create the blueprint: the vendor's own path `/seameet-api`, and its storage beside it."""
    seameet = _SeaMeet(runtime)
    routes: list[Route] = [
        ("POST", f"{_API}/meetings", seameet.create_meeting),
        ("DELETE", f"{_API}/meetings/<meeting_id>", seameet.delete_meeting),
        ("POST", f"{_API}/meetings/<meeting_id>/upload_audio_url", seameet.upload_audio_url),
        ("PUT", "/storage/<meeting_id>/<name>", seameet.put_audio),
        ("POST", f"{_API}/meetings/<meeting_id>/analyze_audio", seameet.analyze_audio),
        ("GET", f"{_API}/jobs/<job_id>", seameet.job),
    ]

    def unknown(path: str) -> ResponseReturnValue:
        return {"detail": "Not Found"}, 404

    return vendor_blueprint(runtime, "seameet", routes, unknown)


VENDOR = Vendor(
    name="seameet",
    credentials=CREDENTIALS,
    dials=SeaMeetDials,
    blueprint=seameet_blueprint,
    prepares=("seameet.create_meeting", "seameet.upload_audio_url"),
    submits="seameet.analyze_audio",
    paid="seameet.jobs",
    state="seameet.job",
    webhook_secret={"webhookSecret": SIGNING_KEY},
)
