"""Deepgram: one call that names the media's link and the place in our bucket where the result shall lie.

Deepgram keeps no transcript and nothing can be polled: it hands the result over once. Its documented way into S3 is
`callback=<presigned PUT>` with `callback_method=put`; a webhook of ours would end at Lambda's 6 MB, which is less than
a long talk. A fault of the job comes the same way, so what was delivered must first be read for an error.
Source: https://developers.deepgram.com/docs/using-aws-s3-presigned-urls-with-the-deepgram-api, /docs/callback
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from recording_insights.errors import MediaLinkExpired, OutOfCredit, ProviderRejected, ProviderUnavailable
from recording_insights.model.insights import Insights, Utterance, mean_sentiment
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import Credentials
from recording_insights.providers.toolkit.http import Reply, VendorHttp
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.static_key import StaticKey
from recording_insights.providers.toolkit.values import (
    Word,
    best_topics,
    exact,
    mapping,
    maps,
    ms_of_seconds,
    optional_text,
    sentiment,
    utterances_of,
    whole,
)
from recording_insights.redaction import vendor_message

BASE_URL = "https://api.deepgram.com"
DEFAULT_MODEL = "nova-3"
DEFAULT_FEATURES = ("summarize", "sentiment", "topics")
_NO_REASON = "no reason given"

# The tags of more than a language that Deepgram lists; it refuses others, such as de-DE.
_FINER_TAG = re.compile(
    "da-DK|de-CH|en-(AU|GB|IN|NZ|US)|es-419|fr-CA|ko-KR|nl-BE|pt-(BR|PT)|sv-SE|th-TH|zh-(CN|HK|Hans|Hant|TW)"
)


class Deepgram:
    """The adapter; `credentials(fresh)` gives apiKey, `fresh` past every cache."""

    capabilities = Capabilities(
        takes="url",
        formats=frozenset({"mp4", "m4a", "mp3", "wav", "aac", "flac", "ogg", "opus", "webm"}),
        # Half a minute for an hour of media; its own end is at ten minutes, whatever the length.
        pace=Pace(start_seconds=10, share=0.01),
        max_bytes=2_000_000_000,
        callback="required",
        result_by="delivery",
    )

    def __init__(self, http: VendorHttp, credentials: Credentials) -> None:
        self._http = http
        self._key = StaticKey("Deepgram", credentials, lambda reply: _error_in(reply.data)[1] or _NO_REASON)

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """The one call, which buys. There is nothing to keep before it and no way to find a lost job after it."""
        if job.get("request_id"):
            return job
        delivery = [("callback", submission.delivery.make_link()), ("callback_method", "put")]
        reply = self._listen([*_query(submission.options), *delivery], submission.make_link())
        _refuse_errors(reply)
        request_id = reply.data.get("request_id") if isinstance(reply.data, dict) else None
        if reply.status >= 300 or not request_id:
            raise self._http.unreadable("a request id", buys=True)
        return {"request_id": str(request_id)}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """The state by what was delivered; needs no id, so that a job whose answer was lost ends like any other."""
        if delivered is None:
            return JobState("running", "no result yet")
        try:
            result = parse_json(delivered)
        except ValueError:
            result = delivered.decode(errors="replace")
        code, reason = _error_in(result)
        if not reason:
            return JobState("succeeded", "delivered", missing=_missing(result))
        _check_link(code, reason)
        return JobState("failed", code or "error", f"Deepgram failed the job: {reason}")

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """What was delivered: there is no call for it, and a result that was not delivered is lost."""
        if delivered is None:
            raise self._http.unreadable("any result: it delivers once and keeps none")
        return delivered

    def read_insights(self, reply: bytes) -> Insights:
        """Deepgram's result in the normalised shape.

        Intents and entities stay in the reply: an intent is a verb without an owner, which is no action item.
        """
        result = parse_json(reply)
        results = result["results"]
        spoken = results["channels"][0]["alternatives"][0]  # one channel, as we never ask for more
        if not isinstance(spoken, dict) or not ("words" in spoken or "transcript" in spoken):
            raise LookupError("the result has no transcript")
        sentiments, summary = mapping(results.get("sentiments")), mapping(results.get("summary"))
        transcript = _transcript(spoken, maps(sentiments.get("segments")))
        average = sentiment(mapping(sentiments.get("average")).get("sentiment_score"))
        return Insights(
            transcript=transcript,
            summary=None if summary.get("result") == "failure" else optional_text(summary.get("short")),
            topics=best_topics(
                (optional_text(topic.get("topic")), exact(topic.get("confidence_score")))
                for segment in maps(mapping(results.get("topics")).get("segments"))
                for topic in maps(segment.get("topics"))
            ),
            sentiment=mean_sentiment(transcript) if average is None else average,
            missing=_missing(result),
        )

    def _listen(self, query: Sequence[tuple[str, str]], link: str) -> Reply:
        def send(secret: Mapping[str, str]) -> Reply:
            headers = {"Authorization": f"Token {secret['apiKey']}"}
            return self._http.call("POST", "/v1/listen", headers=headers, query=query, json={"url": link}, buys=True)

        return self._key.call(send)


def _error_in(body: Any) -> tuple[str, str]:
    """Code and text of an error: {err_code, err_msg}, {category, message, details} or plain text; else both empty."""
    if not isinstance(body, dict):
        return "", vendor_message(body if isinstance(body, str) else "") or "an answer that is no object"
    names = ("err_code", "error_code", "category", "err_msg", "message", "details")  # one sample has `error_code`
    given = {name: str(body[name]) for name in names if body.get(name)}
    if isinstance(body.get("results"), dict):
        return "", ""
    code = next((given[name] for name in names[:3] if name in given), "")
    message = " ".join(given[name] for name in names[3:] if name in given)
    return vendor_message(code), vendor_message(": ".join(part for part in (code, message) if part))


def _check_link(code: str, reason: str) -> None:
    """Documented for text-to-speech only, reported by users for our call; another link costs nothing."""
    if "REMOTE_CONTENT_ERROR" in code:
        raise MediaLinkExpired(f"Deepgram could not fetch the media by its link: {reason}")


def _refuse_errors(reply: Reply) -> None:
    """Raise what an answer to the call complains of, be its status 200."""
    code, reason = _error_in(reply.data)
    if reply.status < 400 and not (isinstance(reply.data, dict) and reason):
        return
    reason = reason or _NO_REASON
    _check_link(code, reason)
    name = code.upper().replace(" ", "_")
    if reply.status == 402 or "PAYMENT_REQUIRED" in name:
        raise OutOfCredit(f"Deepgram's account is out of credit: {reason}")
    if reply.status == 408 or name in ("TOO_MANY_REQUESTS", "SERVICE_UNAVAILABLE"):
        raise ProviderUnavailable(f"Deepgram could not take the request: {reason}")
    raise ProviderRejected(f"Deepgram answered HTTP {reply.status}: {reason}")


def _query(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The query that asks for the richest result; without `utterances`, which repeat every word."""
    model = options.get("model", DEFAULT_MODEL)
    language = _language(options["language"]) if "language" in options else None
    # Its intelligence knows English only: a summary of another language is refused, the rest is paid for with nothing.
    usual = DEFAULT_FEATURES if language is None or language.partition("-")[0] == "en" else ()
    query = [
        ("model", model),
        ("language", language) if language else ("detect_language", "true"),
        ("diarize_model", "latest"),  # `diarize` is deprecated
        ("smart_format", "true"),
        *((name, "v2" if name == "summarize" else "true") for name in options.get("features", usual)),
    ]
    vocabulary = "keyterm" if model.startswith("nova-3") else "keywords"
    return query + [(vocabulary, term) for term in options.get("custom_vocabulary", ())]


