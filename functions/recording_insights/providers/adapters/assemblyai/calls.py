"""AssemblyAI: one POST of a link, then one resource that tells state and result; a webhook says when to look.

A transcript whose answer was lost is looked for in the account's list before it is asked for again. The vendor's
facts that contradict each other are read tolerantly; docs/providers/assemblyai.md lists them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote

from recording_insights.errors import InvalidRequest, MediaLinkExpired, OutOfCredit, ProviderRejected
from recording_insights.model.insights import Insights, Utterance, mean_sentiment
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Callback, CallbackRequest, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit import values
from recording_insights.providers.toolkit.auth import Credentials
from recording_insights.providers.toolkit.http import Reply, VendorHttp
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.static_key import StaticKey
from recording_insights.redaction import vendor_message

BASE_URL = "https://api.assemblyai.com"
TOKEN_HEADER = "X-Recording-Insights-Token"  # noqa: S105
DEFAULT_SPEECH_MODELS = ("universal-3-5-pro", "universal-2")

_FORMATS = """
    3ga 8svx aac ac3 aif aiff alac amr ape au dss flac flv m2ts m4a m4b m4p m4r m4v mogg mov mp2 mp3 mp4 mpga mts mxf
    oga ogg opus qcp ts tta voc wav webm wma wv
