"""Amazon Transcribe: a proxy in front of the local cloud's, and the recognition behind it.

The local cloud has the API, its jobs, and IAM before both. This proxy names each call for dials and ledger and forwards
it as it was signed. When a job runs, sandbox/cloud/emulator/transcribe.py posts its media to `hear`. The answer is a
transcript in Transcribe's own shape, or the reason why the job fails.
"""

import json
import shutil
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.runtime.calls import Refusal
from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.transcribe.cloud import AskCloud, CloudAnswer, NoCloud, ask_cloud
from sandbox.stand_ins.vendors.transcribe.document import transcript
from sandbox.stand_ins.vendors.vendor import LONGEST_LOOK_SECONDS, JobFailed, Vendor, VendorDials, recognise

CREDENTIALS: dict[str, str] = {}
EVENTS_HEADER = "X-Events"
"""How often the local cloud announces the end of the job."""
NEVER_ENDS = 202

_CONTENT_TYPE = "application/x-amz-json-1.1"
_CONTAINERS: Mapping[str, frozenset[str]] = {
    **{name: frozenset({name}) for name in ("mp3", "mp4", "wav", "flac", "ogg", "amr", "webm", "m4a")},
    "": frozenset({"mp3", "mp4", "wav", "flac", "ogg", "amr", "webm", "m4a"}),
}
OWN_FAULT = "Internal Failure. Please try your request again."
_FAILURES = {
    "own fault": OWN_FAULT,
    "media": "The media format provided does not match the detected media format.",
    "link": "The S3 URI that you provided can't be accessed. Make sure that you have read permission and try your "
    "request again.",
}
_EVENTS = {"lost": 0, "double": 2}
_EARLY_SECONDS = (15.0, 0.5)
"""With early callbacks: how long a start waits for the recognition, and after it for the event."""
_LOOK_AGAIN_SECONDS = 0.05
_HOP_BY_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


@dataclass(frozen=True)
class TranscribeDials(VendorDials):
    """`callback` is the event that announces the end of a job. There is no link: with `link_expired_next` the media is
    inaccessible. Only this proxy's answers show `unknown_state`. Its jobs run in the local cloud: with `look_waits` a
    call for the state looks there again until the job is over.
    """


