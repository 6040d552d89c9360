"""Transcription by AssemblyAI: POST a link, then read one resource that has both the state and the result.

A webhook announces the end. If the response to a submission is lost, the adapter searches the account's list for the
transcript before it submits again. docs/providers/assemblyai.md lists facts in which the vendor's pages contradict
each other. The adapter accepts both forms.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from recording_insights.errors import InvalidRequest, JobNotFound, MediaLinkExpired
from recording_insights.model.insights import Insights
from recording_insights.providers.adapters.assemblyai import reading
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import Credentials, StaticKey
from recording_insights.providers.toolkit.http import Reply, VendorHttp, path_segment
from recording_insights.providers.toolkit.values import NO_REASON, mapping, maps
from recording_insights.redaction import vendor_message

TOKEN_HEADER = "X-Recording-Insights-Token"  # noqa: S105
DEFAULT_SPEECH_MODELS = ("universal-3-5-pro", "universal-2")

MOST_LINKS = 50
"""Digests of links in a job, the newest ones. Each try has searched the list for all links before it."""

_REGIONAL = {"en-US": "en_us", "en-GB": "en_uk", "en-AU": "en_au", "de-CH": "de_ch"}
"""The only regions for which the vendor has codes."""
_NO_CREDIT = re.compile(r"balance is negative|insufficient (funds|credit|balance)|top up", re.IGNORECASE)
_SERVER_ERROR = re.compile(r"internal server error\b(?!:)|server error(, developers|\.|$)", re.IGNORECASE)
"""Begins the reason of a job that failed "due to a server error". The vendor recommends to submit the file again.

Source: https://www.assemblyai.com/docs/pre-recorded-audio/guides/retry-server-error
"""
_DELETED = "http://deleted_by_user"
_TRANSCRIPT_ID = re.compile(r"[\w-]{1,100}")


class AssemblyAI:
    """The adapter. `credentials(fresh)` returns a map with apiKey; `fresh` bypasses every cache."""

    capabilities = Capabilities(
        takes="url",
        # "The vast majority of files complete in under 45 seconds", an hour of audio in about half a minute.
        pace=Pace(start_seconds=15, share=0.01),
        max_bytes=5_000_000_000,
        max_minutes=600,
        callback="optional",
    )

    def __init__(self, http: VendorHttp, credentials: Credentials) -> None:
        self._http = http
        # The vendor's own message is left out: it might repeat the key.
        self._key = StaticKey("AssemblyAI", credentials, lambda reply: f"HTTP {reply.status}")

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Submit the link in one call. The job keeps digests of the links sent, which identify a lost transcript."""
        if "transcript_id" in job:
            return job
        sent_links = job.get("asked", [])
        if sent_links and (found := self._find(sent_links)):
            return {"transcript_id": found}
        link = submission.make_link()
        keep({"asked": [*sent_links, _digest(link)][-MOST_LINKS:]})
        reply = self._call("POST", "/v2/transcript", json=_order(submission, link), is_paid=True)
        transcript = self._accepted(reply, private=(submission.callback.url, submission.callback.token))
        if not transcript.get("id"):
            raise self._http.unreadable("a transcript id", is_paid=True)
        return {"transcript_id": str(transcript["id"])}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Return the state. A job that failed because nobody speaks is an empty transcript, with a `missing` reason."""
        reply = self._get(job)
        if _is_unknown(reply):
            raise JobNotFound("AssemblyAI does not know the transcript, or no longer")
        transcript = self._accepted(reply)
        if transcript.get("audio_url") == _DELETED:
            return JobState("failed", "deleted", "AssemblyAI's transcript was deleted")
        if not transcript.get("status"):
            raise self._http.unreadable("a status")
        word = str(transcript["status"]).lower()
        whole = reply.body if reading.has_transcript(transcript) else None
        if word == "completed":
            return JobState("succeeded", word, missing=reading.missing_features(transcript), reply=whole)
        return _state_of_failure(transcript, whole) if word == "error" else JobState("running", word)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """Fetch the transcript resource."""
        reply = self._get(job)
        transcript = self._accepted(reply)
        is_over = str(transcript.get("status")).lower() == "completed" or reading.is_silent(transcript)
        if not is_over or not reading.has_transcript(transcript):
            raise self._http.unreadable("a completed transcript")
        return reply.body

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise a transcript resource."""
        return reading.read_insights(reply)

    def delete(self, job: Job) -> bool:
        """Delete the transcript, and with it the media that was uploaded from the link.

        Source: https://www.assemblyai.com/docs/api-reference/transcripts/delete
        """
        found = job.get("transcript_id") or (job.get("asked") and self._find(job["asked"]))
        if not found:
            return False
        reply = self._call("DELETE", f"/v2/transcript/{path_segment(found)}")
        if not _is_unknown(reply):
            self._accepted(reply)
        return True

    def verify_access(self) -> str:
        """Request one entry of the account's list of transcripts.

        Source: https://www.assemblyai.com/docs/api-reference/transcripts/list
        """
        reply = self._key.call_once(self._request("GET", "/v2/transcript", query=[("limit", "1")]))
        if "transcripts" not in self._accepted(reply):
            raise self._http.unreadable("a list of transcripts")
        return "AssemblyAI lists the transcripts of the key's account."

    @staticmethod
    def read_callback(request: CallbackRequest) -> Callback | None:
        """Read {"transcript_id", "status"}, proven by the header that the submission ordered."""
        request.prove(request.headers.get(TOKEN_HEADER.lower(), ""))
        body = request.json_object()
        if body.get("status") in ("queued", "processing", "redacted_audio_ready"):
            return None
        transcript_id = body.get("transcript_id")
        if not isinstance(transcript_id, str) or not _TRANSCRIPT_ID.fullmatch(transcript_id):
            raise InvalidRequest("body", "must name a transcript_id")
        return Callback(job={"transcript_id": transcript_id})

    def _get(self, job: Job) -> Reply:
        return self._call("GET", f"/v2/transcript/{path_segment(job['transcript_id'])}")

    def _find(self, sent_links: Sequence[str]) -> str | None:
        """Return the newest transcript of one of these links; None also if the list is refused or omits queries."""
        reply = self._call("GET", "/v2/transcript", query=[("limit", "200")])
        for entry in maps(mapping(reply.data).get("transcripts")):
            if entry.get("id") and _digest(str(entry.get("audio_url"))) in sent_links:
                return str(entry["id"])
        return None

    def _call(self, method: str, path: str, **request: Any) -> Reply:
        return self._key.call(self._request(method, path, **request))

    def _request(self, method: str, path: str, **request: Any) -> Callable[[Mapping[str, str]], Reply]:
        def send(secret: Mapping[str, str]) -> Reply:
            return self._http.call(method, path, headers={"Authorization": secret["apiKey"]}, **request)

        return send

    def _accepted(self, reply: Reply, private: Sequence[str] = ()) -> dict[str, Any]:
        """Return the object of a response, empty if there is none.

        Raises an error if the vendor refuses the request, which it also does with status 200. The reason does not
        repeat the texts in `private`.
        """
        data = mapping(reply.data)
        if reply.status < 400 and (data.keys() & {"id", "status"} or not data.get("error")):
            return data
        reason = str(data.get("error") or NO_REASON)
        # Searched before the message is shortened.
        no_credit = _NO_CREDIT.search(reason) is not None
        for text in private:
            reason = reason.replace(text, "(private)")
        raise self._http.refusal(reply.status, vendor_message(reason), no_credit=no_credit)