"""
_REGIONAL = {"en-US": "en_us", "en-GB": "en_uk", "en-AU": "en_au", "de-CH": "de_ch"}
"""The only regions that the vendor has codes for."""
_RESULTS = {
    "sentiment_analysis": "sentiment_analysis_results",
    "entity_detection": "entities",
    "iab_categories": "iab_categories_result",
    "auto_highlights": "auto_highlights_result",
}
_NO_CREDIT = re.compile(r"balance is negative|insufficient (funds|credit|balance)|top up", re.IGNORECASE)
_DELETED = "http://deleted_by_user"
_TRANSCRIPT_ID = re.compile(r"[\w-]{1,100}")


class AssemblyAI:
    """The adapter; `credentials(fresh)` gives apiKey, `fresh` past every cache."""

    capabilities = Capabilities(
        takes="url",
        formats=frozenset(_FORMATS.split()),
        # "The vast majority of files complete in under 45 seconds", an hour of audio in about half a minute.
        pace=Pace(start_seconds=15, share=0.01),
        max_bytes=5_000_000_000,
        max_minutes=600,
        callback="optional",
    )

    def __init__(self, http: VendorHttp, credentials: Credentials) -> None:
        self._http = http
        # No word of the vendor's: it might repeat the key.
        self._key = StaticKey("AssemblyAI", credentials, lambda reply: f"HTTP {reply.status}")

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """One call. Kept before it: digests of the links that were sent, by which a lost transcript is found."""
        if "transcript_id" in job:
            return job
        asked = job.get("asked", [])
        if asked and (found := self._find(asked)):
            return {"transcript_id": found}
        link = submission.make_link()
        keep({"asked": [*asked, _digest(link)]})
        reply = self._call("POST", "/v2/transcript", json=_wish(submission, link), buys=True)
        told = _accepted(reply, private=(submission.callback.url, submission.callback.token))
        if not told.get("id"):
            raise self._http.unreadable("a transcript id", buys=True)
        return {"transcript_id": str(told["id"])}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """A job that failed for want of any speech is an empty transcript; the vendor's words are in `missing`."""
        reply = self._get(job)
        if reply.status == 404 or (reply.status == 400 and "transcript id not found" in str(reply.data)):
            return JobState("failed", "not found", "AssemblyAI does not know the transcript, or no longer")
        transcript = _accepted(reply)
        if transcript.get("audio_url") == _DELETED:
            return JobState("failed", "deleted", "AssemblyAI's transcript was deleted")
        if not transcript.get("status"):
            raise self._http.unreadable("a status")
        word = str(transcript["status"]).lower()
        if word == "completed":
            return JobState("succeeded", word, missing=_missing(transcript))
        if word != "error":
            return JobState("running", word)
        reason = vendor_message(transcript.get("error") or "no reason given")
        if _is_silent(transcript):
            return JobState("succeeded", word, missing=[f"transcript: {reason}"])
        if reason.lower().startswith("download error"):
            raise MediaLinkExpired("AssemblyAI could not download the media: the link has expired or was refused")
        return JobState("failed", word, f"AssemblyAI failed the job: {reason}")

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """The transcript resource as it is."""
        reply = self._get(job)
        transcript = _accepted(reply)
        is_over = str(transcript.get("status")).lower() == "completed" or _is_silent(transcript)
        if not is_over or not _is_readable(transcript):
            raise self._http.unreadable("a completed transcript")
        return reply.body

    def read_insights(self, reply: bytes) -> Insights:
        """The transcript resource in the normalised shape; entities have no place in it and stay in the reply."""
        data = parse_json(reply)
        if not isinstance(data, dict) or not _is_readable(data):
            raise LookupError("the reply has no transcript")
        transcript = values.with_sentiment(_utterances(data), _sentences(data))
        categories = values.mapping(values.mapping(data.get("iab_categories_result")).get("summary"))
        highlights = values.maps(values.mapping(data.get("auto_highlights_result")).get("results"))
        told = [*categories.items(), *((phrase.get("text"), phrase.get("rank")) for phrase in highlights)]
        return Insights(
            transcript=transcript,
            summary=values.optional_text(data.get("summary")),
            topics=values.best_topics((values.optional_text(text), values.exact(score)) for text, score in told),
            sentiment=mean_sentiment(transcript),
        )

    def read_callback(self, request: CallbackRequest) -> Callback | None:
        """{"transcript_id", "status"}, proved by the header that the submission asked for."""
        request.prove(request.headers.get(TOKEN_HEADER.lower(), ""))
        news = request.json_object()
        if news.get("status") in ("queued", "processing", "redacted_audio_ready"):
            return None
        transcript_id = news.get("transcript_id")
        if not isinstance(transcript_id, str) or not _TRANSCRIPT_ID.fullmatch(transcript_id):
            raise InvalidRequest("body", "must name a transcript_id")
        return Callback(job={"transcript_id": transcript_id})

    def _get(self, job: Job) -> Reply:
        return self._call("GET", f"/v2/transcript/{quote(str(job['transcript_id']), safe='')}")

    def _find(self, asked: Sequence[str]) -> str | None:
        """The newest transcript made of one of these links; None too where the list is refused or hides queries."""
        reply = self._call("GET", "/v2/transcript", query=[("limit", "200")])
        listed = values.maps(values.mapping(reply.data).get("transcripts"))
        ours = (entry.get("id") for entry in listed if _digest(str(entry.get("audio_url"))) in asked)
        return next((str(found) for found in ours if found), None)

    def _call(self, method: str, path: str, **request: Any) -> Reply:
        def send(secret: Mapping[str, str]) -> Reply:
            return self._http.call(method, path, headers={"Authorization": secret["apiKey"]}, **request)

        return self._key.call(send)


def _accepted(reply: Reply, private: Sequence[str] = ()) -> dict[str, Any]:
    """The object of an answer, empty if it is none; an error is refused whatever its status, `private` not repeated."""
    data = values.mapping(reply.data)
    if reply.status < 400 and (data.keys() & {"id", "status"} or not data.get("error")):
        return data
    reason = str(data.get("error") or "no reason given")
    for text in private:
        reason = reason.replace(text, "(private)")
    kind = OutOfCredit if reply.status == 402 or _NO_CREDIT.search(reason) else ProviderRejected
    raise kind(f"AssemblyAI answered HTTP {reply.status}: {vendor_message(reason)}")


