"""Insights by Symbl.ai: submit a link as audio or video, poll the job, read its conversation part by part.

A submission returns two ids: the job's id gives the state, the conversation's id gives the result. A webhook names the
job only. The adapter gives each conversation a name of its own. If the response to the submission is lost, the
adapter finds the conversation by this name. docs/providers/symbl.md lists facts in which the vendor's pages contradict
each other.
"""

import codecs
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from recording_insights.bounded import LARGEST_REPLY
from recording_insights.errors import (
    InvalidRequest,
    JobNotFound,
    MediaLinkExpired,
    OutOfCredit,
    PartsUnavailable,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
    ReplyTooLarge,
)
from recording_insights.model.insights import Insights
from recording_insights.providers.adapters.symbl import reading
from recording_insights.providers.adapters.symbl.reading import reason_of
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import REFUSALS, AccessToken, Credentials, LoginRefused, Token
from recording_insights.providers.toolkit.http import Reply, VendorHttp, path_segment
from recording_insights.providers.toolkit.values import mapping, maps, whole

DEFAULT_SPEAKERS = 2
MOST_FAULTS = 2
"""After so many unavailable parts no other part of a conversation is fetched."""

_PARTS = (*reading.EXPECTED_PARTS, "summary", "entities", "trackers-detected", "conversation")

_LANGUAGES = (
    "en-US",
    "en-GB",
    "en-AU",
    "en-IE",
    "en-IN",
    "en-ZA",
    "ru-RU",
    "fr-FR",
    "fr-CA",
    "de-DE",
    "it-IT",
    "nl-NL",
    "ja-JP",
    "es-ES",
    "es-US",
    "ar-SA",
    "hi-IN",
    "pt-BR",
    "pt-PT",
    "fa-IR",
)
_REGIONAL = {tag[:2]: tag for tag in reversed(_LANGUAGES)}
"""The tag to send for a language alone: the first in the list."""
_OPTIONS = {
    "custom_vocabulary": "customVocabulary",
    "confidence_threshold": "confidenceThreshold",
    "mode": "mode",
    "detect_phrases": "detectPhrases",
    "entities": "entities",
    "trackers": "trackers",
    "summary": "enableSummary",
    "all_trackers": "enableAllTrackers",
}
"""The vendor's name of each option."""
_ERROR_FIELDS = {"statusCode", "code", "error", "message"}
_EXPIRED = re.compile(r"(?is)^(?=.*(url|link|file|media|download)).*(\b403\b|forbidden|access ?denied|expired)")
_NO_CREDIT = re.compile(r"(?i)insufficient (fund|credit|balance|minute)|(credit|minute)s?\b.*(exhausted|used up)")
_SERVER_ERROR = re.compile(r"(?i)internal server error\b(?!:)|we had a problem with our server\b")
"""Begins the message of an error whose cause is Symbl's own server. The vendor's advice is to try again later.

Source: "Error Codes" in https://github.com/symblai/symbl-docs, for HTTP; no source shows the message of a failed job
"""


