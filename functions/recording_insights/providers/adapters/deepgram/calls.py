"""Transcription by Deepgram: one call that names the link of the media and a place in our bucket for the result.

Deepgram keeps no transcript, and there is no state to poll: it delivers the result once. Its documented way to write to
S3 is `callback=<presigned PUT>` with `callback_method=put`. A webhook of ours could not receive more than the 6 MB of
a Lambda call, which is less than the result of a long talk. Deepgram delivers the error of a failed job in the same
way, so the adapter looks for an error in the delivery first.
Source: https://developers.deepgram.com/docs/using-aws-s3-presigned-urls-with-the-deepgram-api, /docs/callback
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recording_insights.errors import MediaLinkExpired, OutOfCredit, ProviderRejected, ProviderUnavailable
from recording_insights.model.insights import Insights
from recording_insights.providers.adapters.deepgram import reading
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import Credentials, StaticKey
from recording_insights.providers.toolkit.http import Reply, VendorHttp
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.values import NO_REASON

DEFAULT_MODEL = "nova-3"
DEFAULT_FEATURES = ("summarize", "sentiment", "topics")

# The tags with a script or a region that Deepgram lists. It refuses others, such as de-DE.
_FINER_TAG = re.compile(
    "da-DK|de-CH|en-(AU|GB|IN|NZ|US)|es-419|fr-CA|ko-KR|nl-BE|pt-(BR|PT)|sv-SE|th-TH|zh-(CN|HK|Hans|Hant|TW)"
)
_NUMBERS = frozenset({"numbers", "aggressive_numbers"})
"""What Deepgram redacts in several languages; it redacts entities in English only.

Source: https://developers.deepgram.com/docs/redaction
"""
_WITH_NUMBERS = ("da", "de", "en", "es", "fr", "it", "nl", "no", "pl", "pt", "sv")
_SERVER_ERROR = re.compile(r"(internal.server.error|bad.gateway|service.unavailable)\b", re.IGNORECASE)
"""Begins an error whose cause is Deepgram's own servers. Its codes are written with blanks or with underscores.

A gateway's time-out is left out: it is how Deepgram gives up media that takes too long, and a second job would too.
Source: https://developers.deepgram.com/docs/errors, for HTTP; no source shows such an error in a delivery
"""


class Deepgram:
    """The adapter. `credentials(fresh)` returns a map with apiKey; `fresh` bypasses every cache."""

    capabilities = Capabilities(
        takes="url",
        # Half a minute for an hour of media. Deepgram itself gives up after ten minutes, whatever the length.
        pace=Pace(start_seconds=10, share=0.01),
        max_bytes=2_000_000_000,
        callback="required",
        result_by="delivery",
        keeps_nothing=True,
    )

    def __init__(self, http: VendorHttp, credentials: Credentials) -> None:
        self._http = http
        self._key = StaticKey("Deepgram", credentials, lambda reply: reading.error_in(reply.data)[1] or NO_REASON)

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Make the one call, which is paid. If its response is lost, the result is delivered all the same."""
        if job.get("request_id"):
            return job
        delivery = [("callback", submission.delivery.make_link()), ("callback_method", "put")]
        reply = self._listen([*_query(submission.options), *delivery], submission.make_link())
        self._raise_error(reply)
        request_id = reply.data.get("request_id") if isinstance(reply.data, dict) else None
        if reply.status >= 300 or not request_id:
            raise self._http.unreadable("a request id", is_paid=True)
        return {"request_id": str(request_id)}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Derive the state from the delivery; no id is needed, so a job whose response is lost ends as well."""
        if delivered is None:
            return JobState("running", "no result yet")
        try:
            result = parse_json(delivered)
        except ValueError:
            result = delivered.decode(errors="replace")
        code, reason = reading.error_in(result)
        if not reason:
            return JobState("succeeded", "delivered", missing=reading.missing_features(result))
        _check_link(code, reason)
        is_providers_fault = _SERVER_ERROR.match(reason) is not None
        return JobState(
            "failed", code or "error", f"Deepgram failed the job: {reason}", is_providers_fault=is_providers_fault
        )

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """Return the delivery: there is no call that fetches a result."""
        if delivered is None:
            raise self._http.unreadable("any result: it delivers each result once and keeps no copy")
        return delivered

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise a result."""
        return reading.read_insights(reply)

    def verify_access(self) -> str:
        """Request the details of the key, which needs no scope. The list of projects needs `project:read`.

        Source: https://developers.deepgram.com/docs/authenticating, which names no scope and does not show the details
        """
        reply = self._key.call_once(lambda secret: self._http.call("GET", "/v1/auth/token", headers=_headers(secret)))
        self._raise_error(reply)
        if not reply.data or not isinstance(reply.data, dict):
            raise self._http.unreadable("the details of the key")
        return "Deepgram knows the key. The call does not show whether the account has credit."

    def _listen(self, query: Sequence[tuple[str, str]], link: str) -> Reply:
        def send(secret: Mapping[str, str]) -> Reply:
            headers = _headers(secret)
            return self._http.call("POST", "/v1/listen", headers=headers, query=query, json={"url": link}, is_paid=True)

        return self._key.call(send)

    def _raise_error(self, reply: Reply) -> None:
        """Raise the error that a response contains; Deepgram sends errors with status 200 too."""
        code, reason = reading.error_in(reply.data)
        if reply.status < 400 and not (isinstance(reply.data, dict) and reason):
            return
        reason = reason or NO_REASON
        _check_link(code, reason)
        name = code.upper().replace(" ", "_")
        if reply.status == 402 or "PAYMENT_REQUIRED" in name:
            raise OutOfCredit(f"Deepgram's account is out of credit: {reason}")
        if reply.status == 408 or name in ("TOO_MANY_REQUESTS", "SERVICE_UNAVAILABLE"):
            raise ProviderUnavailable(f"Deepgram could not take the request: {reason}")
        raise self._http.refusal(reply.status, reason)