def _wish(submission: Submission, link: str) -> dict[str, Any]:
    options = submission.options
    language = options.get("language")
    # Sentiment is for English only; asked for in another language it has the whole job refused.
    tongue = str(language or "en").partition("-")[0]
    wish: dict[str, Any] = {
        "audio_url": link,
        "speech_models": list(options.get("speech_models") or DEFAULT_SPEECH_MODELS),
        "speaker_labels": True,
        "webhook_url": submission.callback.url,
        "webhook_auth_header_name": TOKEN_HEADER,
        "webhook_auth_header_value": submission.callback.token,
        **dict.fromkeys(options.get("features", ("sentiment_analysis",) if tongue == "en" else ()), True),
    }
    wish |= {"language_code": _REGIONAL.get(language, tongue)} if language else {"language_detection": True}
    if options.get("speakers"):
        wish["speakers_expected"] = options["speakers"]
    if options.get("custom_vocabulary"):
        wish["keyterms_prompt"] = list(options["custom_vocabulary"])
    if options.get("redact_pii"):
        wish |= {"redact_pii": True, "redact_pii_policies": list(options["redact_pii"])}
    return wish


def _is_silent(transcript: Mapping[str, Any]) -> bool:
    return "no spoken audio" in str(transcript.get("error"))


def _is_readable(transcript: Mapping[str, Any]) -> bool:
    return bool(transcript.keys() & {"utterances", "words", "text"}) or _is_silent(transcript)


def _missing(transcript: Mapping[str, Any]) -> list[str]:
    """Features asked for and not delivered although there were words: "unavailable", or nothing at all."""
    if not transcript.get("text"):
        return []
    wanted = {name: transcript.get(field) for name, field in _RESULTS.items() if transcript.get(name) is True}
    return [
        f"{name}: AssemblyAI delivered none (language {transcript.get('language_code')})"
        for name, result in wanted.items()
        if result in (None, {}) or values.mapping(result).get("status") == "unavailable"
    ]


def _digest(link: str) -> str:
    """Names a link by its query, which is signed anew for each, without repeating it: it is a credential."""
    query = link.partition("?")[2]
    return sha256(repr(sorted(parse_qsl(query))).encode()).hexdigest()


def _spoken(entries: Any) -> list[dict[str, Any]]:
    """Turns or words: the fields that `Utterance` and `Word` have in common."""
    return [
        {
            "text": str(entry["text"]),
            "speaker": values.optional_text(entry.get("speaker")),
            "start_ms": values.whole(entry.get("start")),
            "end_ms": values.whole(entry.get("end")),
            "confidence": values.exact(entry.get("confidence")),
        }
        for entry in values.maps(entries)
        if entry.get("text")
    ]


def _utterances(data: Mapping[str, Any]) -> list[Utterance]:
    """The turns; without speaker labels there are none and the words make them, at worst the bare text."""
    turns = [Utterance(**turn) for turn in _spoken(data.get("utterances"))]
    told = turns or values.utterances_of(values.Word(**word) for word in _spoken(data.get("words")))
    text = values.optional_text(data.get("text"))
    return told or ([Utterance(text)] if text else [])


def _sentences(data: Mapping[str, Any]) -> list[values.Scored]:
    """Sentences with the sign of their word times the vendor's confidence in it, 0 for NEUTRAL."""
    sentences, before = [], 0
    for entry in values.maps(data.get("sentiment_analysis_results")):
        start, end = values.whole(entry.get("start")), values.whole(entry.get("end"))
        sign, confidence = values.sentiment(entry.get("sentiment")), values.sentiment(entry.get("confidence"))
        if end is None or sign is None:
            continue
        # `start` was seen null; a sentence begins where the one before it ended.
        start = before if start is None else start
        score = sign if confidence is None else sign * confidence
        sentences.append(values.Scored(start, end, values.optional_text(entry.get("speaker")), score))
        before = end
    return sentences