def _is_unknown(reply: Reply) -> bool:
    return reply.status == 404 or (reply.status == 400 and "transcript id not found" in str(reply.data))


def _order(submission: Submission, link: str) -> dict[str, Any]:
    """Return the body that orders a transcript."""
    options = submission.options
    tag = options.get("language")
    language = str(tag or "en").partition("-")[0]
    # Sentiment exists for English only. In another language the vendor refuses the whole job for it.
    usual_features = ("sentiment_analysis",) if language == "en" else ()
    order: dict[str, Any] = {
        "audio_url": link,
        "speech_models": list(options.get("speech_models") or DEFAULT_SPEECH_MODELS),
        "speaker_labels": True,
        "webhook_url": submission.callback.url,
        "webhook_auth_header_name": TOKEN_HEADER,
        "webhook_auth_header_value": submission.callback.token,
        **dict.fromkeys(options.get("features", usual_features), True),
    }
    if tag:
        order["language_code"] = _REGIONAL.get(tag, language)
    else:
        order["language_detection"] = True
    if options.get("speakers"):
        order["speakers_expected"] = options["speakers"]
    if options.get("custom_vocabulary"):
        order["keyterms_prompt"] = list(options["custom_vocabulary"])
    if options.get("redact_pii"):
        order |= {"redact_pii": True, "redact_pii_policies": list(options["redact_pii"])}
    return order


def _state_of_failure(transcript: Mapping[str, Any], whole: bytes | None) -> JobState:
    reason = vendor_message(transcript.get("error") or NO_REASON)
    if reading.is_silent(transcript):
        return JobState("succeeded", "error", missing=[f"transcript: {reason}"], reply=whole)
    if reason.lower().startswith("download error"):
        raise MediaLinkExpired("AssemblyAI could not download the media: the link has expired or was refused")
    is_providers_fault = _SERVER_ERROR.match(reason) is not None
    return JobState("failed", "error", f"AssemblyAI failed the job: {reason}", is_providers_fault=is_providers_fault)


def _digest(link: str) -> str:
    """Identify a link by its query, which is signed anew for each link. The link is a credential: it is not stored."""
    query = link.partition("?")[2]
    return sha256(repr(sorted(parse_qsl(query))).encode()).hexdigest()
