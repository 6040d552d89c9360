"""Insights by Seasalt SeaMeet: create a meeting, upload its audio, analyse it; only a callback brings the result.

The state of a job shows a failure, but never the result: its `result` is always null. The vendor sets the callback for
a whole workspace, signs it, and names the meeting in it, not the job. The vendor's table and its script use different
names for some fields. The adapter sends and reads both. docs/providers/seameet.md lists them.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from hashlib import sha256
from typing import Any

from recording_insights.errors import CallbackForged, CallbackUnusable, JobNotFound, ProviderRejected
from recording_insights.model.insights import Insights
from recording_insights.providers.adapters.seameet import reading
from recording_insights.providers.adapters.seameet.reading import payload_of, plain_text
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import Credentials, StaticKey
from recording_insights.providers.toolkit.http import Query, Reply, VendorHttp, path_segment
from recording_insights.providers.toolkit.json import parse_object, promised
from recording_insights.providers.toolkit.values import NO_REASON, mapping
from recording_insights.redaction import vendor_message

RESULT_EVENT = "dashboard_analysis_finished"
MOST_NAMES = 50
NO_JOB = "00000000-0000-0000-0000-000000000000"
_ERROR_FIELDS = ("error", "errors", "error_code", "error_message", "detail")
_NAME_TAKEN = re.compile(r"already|conflict|duplicat|exists", re.IGNORECASE)
_NO_CREDIT = re.compile(r"insufficient (?:\w+ )?(?:funds?|credits?|balance|quota)|out of credit", re.IGNORECASE)
_MEETING = re.compile(rb'meeting_id\\?"\s*:\s*\\?"([\w.:-]{1,128})\\?"')
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class SeaMeet:
    """The adapter. `credentials(fresh)` returns a map with apiKey and workspaceId; `fresh` bypasses every cache."""

    capabilities = Capabilities(
        takes="bytes",
        # Polls find failures only and need not be frequent: a callback announces the end.
        pace=Pace(start_seconds=30, share=0.25),
        max_bytes=300_000_000,
        max_minutes=120,
        languages=frozenset({"en-US", "zh-TW"}),
        callback="required",
        callback_is_result=True,
        result_by="delivery",
    )

    def __init__(self, http: VendorHttp, credentials: Credentials) -> None:
        self._http = http
        self._key = StaticKey("SeaMeet", credentials, lambda reply: _reason_of(reply.data))

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Create the meeting, upload the audio, order the analysis. Steps of an earlier attempt are not repeated."""
        was_uploaded = "file_name" in job
        if "meeting_id" not in job:
            meeting = self._create_meeting(submission)
            job = {"meeting_id": meeting, "callback_key": meeting}
            keep(job)
        if not was_uploaded:
            job = self._upload(job, submission, keep)
            keep(job)
        return {**job, "job_id": self._analyze(_analysis(job, submission.options, is_repeated=was_uploaded))}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Return the state: a delivery is a success. A job whose id is lost with its response ends by callback too."""
        if delivered is not None:
            return JobState("succeeded", RESULT_EVENT)
        if not job.get("job_id"):
            return JobState("running", "no job id")
        reply = self._send("GET", f"/jobs/{path_segment(job['job_id'])}")
        if reply.status == 404:
            raise JobNotFound(f"SeaMeet does not know the job: {_reason_of(reply.data)}")
        state = _job_in(self._accepted(reply))
        word = plain_text(state.get("status"))
        if not word:
            raise self._http.unreadable("the state of the job")
        if word == "FAILED":
            reason = vendor_message(state.get("error_message") or NO_REASON)
            return JobState("failed", word, f"SeaMeet failed the job: {reason}")
        return JobState("running", "FINISHED, no usable callback has come" if word == "FINISHED" else word)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """Return the delivery: there is no call that fetches a result."""
        if delivered is None:
            raise self._http.unreadable("a result: it comes by callback only")
        return delivered

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise the callback of a finished analysis."""
        return reading.read_insights(reply)

    def delete(self, job: Job) -> bool:
        """Delete the meeting with its audio and its analysis.

        Source: https://api.seasalt.ai/seameet/audio-upload
        """
        if not job.get("meeting_id"):
            return False
        reply = self._send("DELETE", f"/meetings/{path_segment(job['meeting_id'])}", may_be_empty=True)
        if reply.status >= 400 and reply.status != 404:
            raise self._http.refusal(reply.status, _reason_of(reply.data))
        return True

    def verify_access(self) -> str:
        """Request the state of a job that does not exist, which finds credentials that are refused.

        No documented call proves that they are accepted: each of the others creates or deletes something, and the
        status for an unknown job is not documented.
        Source: https://api.seasalt.ai/seameet/audio-upload
        """
        reply = self._key.call_once(self._request("GET", f"/jobs/{NO_JOB}"))
        if reply.status >= 400 and reply.status != 404:
            raise self._http.refusal(reply.status, _reason_of(reply.data))
        raise ProviderRejected("SeaMeet does not refuse the credentials. It documents no free call that accepts them.")

    @staticmethod
    def read_callback(request: CallbackRequest) -> Callback | None:
        """Verify the callback of a finished analysis, which contains the result and names the meeting."""
        _prove(request)
        return SeaMeet.read_result(request.body)

    @staticmethod
    def read_result(body: bytes) -> Callback | None:
        """Read the body of a verified callback."""
        try:
            data = parse_object(body)
            event = data.get("event_name") or promised(data, "event")
            if event != RESULT_EVENT:
                return None
            payload = payload_of(data)
            meeting = data.get("meeting_id") or promised(payload, "meeting_id")
        except ValueError as fault:
            raise CallbackUnusable(str(fault), _meeting_in(body)) from None
        if not meeting or not isinstance(meeting, str):
            raise CallbackUnusable("its field meeting_id is no text", "")
        return Callback({"meeting_id": meeting, "callback_key": meeting}, is_result=True, key=meeting)

    def _create_meeting(self, submission: Submission) -> str:
        meeting = {
            "meeting_name": submission.title,
            "channel_type": "PHONE",
            "language": submission.options.get("language", "en-US"),
            "start_time": submission.media.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "resource_metadata": {"call_id": submission.name},
        }
        meeting_id = plain_text(self._accepted(self._send("POST", "/meetings", json=meeting)).get("id"))
        if not meeting_id:
            raise self._http.unreadable("a meeting id")
        return meeting_id

    def _upload(self, job: Job, submission: Submission, keep: Callable[[Job], None]) -> Job:
        """Upload the audio and return the job with its file name: the first that no earlier attempt has used.

        The job keeps the number of names used, so that no attempt tries the names of all earlier ones.
        """
        path = f"/meetings/{path_segment(job['meeting_id'])}/upload_audio_url"
        for number in range(min(job.get("names_used", 0), MOST_NAMES - 1) + 1, MOST_NAMES + 1):
            name = f"{submission.name}{'' if number == 1 else f'-{number}'}.{submission.media.format}"
            reply = self._send("POST", path, query=[("file_name", name)], json={"name": name})
            if not _is_taken(reply):
                break
        link = self._accepted(reply).get("upload_audio_url")
        if not isinstance(link, str) or not link:
            raise self._http.unreadable("an upload URL")
        keep({**job, "names_used": number})
        self._http.upload(link, submission.open_media())
        return {name: value for name, value in job.items() if name != "names_used"} | {"file_name": name}

    def _analyze(self, analysis: Mapping[str, Any]) -> str:
        path = f"/meetings/{path_segment(analysis['meeting_id'])}/analyze_audio"
        reply = self._send("POST", path, json=analysis, is_paid=True)
        job_id = plain_text(_job_in(self._accepted(reply, is_paid=True)).get("id"))
        if not job_id:
            raise self._http.unreadable("a job id", is_paid=True)
        return job_id

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        json: Any = None,
        is_paid: bool = False,
        may_be_empty: bool = False,
    ) -> Reply:
        return self._key.call(
            self._request(method, path, query=query, json=json, is_paid=is_paid, may_be_empty=may_be_empty)
        )

    def _request(self, method: str, path: str, **request: Any) -> Callable[[Mapping[str, str]], Reply]:
        def send(secret: Mapping[str, str]) -> Reply:
            # The workspace is part of the base URL, so that errors, which contain the path, do not contain it.
            base = f"{self._http.base_url}/seameet-api/api/v1/workspaces/{path_segment(secret['workspaceId'])}"
            headers = {"Authorization": f"Bearer {secret['apiKey']}", "Accept": "application/json"}
            return replace(self._http, base_url=base).call(method, path, headers=headers, **request)

        return send

    def _accepted(self, reply: Reply, *, is_paid: bool = False) -> dict[str, Any]:
        """Return the object of a response, or raise the error that it contains, which may come with status 200."""
        data = reply.data
        if reply.status < 400:
            if not isinstance(data, dict):
                raise self._http.unreadable("a JSON object", is_paid=is_paid)
            promised = any(data.get(name) for name in ("id", "job", "upload_audio_url"))
            if promised or not any(data.get(name) for name in _ERROR_FIELDS):
                return data
        reason = _reason_of(data)
        raise self._http.refusal(reply.status, reason, no_credit=_NO_CREDIT.search(reason) is not None)