def _headers(secret: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Token {secret['apiKey']}"}


def _check_link(code: str, reason: str) -> None:
    """Raise `MediaLinkExpired` for the code of a failed download.

    The vendor documents the code for text-to-speech only. Users report it for this call. A new link costs nothing.
    """
    if "REMOTE_CONTENT_ERROR" in code:
        raise MediaLinkExpired(f"Deepgram could not fetch the media by its link: {reason}")


def _query(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the query for the richest result, but without `utterances`, which would repeat every word."""
    model = options.get("model", DEFAULT_MODEL)
    language = _language(options["language"]) if "language" in options else None
    # The features work for English only. In another language Deepgram refuses a summary, and charges for the others
    # without a result.
    usual_features = DEFAULT_FEATURES if language is None or language.partition("-")[0] == "en" else ()
    query = [
        ("model", model),
        ("language", language) if language else ("detect_language", "true"),
        ("diarize_model", "latest"),  # `diarize` is deprecated
        ("smart_format", "true"),
    ]
    for name in options.get("features", usual_features):
        query.append((name, "v2" if name == "summarize" else "true"))
    if options.get("mip_opt_out"):
        query.append(("mip_opt_out", "true"))
    query += _redaction(options.get("redact_pii", ()), language)
    vocabulary = "keyterm" if model.startswith("nova-3") else "keywords"
    return query + [(vocabulary, term) for term in options.get("custom_vocabulary", ())]


def _redaction(entities: Sequence[str], language: str | None) -> list[tuple[str, str]]:
    """Return the parameters that redact.

    In a language that Deepgram does not redact, it would return the transcript as it is.
    """
    languages = _WITH_NUMBERS if _NUMBERS.issuperset(entities) else ("en",)
    if entities and (language or "").partition("-")[0] not in languages:
        raise ProviderRejected(
            f"the option redact_pii with {', '.join(entities)} needs the option language: one of {', '.join(languages)}"
        )
    return [("redact", entity) for entity in entities]


def _language(tag: str) -> str:
    """Shorten a tag until Deepgram lists it."""
    while "-" in tag and not _FINER_TAG.fullmatch(tag):
        tag = tag.rpartition("-")[0]
    return tag
