"""Symbl.ai: submit a link as audio or video, poll the job, read the conversation that came of it part by part.

A submission gives two ids: the job's tells when it is over, the conversation's what was said. A webhook names only the
job, so the conversation carries a name of ours and can be found by it. Contradictory facts: see docs/providers.md.
"""

import codecs
import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from recording_insights import errors
from recording_insights.model.insights import ActionItem, Insights, Question, Topic, Utterance, mean_sentiment
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit import values
from recording_insights.providers.toolkit.auth import REFUSALS, AccessToken, Credentials, Token
from recording_insights.providers.toolkit.http import Reply, VendorHttp
from recording_insights.providers.toolkit.json import parse_json, vendor_message
from recording_insights.providers.toolkit.values import exact, mapping, maps, optional_text

BASE_URL = "https://api.symbl.ai"
DEFAULT_SPEAKERS = 2
_LANGUAGES = (
    "en-US", "en-GB", "en-AU", "en-IE", "en-IN", "en-ZA", "ru-RU", "fr-FR", "fr-CA", "de-DE", "it-IT", "nl-NL",
    "ja-JP", "es-ES", "es-US", "ar-SA", "hi-IN", "pt-BR", "pt-PT", "fa-IR",
)  # fmt: skip
_REGIONAL = {tag[:2]: tag for tag in reversed(_LANGUAGES)}
_OPTIONS = {
    "custom_vocabulary": "customVocabulary", "confidence_threshold": "confidenceThreshold", "mode": "mode",
    "detect_phrases": "detectPhrases", "entities": "entities", "trackers": "trackers", "summary": "enableSummary",
    "all_trackers": "enableAllTrackers",
}  # fmt: skip
_LISTS = {"topics": "topics", "action-items": "actionItems", "follow-ups": "followUps", "questions": "questions"}
_EXPECTED = {**_LISTS, "analytics": "metrics"}
_LINK = re.compile(r"(?i)https?:[^\s\"'<>]+")
_EXPIRED = re.compile(r"(?is)^(?=.*(url|link|file|media|download)).*(\b403\b|forbidden|access ?denied|expired)")
_NO_CREDIT = re.compile(r"(?i)insufficient (fund|credit|balance|minute)|(credit|minute)s?\b.*(exhausted|used up)")