class _Proxy:
    def __init__(self, runtime: Runtime, ask: AskCloud) -> None:
        self._runtime = runtime
        self._ask = ask
        self._polls: Counter[str] = Counter()
        self._endless: set[str] = set()
        self._recognised: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        named = runtime.calls.named
        self._operations = {
            "Transcribe.StartTranscriptionJob": named("transcribe.start_transcription_job")(self.start),
            "Transcribe.GetTranscriptionJob": named("transcribe.get_transcription_job")(self.get),
            "Transcribe.ListTranscriptionJobs": named("transcribe.list_transcription_jobs")(self.forward),
            "Transcribe.DeleteTranscriptionJob": named("transcribe.delete_transcription_job")(self.forward),
        }
        self.recognise = named("transcribe.hear")(self.recognise_media)

    @property
    def _dials(self) -> TranscribeDials:
        return self._runtime.dials.of(TranscribeDials)

    def dispatch(self) -> ResponseReturnValue:
        operation = self._operations.get(request.headers.get("X-Amz-Target", ""))
        if operation is None:
            return _unknown_operation(400)
        return operation()

    def forward(self) -> ResponseReturnValue:
        return _unchanged(self._forwarded())

    def start(self) -> ResponseReturnValue:
        answer = self._forwarded()
        if answer.status == 200:
            self._runtime.ledger.pay("transcribe.jobs")
            if self._dials.callback == "early":
                at_most, until_announced = _EARLY_SECONDS
                self._recognised[_job_name()].wait(at_most)
                self._runtime.jobs.sleep(until_announced)
        return _unchanged(answer)

    def get(self) -> ResponseReturnValue:
        name, dials = _job_name(), self._dials
        answer = self._when_over(name) if dials.look_waits else self._forwarded()
        self._polls[name] += 1
        if answer.status == 200 and dials.unknown_state and self._polls[name] <= dials.unknown_state_polls:
            found = json.loads(answer.body)
            found["TranscriptionJob"]["TranscriptionJobStatus"] = dials.unknown_state
            answer = replace(answer, body=json.dumps(found).encode())
        return _unchanged(answer)

    def recognise_media(self) -> ResponseReturnValue:
        """POST of media bytes. The query has `job`, `format` and, to label speakers, `speakers` (the most).

        `redact` are the types of personal data that the transcript must not hold, separated by commas.
        """
        job, dials = request.args.get("job", ""), self._dials
        most_speakers = request.args.get("speakers", type=int)
        containers = _CONTAINERS.get(request.args.get("format", ""))
        if containers is None or (most_speakers is not None and most_speakers < 1):
            return {"error": "format is one of Transcribe's, speakers at least 1"}, 400
        events = _EVENTS.get(dials.callback, 1)
        note(job=job)
        try:
            if dials.job_never_ends:
                self._endless.add(job)
                return "", NEVER_ENDS
            note(events=events)
            with tempfile.TemporaryDirectory(dir=self._runtime.scratch) as scratch:
                media = Path(scratch) / "media"
                with media.open("wb") as file:
                    shutil.copyfileobj(request.stream, file)
                said = recognise(self._runtime, dials, media, containers=containers, speakers=None)
            redact = request.args.get("redact", "").split(",") if "redact" in request.args else ()
            found = transcript(said, job=job, most_speakers=most_speakers, redact=redact)
            return found, 200, {EVENTS_HEADER: str(events)}
        except JobFailed as failed:
            reason = _FAILURES.get(failed.cause.removesuffix(" expired"), failed.message)
            return {"FailureReason": reason}, 422, {EVENTS_HEADER: str(events)}
        finally:
            self._recognised[job].set()

    def _when_over(self, job: str) -> CloudAnswer:
        """The local cloud's answer once its job is over; the last one if the job goes on for too long."""
        until = time.monotonic() + LONGEST_LOOK_SECONDS
        while True:
            answer = self._forwarded()
            if job in self._endless or not _goes_on(answer) or time.monotonic() > until:
                return answer
            self._runtime.jobs.sleep(_LOOK_AGAIN_SECONDS)

    def _forwarded(self) -> CloudAnswer:
        note(job=_job_name())
        headers = {name: value for name, value in request.headers if name.lower() not in _HOP_BY_HOP}
        try:
            return self._ask(request.path, headers, request.get_data())
        except NoCloud as missing:
            raise Refusal(503, {"__type": "ServiceUnavailableException", "Message": str(missing)}) from None


def _unknown_operation(status: int) -> ResponseReturnValue:
    return Response(json.dumps({"__type": "UnknownOperationException"}), status, content_type=_CONTENT_TYPE)


def _goes_on(answer: CloudAnswer) -> bool:
    if answer.status != 200:
        return False
    return json.loads(answer.body)["TranscriptionJob"]["TranscriptionJobStatus"] in ("QUEUED", "IN_PROGRESS")


def _unchanged(answer: CloudAnswer) -> Response:
    return Response(answer.body, answer.status, content_type=answer.content_type or None)


def _job_name() -> str:
    body: Any = request.get_json(silent=True, force=True)
    return str(body.get("TranscriptionJobName", "")) if isinstance(body, dict) else ""


def transcribe_blueprint(runtime: Runtime, ask: AskCloud = ask_cloud) -> Blueprint:
    """AWS JSON 1.1 at the blueprint's own path; POST hear?job=&format=&speakers= for the local cloud."""
    blueprint = Blueprint("transcribe", __name__)
    proxy = _Proxy(runtime, ask)
    blueprint.add_url_rule("/", "dispatch", proxy.dispatch, methods=["POST"], strict_slashes=False)
    blueprint.add_url_rule("/hear", "hear", proxy.recognise, methods=["POST"])

    @blueprint.route("/", defaults={"path": ""}, methods=["GET", "PUT", "PATCH", "DELETE"], strict_slashes=False)
    @blueprint.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def no_route(path: str) -> ResponseReturnValue:
        return _unknown_operation(404)

    return blueprint


VENDOR = Vendor(
    name="transcribe",
    credentials=CREDENTIALS,
    dials=TranscribeDials,
    blueprint=transcribe_blueprint,
    submits="transcribe.start_transcription_job",
    paid="transcribe.jobs",
    state="transcribe.get_transcription_job",
    own_fault=OWN_FAULT,
)
