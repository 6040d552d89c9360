"""Insights by RingCentral AI: submit a link in one call, wait for its webhook, then read the state with the result.

A callback is only a hint: the adapter reads the job again by its id. An old form of the callback, which the vendor has
documented, has no id. It counts only for a job whose id is lost with the response to its submission.
docs/providers/ringcentral.md lists facts in which the vendor's pages contradict each other.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from recording_insights.errors import InvalidRequest, JobNotFound, MediaLinkExpired
from recording_insights.model.insights import Insights
from recording_insights.providers.adapters.ringcentral import reading
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import (
    REFUSALS,
    AccessToken,
    Credentials,
    LoginRefused,
    Token,
    TokenStore,
)
from recording_insights.providers.toolkit.http import Reply, VendorHttp, path_segment
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.values import NO_REASON, mapping, maps, whole
from recording_insights.redaction import hide_urls_and_tokens, vendor_message

PATHS = {
    "analyze_interaction": "/ai/insights/v1/async/analyze-interaction",
    "speech_to_text": "/ai/audio/v1/async/speech-to-text",
}
# From the vendor's samples: Mpeg also for MP4. Its enum contains "Mp4" as well, but no sample sends it. Of the other
# values in the enum no sample shows what the files are.
ENCODINGS = {"mp3": "Mpeg", "mp4": "Mpeg", "m4a": "Aac", "aac": "Aac", "wav": "Wav", "ogg": "Ogg", "webm": "Webm"}

_SUCCEEDED = {"success", "completed"}
_FAILED = {"fail", "failed"}
_SERVER_ERRORS = {"CMN-201", "CMN-203"}
"""Codes of errors whose cause is RingCentral's own servers: temporarily unavailable, internal server error.

