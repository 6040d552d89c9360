"""RingCentral AI: one call hands the link over, a webhook says when, the job's own state holds the result.

A callback is a hint, and the job is read again by its id. One without an id (an old form that the vendor documented)
counts only for a job whose id was lost with the answer to its submission. Contradictory facts: docs/providers.md.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from recording_insights.errors import InvalidRequest, MediaLinkExpired, OutOfCredit, ProviderRejected
from recording_insights.model.insights import Insights, Question, Utterance
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit import values
from recording_insights.providers.toolkit.auth import REFUSALS, AccessToken, Credentials, Token
from recording_insights.providers.toolkit.http import Reply, VendorHttp
from recording_insights.providers.toolkit.json import parse_json, vendor_message
from recording_insights.providers.toolkit.values import mapping, maps, optional_text

BASE_URL = "https://platform.ringcentral.com"
PATHS = {
    "analyze_interaction": "/ai/insights/v1/async/analyze-interaction",
    "speech_to_text": "/ai/audio/v1/async/speech-to-text",
}
# As the vendor's samples have it: Mpeg also for MP4. Its enum knows "Mp4" too, and no sample sends that.
ENCODINGS = {"mp3": "Mpeg", "mp4": "Mpeg", "m4a": "Aac", "wav": "Wav"}

_SUCCEEDED = {"success", "completed"}
_FAILED = {"fail", "failed"}
_REASON = ("errorCode", "error", "message", "error_description")
_TRANSCRIPTS = ("utteranceInsights", "utterances", "words", "transcript")
_SUMMARIES = ("AbstractiveSummaryLong", "AbstractiveSummaryShort", "ExtractiveSummary")
_JOB_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
# The vendor's messages may echo a header or a URL, and the callback's URL has its secret in the path.
_SECRETIVE = re.compile(r"https?:\S+|\b(?:bearer|basic)\s+\S{12,}|[\w.~+/=%:@-]{32,}", re.IGNORECASE | re.ASCII)


class RingCentral:
    """The adapter; `credentials(fresh)` gives clientId, clientSecret and jwt, `fresh` past every cache."""

    capabilities = Capabilities(
        takes="url",
        formats=frozenset(ENCODINGS),
        pace=Pace(start_seconds=60, share=0.5),  # ten calls a minute, submissions included: the callback goes first
        languages=frozenset({"en", "en-US"}),
        callback="optional",  # it must be told where to call back, and the state holds the result all the same
    )

    def __init__(self, http: VendorHttp, credentials: Credentials, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._token = AccessToken("RingCentral", credentials, self._log_in, lambda reply: _reason(reply.data), clock)

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """One call. The vendor lists no jobs: one whose answer was lost is found by its callback or not at all."""
        if job.get("job_id"):
            return job
        path = PATHS[submission.options.get("task", "analyze_interaction")]
        # In the query, so that it is encoded whole and stays out of the errors' texts, which name the path.
        webhook = [("webhook", submission.callback.secret_url)]
        reply = self._call("POST", path, query=webhook, json=_body(submission), buys=True)
        return {"job_id": str(self._promised(reply, "jobId", buys=True)["jobId"])}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """The job's state by its id; without one what its callback told, if that has come already."""
        if not job.get("job_id"):
            return JobState("running", "no job id") if delivered is None else _state(mapping(parse_json(delivered)))
        reply = self._state_of(job)
        if reply.status == 404:
            return JobState("failed", "not found", f"RingCentral no longer has the job: {_reason(reply.data)}")
        return _state(self._promised(reply, "status"))

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """The state once more, which holds the result; without the job's id what was delivered."""
        if delivered is not None and not job.get("job_id"):
            return delivered
        reply = self._state_of(job)
        if not _has_transcript(self._promised(reply, "status")):
            raise self._http.unreadable("the result of the job")
        return reply.body

    def read_insights(self, reply: bytes) -> Insights:
        """The `response` of a job's state, or of a callback, which has the same form. It tells no sentiment."""
        told = mapping(parse_json(reply))
        if not _has_transcript(told):
            raise LookupError("the reply has no transcript")
        response = told["response"]
        by_speaker = _by_name(mapping(response.get("speakerInsights")).get("insights"))
        overall = _by_name(response.get("conversationalInsights"))
        summaries = (" ".join(text for text, _ in _texts(overall, name)) for name in _SUMMARIES)
        return Insights(
            transcript=_transcript(response),
            summary=next(filter(None, summaries), None),
            # A phrase is told each time that it was said.
            topics=values.best_topics(_texts(overall, "Topics", "KeyPhrases")),
            questions=_questions(by_speaker.get("QuestionsAsked", [])),
            ratings=_ratings(by_speaker),
        )

    def read_callback(self, request: CallbackRequest) -> Callback | None:
        """The token is the URL's last part: the vendor signs nothing, and its RCRequestId is no secret."""
        request.prove(request.path_token)
        told = request.json_object()
        job_id, word = told.get("jobId"), _word(told)
        if job_id and not (isinstance(job_id, str) and _JOB_ID.fullmatch(job_id)):
            raise InvalidRequest("body", "jobId must be the id of a job")
        if not job_id and not word:
            raise InvalidRequest("body", "must name a job or its status")
        if job_id:
            return None if word == "inprogress" else Callback({"job_id": job_id})
        return Callback({}, is_result=True) if word in _SUCCEEDED | _FAILED else None

    def _state_of(self, job: Job) -> Reply:
        return self._call("GET", f"/ai/status/v1/jobs/{quote(str(job['job_id']), safe='')}")

    def _call(self, method: str, path: str, **arguments: Any) -> Reply:
        return self._token.call(
            lambda token: self._http.call(method, path, headers={"Authorization": f"Bearer {token}"}, **arguments)
        )

    def _log_in(self, secret: Mapping[str, str]) -> Token | Reply:
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": secret["jwt"]}
        client = secret["clientId"], secret["clientSecret"]
        reply = self._http.call("POST", "/restapi/oauth/token", form=form, auth=client)
        # OAuth says 400 to a wrong JWT and to an app without this grant: an operator's matter, as 401 is.
        if reply.status in (400, *REFUSALS):
            return reply
        granted = self._promised(reply, "access_token")
        return Token(str(granted["access_token"]), values.whole(granted.get("expires_in")) or 0)

    def _promised(self, reply: Reply, key: str, *, buys: bool = False) -> dict[str, Any]:
        """The body of an answer that has what was promised; errors come as 4xx, and in bodies of 2xx."""
        body = mapping(reply.data)
        if reply.status < 400 and body.get(key):
            return body
        # In a 2xx they refuse a submission; of a job that is paid for they tell nothing.
        if reply.status < 400 and not (buys and _errors(body)):
            raise self._http.unreadable(f"the promised {key}: {_reason(body)}", buys=buys)
        error = OutOfCredit if reply.status == 402 else ProviderRejected
        raise error(f"RingCentral answered HTTP {reply.status}: {_reason(body)}")


