"""AssemblyAI's API for recorded audio: create, read, list and delete transcripts.

A field that the schema does not have is refused, as live tests of a client of the vendor show. `speech_models` may be
left out, as newer pages say and the vendor's own client does. All models are accepted that no source calls refused. An
unknown id is answered with 400, as on the page of errors (the specification says 404). No source shows the answer to an
unknown path: it has the shape of the other errors. `keyterms_prompt` and `redact_pii_policies` are checked and then
ignored, `entities` are dates, numbers and names, and all speech counts as English.
"""

import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import dumps
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.assemblyai.results import results
from sandbox.stand_ins.vendors.assemblyai.rules import TYPES, page_in_query, refusal, requested_transcript
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

CREDENTIALS = {"apiKey": "stand-in-assemblyai-key"}
OWN_FAULT = (
    "Internal server error. Please retry your request. If the error persists, please contact support@assemblyai.com "
    "for more information."
)
NO_SPEECH = "language_detection cannot be performed on files with no spoken audio."
_CONTAINERS = frozenset({"mp4", "m4a", "mov", "mp3", "wav", "flac", "ogg", "webm", "aac", "aiff", "flv", "mpegts"})
_DELETED = "http://deleted_by_user"
_TRIES = 10


@dataclass(frozen=True)
class AssemblyAIDials(VendorDials):
    """`concurrent_jobs`: number of jobs that run at once, the others are queued. `list_hides_queries`: the list shows
    media URLs without their query.
    """

    concurrent_jobs: int = 200
    list_hides_queries: bool = False


@dataclass
class _Transcript:
    requested: dict[str, Any] = field(repr=False)
    created: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "queued"
    completed: float | None = None
    error: str | None = None
    found: dict[str, Any] = field(default_factory=dict)
    polls: int = 0

    def as_json(self) -> dict[str, Any]:
        """The resource: the request (without the value of the webhook's header), and the results."""
        echo = {name: self.requested.get(name, False if kind is bool else None) for name, kind in TYPES.items()}
        del echo["webhook_auth_header_value"]
        return {
            "id": self.id,
            **echo,
            "punctuate": self.requested.get("punctuate", True),
            "format_text": self.requested.get("format_text", True),
            "status": self.status,
            **dict.fromkeys(("text", "words", "utterances", "confidence", "audio_duration", "summary", "chapters")),
            "webhook_status_code": None,
            "webhook_auth": "webhook_auth_header_name" in self.requested,
            "auto_highlights_result": None,
            "iab_categories_result": {"status": "unavailable", "results": [], "summary": {}},
            "sentiment_analysis_results": None,
            "entities": None,
            **self.found,
            **({"error": self.error} if self.error else {}),
        }

    def as_item(self, hides_queries: bool) -> dict[str, Any]:
        """The transcript's entry in the list."""
        url = self.requested["audio_url"]
        return {
            "id": self.id,
            "resource_url": f"https://api.assemblyai.com/v2/transcript/{self.id}",
            "status": self.status,
            "created": _moment(self.created),
            "completed": None if self.completed is None else _moment(self.completed),
            "audio_url": url.partition("?")[0] if hides_queries else url,
            "error": self.error,
        }