class Symbl:
    """The adapter; `credentials(fresh)` gives appId and appSecret, `fresh` past every cache."""

    capabilities = Capabilities(
        takes="url",
        formats=frozenset({"mp4", "m4a", "mp3", "wav"}),
        pace=Pace(start_seconds=15, share=0.25),  # a guess: no page tells; the webhook usually comes first
        max_minutes=240,
        languages=frozenset((*_LANGUAGES, *_REGIONAL)),
        callback="optional",
    )

    def __init__(self, http: VendorHttp, credentials: Credentials, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._token = AccessToken("Symbl", credentials, self._log_in, lambda reply: _reason(reply.data), clock)

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """One call. An earlier try whose answer was lost is found by the name that it gave the conversation."""
        if job.get("job_id") or job.get("conversation_id"):
            return {"name": submission.name, **job}
        if job.get("name") != submission.name:
            job = {"name": submission.name}
            keep(job)
        elif found := self._found(submission.name):
            return {**job, "conversation_id": found}
        path = f"/v1/process/{'video' if submission.media.format == 'mp4' else 'audio'}/url"
        data = mapping(self._call("POST", path, buys=True, **_request(submission)).data)
        if not data.get("jobId"):
            raise self._http.unreadable("a job id", buys=True)
        return {**job, "job_id": str(data["jobId"]), "conversation_id": str(data.get("conversationId") or "")}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Its words are scheduled, in_progress, completed, failed. Without the job's id the summary tells the end."""
        if not job.get("job_id"):
            # Of all parts only this one is 404 while the job is in progress; the others give what there is by then.
            summary = self._call("GET", f"{self._conversation(job)}/summary", may_lack=True)
            return JobState("running" if summary.status == 404 else "succeeded", "job id lost, going by the summary")
        data = mapping(self._call("GET", f"/v1/job/{quote(str(job['job_id']), safe='')}").data)
        if not data.get("status"):
            raise self._http.unreadable("the job's state")
        word = str(data["status"]).lower()
        if word != "failed":
            return JobState("succeeded" if word == "completed" else "running", word)
        if _EXPIRED.search(_reason(data)):
            raise errors.MediaLinkExpired(f"Symbl came too late for the link: {_reason(data)}")
        return JobState("failed", word, f"Symbl failed the job: {_reason(data)}")

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """One object: each part of the conversation under its path's name, as it came, a 404's body too."""
        path = self._conversation(job)
        messages = self._call("GET", f"{path}/messages", query=[("verbose", "true"), ("sentiment", "true")])
        if not isinstance(mapping(messages.data).get("messages"), list):
            raise self._http.unreadable("messages")
        names = (*_EXPECTED, "summary", "entities", "trackers-detected")
        parts = {"messages": messages} | {p: self._call("GET", f"{path}/{p}", may_lack=True) for p in names}
        if parts["trackers-detected"].status == 404:
            parts["trackers"] = self._call("GET", f"{path}/trackers", may_lack=True)
        parts["conversation"] = self._call("GET", path, may_lack=True)
        bodies = ((p, b"null" if r.data is None else r.body.removeprefix(codecs.BOM_UTF8)) for p, r in parts.items())
        return b"{" + b",".join(b'"%s":%s' % (part.encode(), body) for part, body in bodies) + b"}"

    def read_insights(self, reply: bytes) -> Insights:
        """The parts in the normalised shape; one that Symbl did not give is `missing`, a summary simply absent."""
        data = parse_json(reply)
        if not isinstance(data["messages"]["messages"], list):
            raise ValueError("messages is no list")
        transcript = _transcript(maps(data["messages"]["messages"]), mapping(data.get("conversation")).get("startTime"))
        return Insights(
            transcript=transcript,
            summary=" ".join(str(line["text"]) for line in _texts(data, "summary")) or None,
            topics=[Topic(str(topic["text"]), exact(topic.get("score"))) for topic in _texts(data, "topics")],
            action_items=_actions(data, "action-items"),
            follow_ups=_actions(data, "follow-ups"),
            questions=[Question(str(question["text"])) for question in _texts(data, "questions")],
            sentiment=mean_sentiment(transcript),
            ratings=_ratings(data),
            missing=[f"{p}: {_reason(data.get(p))}" for p in _EXPECTED if _EXPECTED[p] not in mapping(data.get(p))],
        )

    def read_callback(self, request: CallbackRequest) -> Callback | None:
        """Symbl signs nothing: the token in the path proves it. It tells every change; only an end counts."""
        request.prove(request.path_token)
        job_id, status = (request.json_object().get(name) for name in ("jobId", "status"))
        if not isinstance(job_id, str) or not isinstance(status, str) or not job_id:
            raise errors.InvalidRequest("body", "must have the texts jobId and status")
        return Callback(job={"job_id": job_id}) if status.lower() in ("completed", "failed") else None

    def _conversation(self, job: Job) -> str:
        found = job.get("conversation_id") or (job.get("name") and self._found(str(job["name"])))
        if not found:
            raise errors.ProviderRejected("Symbl's answer was lost, and no conversation has the name that we gave")
        return f"/v1/conversations/{quote(str(found), safe='')}"

    def _found(self, name: str) -> str | None:
        """The id of the conversation whose name ends with ours; None too where Symbl gives no list."""
        reply = self._call("GET", "/v1/conversations", query=[("limit", "1000"), ("order", "desc")], may_lack=True)
        if reply.status != 404 and "conversations" not in mapping(reply.data):
            raise self._http.unreadable("a list of conversations")
        listed = maps(mapping(reply.data).get("conversations"))
        ours = (entry.get("id") for entry in listed if str(entry.get("name")).rpartition(" ")[2] == name)
        return next((str(found) for found in ours if found), None)

    def _call(self, method: str, path: str, *, may_lack: bool = False, **request: Any) -> Reply:
        reply = self._token.call(lambda token: self._send(method, path, f"Bearer {token}", may_lack, **request))
        if reply.status >= 400 and not (may_lack and reply.status == 404):
            raise errors.ProviderRejected(f"Symbl answered HTTP {reply.status}: {_reason(reply.data)}")
        return reply

    def _send(self, method: str, path: str, token: str = "", may_lack: bool = False, **request: Any) -> Reply:
        """The reply under the status that it means: an error may come as 200, with its `statusCode` or without."""
        reply = self._http.call(method, path, headers={"Authorization": token} if token else None, **request)
        data, status = mapping(reply.data), reply.status
        if status < 300 and data and data.keys() <= {"statusCode", "code", "error", "message"}:
            status = values.whole(data.get("statusCode")) or (400 if request.get("buys") else 404 if may_lack else 500)
        if status == 429:
            raise errors.ProviderBusy(f"Symbl is busy: {_reason(data)}")
        if status == 402 or (status >= 400 and _NO_CREDIT.search(_reason(data))):
            raise errors.OutOfCredit(f"Symbl takes no job: {_reason(data)}")
        if status >= 500:
            raise self._http.unreadable(f"what was asked for: {_reason(data)}", buys=bool(request.get("buys")))
        return Reply(status, reply.data, reply.body)

    def _log_in(self, secret: Mapping[str, str]) -> Token | Reply:
        login = {"type": "application", "appId": secret["appId"], "appSecret": secret["appSecret"]}
        reply = self._send("POST", "/oauth2/token:generate", json=login)
        if reply.status in (400, *REFUSALS):
            return reply
        if not (token := mapping(reply.data).get("accessToken")):
            raise self._http.unreadable("an access token")
        return Token(str(token), values.whole(reply.data.get("expiresIn")) or 0)


def _request(submission: Submission) -> dict[str, Any]:
    """Query and body. Diarization works from the query only, for two languages, and wants the number of voices."""
    options = submission.options
    body: dict[str, Any] = {"detectPhrases": True, "enableSummary": True, "detectEntities": "entities" in options}
    body |= {field: options[option] for option, field in _OPTIONS.items() if option in options}
    body |= {"name": f"{submission.title} {submission.name}", "url": submission.make_link()}
    body["webhookUrl"] = submission.callback.secret_url
    if "language" in options:
        body["languageCode"] = _REGIONAL.get(options["language"], options["language"])
    if "speakers" not in options and body.get("languageCode", "en")[:2] not in ("en", "es"):
        return {"json": body}
    count = str(int(options.get("speakers", DEFAULT_SPEAKERS)))
    return {"json": body, "query": [("enableSpeakerDiarization", "true"), ("diarizationSpeakerCount", count)]}


def _reason(data: Any) -> str:
    """The message of an error, without any link: the webhook's has a secret in its path."""
    told = mapping(data).get("message") or mapping(data).get("error")
    return _LINK.sub("(link)", vendor_message(told)) if told else "no reason given"


def _texts(data: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    return [entry for entry in maps(mapping(data.get(part)).get(_EXPECTED.get(part, part))) if entry.get("text")]


def _actions(data: Mapping[str, Any], part: str) -> list[ActionItem]:
    actions = _texts(data, part)
    return [ActionItem(str(a["text"]), _name(a.get("assignee")), optional_text(a.get("dueBy"))) for a in actions]


def _transcript(messages: list[dict[str, Any]], began: Any) -> list[Utterance]:
    """Offsets in seconds where there are any, else moments, counted from the conversation's start or first message."""
    first = next((message["startTime"] for message in messages if message.get("startTime")), None)
    moments = [values.ms_between(first, moment) for moment in (*(m.get("startTime") for m in messages), began)]
    zero = min((moment for moment in moments if moment is not None), default=0)
    return [_utterance(m, None if at is None else at - zero) for m, at in zip(messages, moments, strict=False)]


def _utterance(message: Mapping[str, Any], moment: int | None) -> Utterance:
    start, length = (values.ms_of_seconds(message.get(key)) for key in ("timeOffset", "duration"))
    start = moment if start is None else start
    length = values.ms_between(message.get("startTime"), message.get("endTime")) if length is None else length
    scores: list[Decimal] = [s for word in maps(message.get("words")) if (s := exact(word.get("score"))) is not None]
    feeling = mapping(message.get("sentiment"))
    polarity = values.sentiment(mapping(feeling.get("polarity")).get("score"))
    score = values.sentiment(feeling.get("suggested")) if polarity is None else polarity
    end = None if start is None or length is None else start + length
    confidence = round(sum(scores, Decimal(0)) / len(scores), 3) if scores else None
    return Utterance(str(message.get("text") or ""), _name(message.get("from")), start, end, score, confidence)


def _name(person: Any) -> str | None:
    return next(
        (str(mapping(person)[key]) for key in ("name", "email", "userId", "id") if mapping(person).get(key)), None
    )


def _ratings(data: Mapping[str, Any]) -> dict[str, Any]:
    """Talk times, pace, and in how many messages each tracker and entity was found."""
    ratings: dict[str, Any] = {}
    for metric in maps(mapping(data.get("analytics")).get("metrics")):
        for unit in ("percent", "seconds"):
            ratings[f"{metric.get('type')}_{unit}"] = exact(metric.get(unit))
    for member in maps(mapping(data.get("analytics")).get("members")):
        name, talk = _name(member) or "unknown", mapping(member.get("talkTime"))
        ratings[f"talk_time_percent:{name}"] = exact(talk.get("percentage"))
        ratings[f"talk_time_seconds:{name}"] = exact(talk.get("seconds"))
        ratings[f"pace_wpm:{name}"] = exact(mapping(member.get("pace")).get("wpm"))
    trackers = maps(data.get("trackers-detected")) or maps(data.get("trackers"))
    found = [(f"tracker:{one.get('name')}", match) for one in trackers for match in maps(one.get("matches"))]
    found += [(f"entity:{one.get('customType') or one.get('type')}", one) for one in _texts(data, "entities")]
    for name, match in found:
        ratings[name] = ratings.get(name, 0) + len(maps(match.get("messageRefs")))
    return {name: value for name, value in ratings.items() if value is not None}