def _body(submission: Submission) -> dict[str, Any]:
    options = submission.options
    vocabulary = options.get("custom_vocabulary")
    body: dict[str, Any] = {
        "contentUri": submission.make_link(),
        "encoding": ENCODINGS[submission.media.format],
        "languageCode": "en-US",  # the only one it has; the global English model takes every accent
        "enableVoiceActivityDetection": True,
        "speakerCount": options.get("speakers"),
        # "Meeting" is the vendor's advice for four and more speakers, "CallCenter" its default.
        "audioType": options.get("audio_type", "Meeting" if options.get("speakers", 0) >= 4 else None),
        "source": options.get("source"),
        "speechContexts": [{"phrases": list(vocabulary)}] if vocabulary else None,
    }
    if options.get("task") == "speech_to_text":
        body |= {"enablePunctuation": True, "enableSpeakerDiarization": True}
    else:
        body["insights"] = list(options.get("insights", ("All",)))
    return {name: value for name, value in body.items() if value is not None}


def _state(told: Mapping[str, Any]) -> JobState:
    word, errors = _word(told), _errors(told)
    if word in _SUCCEEDED and (_has_transcript(told) or not errors):
        return JobState("succeeded", word)
    if word not in _SUCCEEDED | _FAILED:
        return JobState("running", word)
    if any(error.get("errorCode") == "CAI-101" and error.get("parameterName") == "contentUri" for error in errors):
        # The link was taken as valid with the submission, so by now it is one that gives nothing.
        raise MediaLinkExpired(f"RingCentral could not get the media from its link: {_reason(told)}")
    return JobState("failed", word, f"RingCentral failed the job: {_reason(told)}")


