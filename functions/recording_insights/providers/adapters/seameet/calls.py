"""Seasalt SeaMeet: create a meeting, upload its audio, analyse it; the result comes by callback and in no other way.

The job's own state tells of a failure, never of the result: `result` is null in every state. The callback is set per
workspace by the vendor, names the meeting and not the job, and is signed. Where the vendor's table and its script
differ (names of fields), both names are sent and both are read; docs/providers/seameet.md lists them.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from recording_insights.errors import CallbackForged, InvalidRequest, OutOfCredit, ProviderRejected
from recording_insights.model.insights import Insights, Utterance
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import Credentials
from recording_insights.providers.toolkit.http import Query, Reply, VendorHttp
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.static_key import StaticKey
from recording_insights.providers.toolkit.values import mapping, maps
from recording_insights.redaction import vendor_message

BASE_URL = "https://meet.seasalt.ai"
RESULT_EVENT = "dashboard_analysis_finished"
MOST_NAMES = 50
_SCORES = ("customer_satisfaction_rating", "agent_performance_rating", "agent_performance_feedback", "risk_factor")
_ERROR_FIELDS = ("error", "errors", "error_code", "error_message", "detail")
_NAME_TAKEN = re.compile(r"already|conflict|duplicat|exists", re.IGNORECASE)
_NO_CREDIT = re.compile(r"insufficient (?:\w+ )?(?:funds?|credits?|balance|quota)|out of credit", re.IGNORECASE)
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class SeaMeet:
    """The adapter; `credentials(fresh)` gives apiKey, workspaceId and webhookSecret, `fresh` past every cache."""

    capabilities = Capabilities(
        takes="bytes",
        formats=frozenset({"wav", "mp3", "mp4", "ogg", "opus", "flac", "wma", "aac", "amr", "webm", "spx"}),
        # Polls find failures only, the end is the callback: they need not be quick.
        pace=Pace(start_seconds=30, share=0.25),
        max_bytes=300_000_000,
        max_minutes=120,
        languages=frozenset({"en-US", "zh-TW"}),
        callback="required",
        result_by="delivery",
    )

    def __init__(self, http: VendorHttp, credentials: Credentials) -> None:
        self._http = http
        self._credentials = credentials
        self._key = StaticKey("SeaMeet", credentials, lambda reply: _complaint(reply.data))

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Meeting, link, bytes, analysis. What an earlier try has done is not done again, the upload included."""
        asked_before = "file_name" in job
        if "meeting_id" not in job:
            meeting = self._create_meeting(submission)
            job = {"meeting_id": meeting, "callback_key": meeting}
            keep(job)
        if not asked_before:
            job = {**job, "file_name": self._upload(job["meeting_id"], submission)}
            keep(job)
        return {**job, "job_id": self._analyze(job, submission.options, asked_before)}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Succeeded is what was delivered. A job whose id was lost with its answer still ends by its callback."""
        if delivered is not None:
            return JobState("succeeded", RESULT_EVENT)
        if not job.get("job_id"):
            return JobState("running", "no job id")
        found = _job_in(self._accepted(self._send("GET", f"/jobs/{_segment(job['job_id'])}")))
        word = _text(found.get("status"))
        if not word:
            raise self._http.unreadable("the state of the job")
        if word == "FAILED":
            reason = vendor_message(found.get("error_message") or "no reason given")
            return JobState("failed", word, f"SeaMeet failed the job: {reason}")
        return JobState("running", "FINISHED, its callback has not come" if word == "FINISHED" else word)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """What was delivered: there is nothing else to fetch."""
        if delivered is None:
            raise self._http.unreadable("a result: it comes by callback only")
        return delivered

    def read_insights(self, reply: bytes) -> Insights:
        """The payload of a callback; its transcript has no times, ratings are letters from A (best) to E."""
        payload = _payload(parse_json(reply))
        lines = payload["transcript"]
        if lines is not None and not isinstance(lines, list):
            raise TypeError("the transcript is no list")
        ratings = {name: payload.get(name) for name in (*_SCORES, "title")}
        return Insights(
            transcript=[
                Utterance(text=text, speaker=_text(line.get("speaker")))
                for line in maps(lines)
                if (text := _text(line.get("text")))
            ],
            summary=_text(payload.get("summary")),
            ratings={name: value for name, value in ratings.items() if _text(value)},
        )

    def read_callback(self, request: CallbackRequest) -> Callback | None:
        """The end of an analysis, with its result; found by the id of its meeting."""
        self._prove(request)
        try:
            data = parse_json(request.body)
            event = data.get("event_name") or data["event"]
            if event != RESULT_EVENT:
                return None
            payload = _payload(data)
            meeting = data.get("meeting_id") or payload["meeting_id"]
        except (AttributeError, LookupError, TypeError, ValueError):
            raise InvalidRequest("body", "names no event, or no meeting, or has no payload") from None
        if not meeting or not isinstance(meeting, str):
            raise InvalidRequest("body", "names no meeting")
        return Callback({"meeting_id": meeting, "callback_key": meeting}, is_result=True, key=meeting)

    def _create_meeting(self, submission: Submission) -> str:
        meeting = {
            "meeting_name": submission.title,
            "channel_type": "PHONE",
            "language": submission.options.get("language", "en-US"),
            "start_time": submission.media.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "resource_metadata": {"call_id": submission.name},
        }
        meeting_id = _text(self._accepted(self._send("POST", "/meetings", json=meeting)).get("id"))
        if not meeting_id:
            raise self._http.unreadable("a meeting id")
        return meeting_id

    def _upload(self, meeting: str, submission: Submission) -> str:
        """The name under which the audio lies: the first that no earlier try has used up."""
        path = f"/meetings/{_segment(meeting)}/upload_audio_url"
        for counter in ("", *(f"-{number}" for number in range(2, MOST_NAMES + 1))):
            name = f"{submission.name}{counter}.{submission.media.format}"
            reply = self._send("POST", path, query=[("file_name", name)], json={"name": name})
            if not _is_taken(reply):
                break
        link = self._accepted(reply).get("upload_audio_url")
        if not isinstance(link, str) or not link:
            raise self._http.unreadable("an upload URL")
        self._http.upload(link, submission.open_media())
        return name

    def _analyze(self, job: Job, options: Mapping[str, Any], asked_before: bool) -> str:
        path = f"/meetings/{_segment(job['meeting_id'])}/analyze_audio"
        body = _analysis(job, options, asked_before)
        job_id = _text(_job_in(self._accepted(self._send("POST", path, json=body, buys=True), buys=True)).get("id"))
        if not job_id:
            raise self._http.unreadable("a job id", buys=True)
        return job_id

    def _send(self, method: str, path: str, *, query: Query = (), json: Any = None, buys: bool = False) -> Reply:
        def send(secret: Mapping[str, str]) -> Reply:
            # The workspace is a part of the base here, so that errors, which name the path, do not name it.
            base = f"{self._http.base_url}/seameet-api/api/v1/workspaces/{_segment(secret['workspaceId'])}"
            headers = {"Authorization": f"Bearer {secret['apiKey']}", "Accept": "application/json"}
            http = replace(self._http, base_url=base)
            return http.call(method, path, headers=headers, query=query, json=json, buys=buys)

        return self._key.call(send)

    def _accepted(self, reply: Reply, *, buys: bool = False) -> dict[str, Any]:
        """The object of the answer, unless it is an error, which may come with status 200."""
        data = reply.data
        if reply.status < 400:
            if not isinstance(data, dict):
                raise self._http.unreadable("a JSON object", buys=buys)
            promised = any(data.get(name) for name in ("id", "job", "upload_audio_url"))
            if promised or not any(data.get(name) for name in _ERROR_FIELDS):
                return data
        complaint = _complaint(data)
        if reply.status == 402 or _NO_CREDIT.search(complaint):
            raise OutOfCredit(f"SeaMeet takes no job: {complaint}")
        raise ProviderRejected(f"SeaMeet answered HTTP {reply.status}: {complaint}")

    def _prove(self, request: CallbackRequest) -> None:
        given = request.headers.get("x-seasalt-server-signature", "").strip().lower()
        # Nothing else can match, and must not make us read the secret.
        for fresh in (False, True) if _SIGNATURE.fullmatch(given) else ():
            secret = self._credentials(fresh)["webhookSecret"].encode()
            if hmac.compare_digest(hmac.new(secret, request.body, sha256).hexdigest(), given):
                return
        raise CallbackForged("the callback's signature is missing or wrong")


def _is_taken(reply: Reply) -> bool:
    return reply.status == 409 or (reply.status in (400, 422) and bool(_NAME_TAKEN.search(_complaint(reply.data))))


def _analysis(job: Job, options: Mapping[str, Any], asked_before: bool) -> dict[str, Any]:
    return {
        "meeting_id": job["meeting_id"],
        "channel": options.get("channels", 1),
        "channels": options.get("channels", 1),
        "file_name": job["file_name"],
        "audio_start_offset": 0,
        "scenario": options.get("scenario", "customer_service_call"),
        "scenario_parameters": {
            "customer_number": options.get("customer_number", "unknown"),
            "went_to_voicemail": options.get("went_to_voicemail", False),
            "contains_recordings": options.get("contains_recordings", False),
            "spoke_to_agent": options.get("spoke_to_agent", True),
            "enable_agent_recognition": True,
            **{name: options[name] for name in ("customer_name", "agent_name", "direction") if name in options},
        },
        "speaker_accounts": [],
        "diarization_options": "by_server",
        **({"num_speakers": options["speakers"]} if "speakers" in options else {}),
        "enable_itn": True,
        "enable_punctuation": True,
        "use_existing_audio": False,
        # An earlier analysis may have left its transcript, which would otherwise stand there twice.
        "reset_meeting": asked_before,
        "queue_type": "DEDICATED",
    }


def _job_in(data: dict[str, Any]) -> dict[str, Any]:
    return mapping(data.get("job")) or data


def _payload(data: Any) -> dict[str, Any]:
    """The payload of a callback: an object or, as one sentence of the vendor's page has it, that object's JSON text."""
    payload = parse_json(data["payload"].encode()) if isinstance(data["payload"], str) else data["payload"]
    if not isinstance(payload, dict):
        raise TypeError("the payload is no object")
    return payload


def _complaint(data: Any) -> str:
    if isinstance(data, dict):
        parts = [vendor_message(data[name]) for name in (*_ERROR_FIELDS, "code", "message") if data.get(name)]
        data = " ".join(dict.fromkeys(parts))
    return vendor_message(data or "no reason given")


def _text(value: Any) -> str | None:
    """A text, or a number as one; None for nothing and for whatever stands where a text should."""
    return str(value) if isinstance(value, str | int | Decimal) and value != "" else None


def _segment(value: Any) -> str:
    return quote(str(value), safe="")