class Symbl:
    """The adapter. `credentials(fresh)` returns a map with appId and appSecret; `fresh` bypasses every cache."""

    capabilities = Capabilities(
        takes="url",
        # A guess, as the vendor documents no speed. The webhook usually comes first.
        pace=Pace(start_seconds=15, share=0.25),
        max_minutes=240,
        languages=frozenset((*_LANGUAGES, *_REGIONAL)),
        callback="optional",
    )

    def __init__(self, http: VendorHttp, credentials: Credentials, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._token = AccessToken("Symbl", credentials, self._log_in, lambda reply: reason_of(reply.data), clock)

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Submit in one call. A job whose response was lost is found by the name that it gave its conversation."""
        if job.get("job_id") or job.get("conversation_id"):
            return {"name": submission.name, **job}
        if job.get("name") != submission.name:
            job = {"name": submission.name}
            keep(job)
        elif found := self._find(submission.name):
            return {**job, "conversation_id": found}
        path = f"/v1/process/{'video' if submission.media.format == 'mp4' else 'audio'}/url"
        data = mapping(self._call("POST", path, is_paid=True, **_request(submission)).data)
        if not data.get("jobId"):
            raise self._http.unreadable("a job id", is_paid=True)
        return {**job, "job_id": str(data["jobId"]), "conversation_id": str(data.get("conversationId") or "")}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Return the state; if the id of the job is lost, the summary of its conversation shows the end."""
        if not job.get("job_id"):
            # Only the summary is 404 while the job is in progress. The other parts return what there is so far.
            summary = self._call("GET", f"{self._conversation(job)}/summary", is_optional=True)
            return JobState("running" if summary.status == 404 else "succeeded", "job id lost, going by the summary")
        data = mapping(self._call("GET", f"/v1/job/{path_segment(job['job_id'])}").data)
        if not data.get("status"):
            raise self._http.unreadable("the job's state")
        word = str(data["status"]).lower()
        if word != "failed":
            return JobState("succeeded" if word == "completed" else "running", word)
        reason = reason_of(data)
        if _EXPIRED.search(reason):
            raise MediaLinkExpired(f"Symbl came too late for the link: {reason}")
        is_providers_fault = _SERVER_ERROR.match(reason) is not None
        return JobState("failed", word, f"Symbl failed the job: {reason}", is_providers_fault=is_providers_fault)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """Fetch all parts of the conversation and return them as one object; the body of a 404 is included.

        If parts are unavailable, the error has the others. Without the messages there is no result. All parts together
        are one reply, so they have the limit of one.
        """
        path = self._conversation(job)
        messages = self._call("GET", f"{path}/messages", query=[("verbose", "true"), ("sentiment", "true")])
        if not isinstance(mapping(messages.data).get("messages"), list):
            raise self._http.unreadable("messages")
        parts = {"messages": _body_of(messages)}
        del messages  # what is parsed of one part goes before the next one comes
        faults: list[ProviderUnavailable] = []
        for part in _PARTS:
            try:
                # A fault may last as long as a time-out: nothing is fetched after the second one.
                parts |= self._part(path, part) if len(faults) < MOST_FAULTS else _unavailable(part, faults[-1])
            except ProviderUnavailable as fault:
                faults.append(fault)
                parts |= _unavailable(part, fault)
            if sum(map(len, parts.values())) > LARGEST_REPLY:
                raise ReplyTooLarge(f"Symbl's results have more than {LARGEST_REPLY >> 20} MB")
        whole = b"{" + b",".join(b'"%s":%s' % (part.encode(), body) for part, body in parts.items()) + b"}"
        if faults:
            raise PartsUnavailable(str(faults[0]), whole)
        return whole

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise the parts of a conversation."""
        return reading.read_insights(reply)

    def delete(self, job: Job) -> bool:
        """Delete the conversation with all that was found in it.

        Source: https://docs.symbl.ai/reference/delete-conversation
        """
        found = job.get("conversation_id") or (job.get("name") and self._find(str(job["name"])))
        if not found:
            return False
        path = f"/v1/conversations/{path_segment(found)}"
        self._call("DELETE", path, is_optional=True, may_be_empty=True)
        return True

    def verify_access(self) -> str:
        """Log in. The token is not used."""
        self._token.log_in_once()
        return "Symbl issued an access token."

    @staticmethod
    def read_callback(request: CallbackRequest) -> Callback | None:
        """Read a callback, proven by the token in its path, as Symbl signs nothing. Only an end of a job counts."""
        request.prove(request.path_token)
        body = request.json_object()
        job_id, status = body.get("jobId"), body.get("status")
        if not isinstance(job_id, str) or not isinstance(status, str) or not job_id:
            raise InvalidRequest("body", "must have the texts jobId and status")
        return Callback(job={"job_id": job_id}) if status.lower() in ("completed", "failed") else None

    def _part(self, path: str, part: str) -> dict[str, bytes]:
        """Fetch a part of the conversation at `path`; an older form of the API has the trackers under another name."""
        reply = self._call("GET", path if part == "conversation" else f"{path}/{part}", is_optional=True)
        found = {part: _body_of(reply)}
        if part == "trackers-detected" and reply.status == 404:
            found |= self._part(path, "trackers")
        return found

    def _conversation(self, job: Job) -> str:
        """Return the path of the job's conversation."""
        found = job.get("conversation_id") or (job.get("name") and self._find(str(job["name"])))
        if not found:
            raise ProviderRejected("Symbl's answer was lost, and no conversation has the name that we gave")
        return f"/v1/conversations/{path_segment(found)}"

    def _find(self, name: str) -> str | None:
        """Return the id of the conversation whose name ends with ours; None also if Symbl has no list."""
        query = [("limit", "1000"), ("order", "desc")]
        reply = self._call("GET", "/v1/conversations", query=query, is_optional=True)
        if reply.status != 404 and "conversations" not in mapping(reply.data):
            raise self._http.unreadable("a list of conversations")
        for entry in maps(mapping(reply.data).get("conversations")):
            if entry.get("id") and str(entry.get("name")).rpartition(" ")[2] == name:
                return str(entry["id"])
        return None

    def _call(self, method: str, path: str, *, is_optional: bool = False, **request: Any) -> Reply:
        """Call with the access token. A 404 is an error unless the resource `is_optional`."""

        def send(token: str) -> Reply:
            headers = {"Authorization": f"Bearer {token}"}
            return self._send(method, path, headers=headers, is_optional=is_optional, **request)

        reply = self._token.call(send)
        if reply.status == 404 and method == "GET" and not is_optional:
            raise JobNotFound(f"Symbl answered HTTP 404: {reason_of(reply.data)}")
        if reply.status >= 400 and not (is_optional and reply.status == 404):
            raise self._http.refusal(reply.status, reason_of(reply.data))
        return reply

    def _send(
        self, method: str, path: str, *, is_optional: bool = False, is_paid: bool = False, **request: Any
    ) -> Reply:
        """Send a request and return the reply with the status that its body means."""
        reply = self._http.call(method, path, is_paid=is_paid, **request)
        status, reason = _status_of(reply, is_optional=is_optional, is_paid=is_paid), reason_of(reply.data)
        if status == 429:
            raise ProviderBusy(f"Symbl is busy: {reason}")
        if status == 402 or (status >= 400 and _NO_CREDIT.search(reason)):
            raise OutOfCredit(f"Symbl's account is out of credit: {reason}")
        if status >= 500:
            raise self._http.unreadable(f"the promised content: {reason}", is_paid=is_paid)
        return Reply(status, reply.data, reply.body)

    def _log_in(self, secret: Mapping[str, str]) -> Token:
        login = {"type": "application", "appId": secret["appId"], "appSecret": secret["appSecret"]}
        reply = self._send("POST", "/oauth2/token:generate", json=login)
        if reply.status in (400, *REFUSALS):
            raise LoginRefused(reason_of(reply.data))
        data = mapping(reply.data)
        if not data.get("accessToken"):
            raise self._http.unreadable("an access token")
        return Token(str(data["accessToken"]), whole(data.get("expiresIn")) or 0)


def _status_of(reply: Reply, *, is_optional: bool, is_paid: bool) -> int:
    """Return the status that a reply means: Symbl sends errors as 200 too, with or without a `statusCode`."""
    data = mapping(reply.data)
    if reply.status >= 300 or not data or data.keys() - _ERROR_FIELDS:
        return reply.status
    if status := whole(data.get("statusCode")):
        return status
    if is_paid:
        return 400
    return 404 if is_optional else 500


def _body_of(reply: Reply) -> bytes:
    return b"null" if reply.data is None else reply.body.removeprefix(codecs.BOM_UTF8)


def _unavailable(part: str, fault: ProviderUnavailable) -> dict[str, bytes]:
    return {part: json.dumps({reading.UNAVAILABLE: str(fault)}).encode()}


def _request(submission: Submission) -> dict[str, Any]:
    """Return query and body of a submission.

    Symbl separates speakers only by parameters of the query, for two languages, and needs the number of speakers.
    """
    options = submission.options
    body: dict[str, Any] = {"detectPhrases": True, "enableSummary": True, "detectEntities": "entities" in options}
    body |= {field: options[option] for option, field in _OPTIONS.items() if option in options}
    body["name"] = f"{submission.title} {submission.name}"
    body["url"] = submission.make_link()
    body["webhookUrl"] = submission.callback.secret_url
    if "language" in options:
        body["languageCode"] = _REGIONAL.get(options["language"], options["language"])
    if "speakers" not in options and body.get("languageCode", "en")[:2] not in ("en", "es"):
        return {"json": body}
    count = str(int(options.get("speakers", DEFAULT_SPEAKERS)))
    return {"json": body, "query": [("enableSpeakerDiarization", "true"), ("diarizationSpeakerCount", count)]}