def _word(told: Mapping[str, Any]) -> str:
    return _clean(told.get("status") or "").lower()


def _errors(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The errors of an answer, or those of a job's response."""
    return maps(body.get("errors")) or maps(mapping(body.get("response")).get("errors"))


def _reason(data: Any) -> str:
    """Codes and messages of its errors; without a list of them it may be one itself, as OAuth has it."""
    body = mapping(data)
    parts = [str(error[key]) for error in _errors(body) or [body] for key in _REASON if error.get(key)]
    return _clean(" ".join(dict.fromkeys(parts)) or "no reason given")


def _clean(text: Any) -> str:
    return vendor_message(_SECRETIVE.sub("…", str(text)))


def _has_transcript(told: Mapping[str, Any]) -> bool:
    response = mapping(told.get("response"))
    return any(isinstance(response.get(name), list | str) for name in _TRANSCRIPTS)


def _transcript(response: Mapping[str, Any]) -> list[Utterance]:
    """Utterances of either task; speech-to-text without speakers has only words, or nothing but the text."""
    said = maps(response.get("utteranceInsights")) or maps(response.get("utterances"))
    if said:
        return [Utterance(str(entry.get("text") or ""), **_spoken(entry)) for entry in said]
    words = maps(response.get("words")) or [{"word": response.get("transcript")}]
    return values.utterances_of(values.Word(str(word["word"]), **_spoken(word)) for word in words if word.get("word"))


def _spoken(entry: Mapping[str, Any]) -> dict[str, Any]:
    """By whom and when an utterance or a word was said, and how sure that is."""
    return {
        "speaker": optional_text(entry.get("speakerId")),
        "start_ms": values.ms_of_seconds(entry.get("start")),
        "end_ms": values.ms_of_seconds(entry.get("end")),
        "confidence": values.exact(entry.get("confidence")),
    }


def _by_name(insights: Any) -> dict[str, list[dict[str, Any]]]:
    """The values of each insight."""
    return {str(insight["name"]): maps(insight.get("values")) for insight in maps(insights) if insight.get("name")}


def _texts(overall: Mapping[str, list[dict[str, Any]]], *names: str) -> list[tuple[str, Any]]:
    """Text and confidence of each value of these insights; summaries by extraction call the text a sentence."""
    told = [value for name in names for value in overall.get(name, ())]
    texts = [(optional_text(value.get("value") or value.get("sentence")), value.get("confidence")) for value in told]
    return [(text, values.exact(confidence)) for text, confidence in texts if text]


def _questions(told: list[dict[str, Any]]) -> list[Question]:
    """In the order of the conversation; the vendor has them speaker by speaker."""
    asked = [question for value in told for question in maps(value.get("questions"))]
    asked.sort(key=lambda question: values.ms_of_seconds(question.get("start")) or 0)
    return [Question(str(question["text"])) for question in asked if question.get("text")]


def _ratings(by_speaker: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Each insight's value by speaker; `Pace` has a word for it, and the words per minute beside."""
    ratings: dict[str, Any] = {}
    for insight, told in by_speaker.items():
        for entry in told:
            for name, value in ((insight, entry.get("value")), ("wpm", entry.get("wpm"))):
                if value is not None:
                    ratings.setdefault(name, {})[optional_text(entry.get("speakerId")) or "?"] = value
    return ratings