The vendor's advice is to rely on codes and not on messages. It explains none of the codes CAI-102 to CAI-110.
Source: "Errors" in https://github.com/ringcentral/ringcentral-api-docs, for all APIs; no source shows them in a job
"""
_REASON = ("errorCode", "error", "message", "error_description")
_JOB_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


class RingCentral:
    """The adapter. `credentials(fresh)` returns clientId, clientSecret and jwt; `fresh` bypasses every cache.

    The vendor allows five logins a minute, so the access token is `shared` with the other workers.
    """

    capabilities = Capabilities(
        takes="url",
        # The vendor allows ten calls a minute, submissions included, so polls are rare: the callback comes first.
        pace=Pace(start_seconds=60, share=0.5),
        languages=frozenset({"en", "en-US"}),
        # Each submission must name a webhook, but the state contains the result too.
        callback="optional",
        callback_is_result=True,
    )

    def __init__(
        self,
        http: VendorHttp,
        credentials: Credentials,
        clock: Callable[[], float] = time.time,
        shared: TokenStore | None = None,
    ) -> None:
        self._http = http
        self._token = AccessToken(
            "RingCentral", credentials, self._log_in, lambda reply: _reason_of(reply.data), clock, shared
        )

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Submit in one call. The vendor lists no jobs: if the response is lost, only the callback finds the job."""
        if job.get("job_id"):
            return job
        path = PATHS[submission.options.get("task", "analyze_interaction")]
        # As a query parameter the URL is encoded, and does not occur in the texts of errors, which contain the path.
        webhook = [("webhook", submission.callback.secret_url)]
        reply = self._call("POST", path, query=webhook, json=_body(submission), is_paid=True)
        return {"job_id": str(self._promised(reply, "jobId", is_paid=True)["jobId"])}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Return the state by the job's id; without an id, the state in the callback, if there has been one."""
        if not job.get("job_id"):
            if delivered is None:
                return JobState("running", "no job id")
            try:
                return _state_of(mapping(parse_json(delivered)))
            except ValueError:
                raise self._http.unreadable("JSON in its callback") from None
        reply = self._get_state(job)
        if reply.status == 404:
            raise JobNotFound(f"RingCentral no longer has the job: {_reason_of(reply.data)}")
        job = self._promised(reply, "status")
        return replace(_state_of(job), reply=reply.body if reading.has_transcript(job) else None)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """Fetch the state, which contains the result; without the job's id, return the delivery."""
        if delivered is not None and not job.get("job_id"):
            return delivered
        reply = self._get_state(job)
        if not reading.has_transcript(self._promised(reply, "status")):
            raise self._http.unreadable("the result of the job")
        return reply.body

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise the state of a job that succeeded, or the callback of its end."""
        return reading.read_insights(reply)

    def verify_access(self) -> str:
        """Log in. The token is not used."""
        self._token.log_in_once()
        return "RingCentral issued an access token. The login does not show whether the app may use AI."

    @staticmethod
    def read_callback(request: CallbackRequest) -> Callback | None:
        """Read a callback, proven by the token in its path.

        The vendor signs nothing, and its RCRequestId is no secret.
        """
        request.prove(request.path_token)
        body = request.json_object()
        job_id, word = body.get("jobId"), _word_of(body)
        if job_id and not (isinstance(job_id, str) and _JOB_ID.fullmatch(job_id)):
            raise InvalidRequest("body", "jobId must be the id of a job")
        if not job_id and not word:
            raise InvalidRequest("body", "must name a job or its status")
        if job_id:
            return None if word == "inprogress" else Callback({"job_id": job_id})
        return Callback({}, is_result=True) if word in _SUCCEEDED | _FAILED else None

    def _get_state(self, job: Job) -> Reply:
        return self._call("GET", f"/ai/status/v1/jobs/{path_segment(job['job_id'])}")

    def _call(self, method: str, path: str, **arguments: Any) -> Reply:
        return self._token.call(
            lambda token: self._http.call(method, path, headers={"Authorization": f"Bearer {token}"}, **arguments)
        )

    def _log_in(self, secret: Mapping[str, str]) -> Token:
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": secret["jwt"]}
        client = secret["clientId"], secret["clientSecret"]
        reply = self._http.call("POST", "/restapi/oauth/token", form=form, auth=client)
        # OAuth answers 400 for a wrong JWT and for an app without this grant: an operator must act, as for 401.
        if reply.status in (400, *REFUSALS):
            raise LoginRefused(_reason_of(reply.data))
        granted = self._promised(reply, "access_token")
        return Token(str(granted["access_token"]), whole(granted.get("expires_in")) or 0)

    def _promised(self, reply: Reply, key: str, *, is_paid: bool = False) -> dict[str, Any]:
        """Return the body of a response if it contains `key`; RingCentral sends errors with 2xx as well as with 4xx."""
        body = mapping(reply.data)
        if reply.status < 400 and body.get(key):
            return body
        # In a 2xx, errors refuse a submission. For a job that is already paid for they prove nothing.
        if reply.status < 400 and not (is_paid and _errors_in(body)):
            raise self._http.unreadable(f"the promised {key}: {_reason_of(body)}", is_paid=is_paid)
        raise self._http.refusal(reply.status, _reason_of(body))


def _body(submission: Submission) -> dict[str, Any]:
    options = submission.options
    vocabulary = options.get("custom_vocabulary")
    # "Meeting" is the vendor's advice for four and more speakers, "CallCenter" its default.
    usual_audio_type = "Meeting" if options.get("speakers", 0) >= 4 else None
    body: dict[str, Any] = {
        "contentUri": submission.make_link(),
        "encoding": ENCODINGS[submission.media.format],
        # The only code that it accepts. Its global English model knows every accent.
        "languageCode": "en-US",
        "enableVoiceActivityDetection": True,
        "speakerCount": options.get("speakers"),
        "audioType": options.get("audio_type", usual_audio_type),
        "source": options.get("source"),
        "speechContexts": [{"phrases": list(vocabulary)}] if vocabulary else None,
    }
    if options.get("task") == "speech_to_text":
        body |= {"enablePunctuation": True, "enableSpeakerDiarization": True}
    else:
        body["insights"] = list(options.get("insights", ("All",)))
    return {name: value for name, value in body.items() if value is not None}


def _state_of(job: Mapping[str, Any]) -> JobState:
    word, errors = _word_of(job), _errors_in(job)
    if word in _SUCCEEDED and (reading.has_transcript(job) or not errors):
        return JobState("succeeded", word)
    if word not in _SUCCEEDED | _FAILED:
        return JobState("running", word)
    if any(error.get("errorCode") == "CAI-101" and error.get("parameterName") == "contentUri" for error in errors):
        # The vendor accepted the link with the submission, so the link has expired since.
        raise MediaLinkExpired(f"RingCentral could not get the media from its link: {_reason_of(job)}")
    codes = {str(error.get("errorCode")) for error in errors}
    is_providers_fault = bool(codes) and codes <= _SERVER_ERRORS
    return JobState(
        "failed", word, f"RingCentral failed the job: {_reason_of(job)}", is_providers_fault=is_providers_fault
    )


def _word_of(job: Mapping[str, Any]) -> str:
    return _clean(job.get("status") or "").lower()


def _errors_in(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the errors of a response, or those in the result of a job."""
    return maps(body.get("errors")) or maps(mapping(body.get("response")).get("errors"))


def _reason_of(data: Any) -> str:
    """Return codes and messages of all errors. Without a list of errors, the body may be one error, as in OAuth."""
    body = mapping(data)
    parts = [str(error[key]) for error in _errors_in(body) or [body] for key in _REASON if error.get(key)]
    return _clean(" ".join(dict.fromkeys(parts)) or NO_REASON)


def _clean(text: Any) -> str:
    return vendor_message(hide_urls_and_tokens(str(text)))