def _language(tag: str) -> str:
    while "-" in tag and not _FINER_TAG.fullmatch(tag):
        tag = tag.rpartition("-")[0]
    return tag


def _transcript(spoken: Mapping[str, Any], sentiments: Sequence[Mapping[str, Any]]) -> list[Utterance]:
    entries = spoken["words"] if isinstance(spoken.get("words"), list) else []
    words: list[Word] = []
    for entry, score in zip(entries, _scores(entries, sentiments), strict=True):
        text = optional_text(entry.get("punctuated_word") or entry.get("word")) if isinstance(entry, dict) else None
        if text:
            start, end = ms_of_seconds(entry.get("start")), ms_of_seconds(entry.get("end"))
            speaker = optional_text(entry.get("speaker"))
            words.append(Word(text, start, end, speaker, exact(entry.get("confidence")), score))
    whole_text = optional_text(spoken.get("transcript"))
    if not words and whole_text:
        return [Utterance(whole_text, confidence=exact(spoken.get("confidence")))]
    return utterances_of(words)


def _scores(entries: Sequence[Any], segments: Sequence[Mapping[str, Any]]) -> list[Decimal | None]:
    """The sentiment of each word: its segment's, whose two indices are its first and its last word, or its own."""
    scores = [sentiment(entry.get("sentiment_score")) if isinstance(entry, dict) else None for entry in entries]
    for segment in segments:
        score = sentiment(segment.get("sentiment_score"))
        first, last = whole(segment.get("start_word")), whole(segment.get("end_word"))
        if score is not None and first is not None and last is not None:
            for i in range(max(first, 0), min(last + 1, len(scores))):
                scores[i] = score
    return scores


def _missing(result: Mapping[str, Any]) -> list[str]:
    """What was asked for and not found, with Deepgram's reason; its samples leave open where `warnings` stand."""
    summary = mapping(mapping(result.get("results")).get("summary"))
    failed = [{"parameter": "summarize", "message": summary.get("short")}] if summary.get("result") == "failure" else []
    told: dict[str, str] = {}
    for warning in maps(result.get("warnings")) + maps(mapping(result.get("metadata")).get("warnings")) + failed:
        reason = str(warning.get("message") or warning.get("type") or _NO_REASON)
        told.setdefault(str(warning.get("parameter", "?")), vendor_message(reason))
    return [f"{name}: {reason}" for name, reason in told.items()]