def _prove(request: CallbackRequest) -> None:
    given = request.headers.get("x-seasalt-server-signature", "").strip().lower()
    # Another form cannot match, and must not cause a read of the secret.
    if not _SIGNATURE.fullmatch(given):
        raise CallbackForged("the callback's signature is missing or wrong")
    request.prove_with(
        lambda secret: hmac.compare_digest(hmac.new(secret.encode(), request.body, sha256).hexdigest(), given)
    )


def _meeting_in(body: bytes) -> str:
    """Return the meeting's id in a signed body that is not usable, such as one that is cut off, or an empty text."""
    found = _MEETING.search(body)
    return found[1].decode() if found else ""


def _is_taken(reply: Reply) -> bool:
    return reply.status == 409 or (reply.status in (400, 422) and bool(_NAME_TAKEN.search(_reason_of(reply.data))))


def _analysis(job: Job, options: Mapping[str, Any], *, is_repeated: bool) -> dict[str, Any]:
    """Return the body that orders the analysis of the uploaded file."""
    analysis: dict[str, Any] = {
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
        "enable_itn": True,
        "enable_punctuation": True,
        "use_existing_audio": False,
        # An earlier analysis may have left its transcript, which the meeting would otherwise contain twice.
        "reset_meeting": is_repeated,
        "queue_type": "DEDICATED",
    }
    if "speakers" in options:
        analysis["num_speakers"] = options["speakers"]
    return analysis


def _job_in(data: dict[str, Any]) -> dict[str, Any]:
    return mapping(data.get("job")) or data


def _reason_of(data: Any) -> str:
    """Return the messages of an error, which has one or more of several fields, or is a text."""
    if isinstance(data, dict):
        parts = [vendor_message(data[name]) for name in (*_ERROR_FIELDS, "code", "message") if data.get(name)]
        data = " ".join(dict.fromkeys(parts))
    return vendor_message(data or NO_REASON)