class _AssemblyAI:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._transcripts: dict[str, _Transcript] = {}
        self._slots = threading.Lock()

    @property
    def _dials(self) -> AssemblyAIDials:
        return self._runtime.dials.of(AssemblyAIDials)

    def create_transcript(self) -> ResponseReturnValue:
        self._authorize()
        transcript, dials = _Transcript(requested_transcript(), self._runtime.clock()), self._dials
        note(transcript_id=transcript.id)
        with self._slots:
            self._transcripts[transcript.id] = transcript
        self._takes_slot(transcript)
        self._runtime.ledger.pay("assemblyai.jobs")
        answer = transcript.as_json()
        start_job(self._runtime, dials, f"assemblyai {transcript.id}", lambda: self._work(transcript, dials))
        return answer

    def get_transcript(self, transcript_id: str) -> ResponseReturnValue:
        self._authorize()
        transcript, dials = self._transcript(transcript_id), self._dials
        transcript.polls += 1
        answer = transcript.as_json()
        if dials.unknown_state and transcript.polls <= dials.unknown_state_polls:
            answer["status"] = dials.unknown_state
        note(word=answer["status"])
        return answer

    def list_transcripts(self) -> ResponseReturnValue:
        self._authorize()
        limit, filters = page_in_query()
        listed = list(reversed(self._transcripts.values()))
        if "before_id" in filters:
            listed = listed[self._place(listed, filters["before_id"]) + 1 :]
        if "after_id" in filters:
            listed = listed[: self._place(listed, filters["after_id"])][-limit:]
        if "status" in filters:
            listed = [transcript for transcript in listed if transcript.status == filters["status"]]
        if "created_on" in filters:
            listed = [transcript for transcript in listed if _moment(transcript.created)[:10] == filters["created_on"]]
        page = [transcript.as_item(self._dials.list_hides_queries) for transcript in listed[:limit]]
        here = f"{request.base_url}?limit={limit}"
        return {
            "page_details": {
                "limit": limit,
                "result_count": len(page),
                "current_url": here,
                "prev_url": f"{here}&before_id={page[-1]['id']}" if page else None,
                "next_url": f"{here}&after_id={page[0]['id']}" if page else None,
            },
            "transcripts": page,
        }

    def delete_transcript(self, transcript_id: str) -> ResponseReturnValue:
        self._authorize()
        transcript = self._transcript(transcript_id)
        transcript.requested = {"audio_url": _DELETED, "webhook_url": _DELETED}
        transcript.status, transcript.error, transcript.found = "completed", None, {"text": "Deleted by user."}
        return transcript.as_json()

    def _authorize(self) -> None:
        if request.headers.get("Authorization") != CREDENTIALS["apiKey"]:
            raise refusal(401, "Authentication error, API token missing/invalid")

    def _transcript(self, transcript_id: str) -> _Transcript:
        note(transcript_id=transcript_id)
        if transcript_id not in self._transcripts:
            raise refusal(400, "Transcript lookup error, transcript id not found")
        return self._transcripts[transcript_id]

    def _place(self, listed: list[_Transcript], transcript_id: str) -> int:
        return listed.index(self._transcript(transcript_id))

    def _takes_slot(self, transcript: _Transcript) -> bool:
        with self._slots:
            busy = sum(other.status == "processing" for other in self._transcripts.values())
            if transcript.status == "queued" and busy < self._dials.concurrent_jobs:
                transcript.status = "processing"
        return transcript.status != "queued"

    def _work(self, transcript: _Transcript, dials: AssemblyAIDials) -> None:
        while not self._takes_slot(transcript):
            self._runtime.jobs.sleep(0.05)
        requested, status, error, found = transcript.requested, "completed", None, {}
        try:
            speakers = requested.get("speakers_expected") if requested.get("speaker_labels") else 1
            said = recognise(self._runtime, dials, requested["audio_url"], containers=_CONTAINERS, speakers=speakers)
            if not said and requested.get("language_detection"):
                raise JobFailed(NO_SPEECH)
            found = results(said, requested)
        except JobFailed as failed:
            status, error = "error", _error(failed, requested["audio_url"])
        if transcript.requested is not requested:
            return  # somebody deleted the transcript meanwhile
        transcript.found, transcript.error, transcript.completed = found, error, self._runtime.clock()
        transcript.status = status
        self._call_back(transcript, dials)

    def _call_back(self, transcript: _Transcript, dials: AssemblyAIDials) -> None:
        requested = transcript.requested
        if "webhook_url" not in requested:
            return
        headers = {"Content-Type": "application/json"}
        if "webhook_auth_header_name" in requested:
            headers[requested["webhook_auth_header_name"]] = requested.get("webhook_auth_header_value", "")
        body = dumps({"transcript_id": transcript.id, "status": transcript.status}).encode()
        url = requested["webhook_url"]
        call_back(self._runtime, dials, "assemblyai", url, body, headers, tries=_TRIES, gives_up_at_4xx=True)


def _error(failed: JobFailed, audio_url: str) -> str:
    """The vendor's message. That of a failed download repeats the whole URL."""
    if failed.cause == "vendor":
        return failed.message
    if failed.cause == "own fault":
        return OWN_FAULT
    if failed.cause == "media":
        return "Transcoding failed. File does not appear to contain audio."
    where = f"unable to download {audio_url}"
    return f"Download error, {where}. Please make sure the file exists and is accessible from the internet."


def _moment(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def assemblyai_blueprint(runtime: Runtime) -> Blueprint:
    """Create the blueprint. The vendor's own path `/v2` follows its prefix."""
    assemblyai = _AssemblyAI(runtime)
    routes: list[Route] = [
        ("POST", "/v2/transcript", assemblyai.create_transcript),
        ("GET", "/v2/transcript", assemblyai.list_transcripts),
        ("GET", "/v2/transcript/<transcript_id>", assemblyai.get_transcript),
        ("DELETE", "/v2/transcript/<transcript_id>", assemblyai.delete_transcript),
    ]

    def unknown(path: str) -> ResponseReturnValue:
        return {"error": "Not found"}, 404

    return vendor_blueprint(runtime, "assemblyai", routes, unknown)


VENDOR = Vendor(
    name="assemblyai",
    credentials=CREDENTIALS,
    dials=AssemblyAIDials,
    blueprint=assemblyai_blueprint,
    submits="assemblyai.create_transcript",
    paid="assemblyai.jobs",
    state="assemblyai.get_transcript",
    results=("assemblyai.get_transcript",),
    own_fault=OWN_FAULT,
)
