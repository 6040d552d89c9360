"""The shapes of answers, from the types of rows and insights."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_type_hints

from infra.openapi.schemas import Shape
from infra.openapi.words import words
from recording_insights.http.problems import PROBLEMS, UNEXPECTED
from recording_insights.model.derived import LISTED as LISTED_KINDS
from recording_insights.model.derived import SINGLE
from recording_insights.model.insights import LISTS, Number, Utterance, Word
from recording_insights.model.reasons import INSIGHT_REASONS, REASONS
from recording_insights.model.status import ENDED, RECORDING_STATUSES
from recording_insights.model.status import ERASING as ERASING_STATUS
from recording_insights.notices.deliveries import INTERNAL as INTERNAL_OF_DELIVERY
from recording_insights.notices.events import EVENT_TYPES
from recording_insights.notices.subscriptions import INTERNAL as INTERNAL_OF_SUBSCRIPTION
from recording_insights.providers.registry import PROVIDERS
from recording_insights.recordings.derivation import STATES
from recording_insights.recordings.derived_answer import FIGURES
from recording_insights.recordings.list import LISTED
from recording_insights.recordings.read import INTERNAL, INTERNAL_OF_MEDIA, INTERNAL_OF_TRY
from recording_insights.recordings.sync import SYNCED
from recording_insights.store.rows import (
    DeliveryRow,
    DerivedRow,
    MediaRow,
    RecordingRow,
    RetryRow,
    SubscriptionRow,
    Summary,
    TryRow,
)
from recording_insights.validation import RECORDING_ID, Schema


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _or_null(kind: str) -> Schema:
    return {"type": [kind, "null"]}


_ID = {"type": "string", "pattern": f"^{RECORDING_ID}$"}
_MOMENT = {"type": "string", "format": "date-time"}
_CODE = {"type": "string", "x-extensible-enum": sorted(REASONS)}
_INSIGHTS_CODE = {"type": "string", "x-extensible-enum": sorted(INSIGHT_REASONS)}
"""Later versions have more codes: a client treats one that it does not know as a failure."""
_EVENT = {"type": "string", "x-extensible-enum": list(EVENT_TYPES)}
_PROVIDER = {"type": "string", "x-extensible-enum": list(PROVIDERS)}
_RECORDING_STATUS = _one_of(*RECORDING_STATUSES)
_MEDIA_STATUS = _one_of("waiting", "preparing", "submitted", "done", "failed")
_COUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer"}}
_STATE: Mapping[str, Any] = {"insights": _one_of(*STATES), "insights_code": _INSIGHTS_CODE, "insights_reason": str}
_WHY: Mapping[str, Any] = {"stage": str, "reason_code": _CODE, "reason": str}
_OF_RECORDING = words("data.md", "### RecordingRow")

RECORDING = Shape.of_row(
    "Recording",
    RecordingRow,
    without=INTERNAL,
    more={"recording_id": _ID, "status": _RECORDING_STATUS, "reason_code": _CODE, "media_counts": _COUNTS, **_STATE},
    required=("recording_id", "status", "created_at", "updated_at", "insights"),
    words=_OF_RECORDING,
)
UPLOAD_LINK = Shape(
    "UploadLink",
    "How to send the file of an upload.",
    {
        "method": {"const": "PUT"},
        "url": {"type": "string", "format": "uri"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "expires_at": str,
    },
    ("method", "url", "headers", "expires_at"),
    words("api.md", "### POST /uploads"),
)
_OF_UPLOAD = (
    *(
        "recording_id",
        "status",
        "stage",
        "reason_code",
        "reason",
        "created_at",
        "updated_at",
        "version",
        "media_counts",
        *_STATE,
    ),
    *("provider", "options", "failover", "speakers", "reference", "metadata", "started_by", "changed_by"),
    *("prefix", "file", "upload_expires_at"),
)
UPLOAD = Shape(
    "Upload",
    "A recording that waits for its file. Once the file has come, there is no `upload`.",
    {**{name: RECORDING.fields[name] for name in _OF_UPLOAD}, "upload": UPLOAD_LINK},
    RECORDING.required,
    RECORDING.words,
)
GIVEN_UP = Shape(
    "GivenUp",
    "A job that another one has replaced, and why.",
    {"provider": _PROVIDER, "reason": _or_null("string"), "at": str},
    ("provider", "at"),
)
TRY = Shape.of_row(
    "Try",
    TryRow,
    without=INTERNAL_OF_TRY,
    more={"status": _one_of("done", "failed", "given up"), "reason_code": _CODE, "job_id": str, "counts": _COUNTS},
    required=("number", "status"),
    words=words("data.md", "### TryRow"),
)
_AMOUNT = _or_null("number")
_COUNT = _or_null("integer")
MEDIA_COST = Shape(
    "MediaCost",
    "What a media object costs at list prices, in US dollars. Null is not known.",
    {"aws": _AMOUNT, "provider": _AMOUNT, "transitions": _COUNT, "calls": _COUNT, "provider_seconds": _AMOUNT},
    ("aws", "provider", "transitions", "calls", "provider_seconds"),
)
COST = Shape(
    "Cost",
    "What a recording costs at list prices. Null is not known. `leaves_out` names what is missing.",
    {
        "currency": {"const": "USD"},
        "aws": _AMOUNT,
        "provider": _AMOUNT,
        "model": _AMOUNT,
        "prices_of": {"type": "string", "format": "date"},
        "leaves_out": [str],
    },
    ("currency", "aws", "provider", "model", "prices_of", "leaves_out"),
)
MEDIA_OBJECT = Shape.of_row(
    "MediaObject",
    MediaRow,
    without=INTERNAL_OF_MEDIA,
    more={
        "status": _MEDIA_STATUS,
        "provider": _PROVIDER,
        "reason_code": _CODE,
        "counts": _COUNTS,
        "retryable": bool,
        "job_id": str,
        "tries": [TRY],
        "given_up": [GIVEN_UP],
        "queue_position": {"type": "integer", "minimum": 1},
        "expected_turn_at": str,
        "cost": MEDIA_COST,
    },
    required=("media_id", "key", "status", "cost"),
    words=words("data.md", "### MediaRow"),
)
LIVE_STATE = Shape(
    "LiveState",
    "What Agora last said of the recorder. `unavailable` says why Agora could not be asked now.",
    {
        "status": _or_null("integer"),
        "meaning": str,
        "files": [str],
        "onhold": bool,
        "as_of": str,
        "unavailable": str,
    },
)
RECORDING_DETAIL = Shape(
    "RecordingDetail",
    "A recording with its media objects.",
    {**RECORDING.fields, "retryable": bool, "media": [MEDIA_OBJECT], "cost": COST, "live": LIVE_STATE},
    (*RECORDING.required, "media", "cost"),
    RECORDING.words,
)
MEDIA_SUMMARY = Shape(
    "MediaSummary",
    "A media object as a list shows it.",
    {
        "media_id": str,
        **dict.fromkeys(Summary.__annotations__, str),
        **_WHY,
        "status": _MEDIA_STATUS,
        "retryable": bool,
    },
    ("media_id", "key", "status"),
)
LISTED_RECORDING = Shape(
    "ListedRecording",
    "A recording as a list shows it. `media` names 10 media objects at most, `media_counts` counts all by status.",
    {
        **{name: RECORDING.fields[name] for name in (*LISTED, "insights")},
        "retryable": bool,
        "media": [MEDIA_SUMMARY],
        "media_counts": _COUNTS,
    },
    ("recording_id", "status", "created_at", "updated_at", "insights", "media", "media_counts"),
    RECORDING.words,
)
RECORDINGS_PAGE = Shape(
    "RecordingsPage",
    "A page of recordings, newest first. The last page has no cursor. With `updated_since` they are in the order of "
    "their changes, and there is always a cursor. `more` says whether the next call may be made at once.",
    {"recordings": [LISTED_RECORDING], "cursor": str, "more": bool},
    ("recordings",),
)
STOPPED = Shape(
    "StoppedRecording",
    "The status of a recording that was asked to stop.",
    {"recording_id": _ID, "status": _RECORDING_STATUS, **_WHY},
    ("recording_id", "status"),
)
_LINE = Shape.of_part(
    Utterance,
    without=("number",),
    words=[Shape.of_part(Word)],
    id=str,
    speaker_name=str,
    corrected={"const": True},
    original=Shape(
        "OriginalLine", "What the provider had where a line is corrected.", {"text": str, "speaker": str}, ("text",)
    ),
)
_TALK = Shape(
    "TalkOfSpeaker",
    "How often and how long a speaker speaks. Without a uid, a speaker is one of a media object.",
    {"speaker": str, "speaker_name": str, "media_id": str, "turns": int, "talk_ms": int},
    ("speaker", "turns"),
)
ERASING = Shape(
    "Erasing",
    "A recording that is being erased, and the id of the receipt that will be left of it.",
    {"recording_id": _ID, "status": _one_of(ERASING_STATUS), "receipt_id": str},
    ("recording_id", "status", "receipt_id"),
)
_EVIDENCE: Mapping[str, Any] = {"source": str, "evidence": [str]}
_PROVED = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def _part(kind: str, part: type) -> Shape:
    """An entry of a list; one that a model may derive as well has its source, and from a model its evidence."""
    shape = Shape.of_part(part)
    if kind not in LISTED_KINDS:
        return shape
    return replace(shape, fields={**shape.fields, **_EVIDENCE}, required=(*shape.required, "source"))


_CHAPTER = Shape(
    "Chapter",
    "A part of the conversation, and when it begins in milliseconds.",
    {"text": str, "start_ms": int, **_EVIDENCE},
    ("text", "source"),
)
_DECISION = Shape("Decision", "What was decided.", {"text": str, **_EVIDENCE}, ("text", "source"))
_DERIVED = Shape(
    "Derived",
    "How a model derived insights from the transcript.",
    {
        "state": _one_of(*STATES),
        **{name: get_type_hints(DerivedRow)[name] for name in FIGURES},
        "reason_code": _CODE,
        "dropped": _COUNTS,
        "evidence": {"type": "object", "properties": dict.fromkeys(SINGLE, _PROVED), "additionalProperties": _PROVED},
    },
    ("state",),
    words("api.md", "#### What a model derives"),
)
_PARTS = {
    **{kind: [_part(kind, part)] for kind, part in LISTS.items()},
    "chapters": [_CHAPTER],
    "decisions": [_DECISION],
}
INSIGHTS = Shape(
    "Insights",
    "Transcript and insights of a recording. `cursor` leads to the rest of the transcript.",
    {
        "recording_id": _ID,
        "status": _RECORDING_STATUS,
        **_WHY,
        **_STATE,
        "provider": str,
        "transcript": [_LINE],
        "title": str,
        "short_summary": str,
        "summary": str,
        **_PARTS,
        "sentiment": Number,
        "speakers": [_TALK],
        "corrected_at": str,
        "language": str,
        "ratings": Mapping[str, Any],
        "missing": [str],
        "derived": _DERIVED,
        "cursor": str,
    },
    ("recording_id", "status", "insights", "provider", "transcript", *_PARTS, "ratings"),
    words("api.md", "### GET /recordings/{recording_id}/insights"),
)
SYNCED_RECORDING = Shape(
    "SyncedRecording",
    "A recording that ended, with its insights. One that is too long for an answer has `read_at` in place of them, the "
    "path where they are read page by page. One that was erased has an id and a status.",
    {
        **{name: INSIGHTS.fields[name] for name in INSIGHTS.fields if name != "cursor"},
        "status": _one_of(*ENDED, "erased"),
        "channel": str,
        "created_at": _MOMENT,
        **{name: RECORDING.fields[name] for name in SYNCED},
        "read_at": str,
    },
    ("recording_id", "status"),
    {**RECORDING.words, **INSIGHTS.words},
)
SYNC_PAGE = Shape(
    "SyncPage",
    "Recordings that ended or were erased, in the order of their changes. The cursor goes on for ever. `more` says "
    "whether the next call may be made at once.",
    {"recordings": [SYNCED_RECORDING], "cursor": str, "more": bool},
    ("recordings", "cursor", "more"),
)
_MEDIA_LINK = Shape(
    "MediaLink",
    "A link to play a media object. Times are milliseconds.",
    {
        "media_id": str,
        "url": {"type": "string", "format": "uri"},
        "expires_at": str,
        "content_type": str,
        "offset_ms": int,
        "duration_ms": int,
        "uid": str,
        "speaker_name": str,
    },
    ("media_id", "url", "expires_at", "content_type"),
    words("api.md", "### GET /recordings/{recording_id}/media"),
)
MEDIA_LINKS = Shape(
    "MediaLinks",
    "Links to play what was recorded, in the order of the transcript.",
    {"recording_id": _ID, "media": [_MEDIA_LINK], "media_deleted_at": _MOMENT},
    ("recording_id", "media"),
)
_BEGUN = Shape(
    "BegunTry",
    "A try that began.",
    {"media_id": str, "from": _one_of("saved", "job", "media"), "provider": _PROVIDER, "try": int},
    ("media_id", "provider"),
)
_NOT_RETRIED = Shape(
    "NotRetried",
    "A media object that was not retried, and why.",
    {"media_id": str, "reason": str},
    ("media_id", "reason"),
)
RETRIED = Shape(
    "RetriedRecording",
    "What a retry of a recording began. `remaining` media objects were not looked at: call again.",
    {"recording_id": _ID, "media": [_BEGUN], "not_retried": [_NOT_RETRIED], "remaining": int},
    ("recording_id", "media", "not_retried", "remaining"),
)
ADMITTED = Shape(
    "AdmittedObject",
    "An object that was taken.",
    {"recording_id": _ID, "media_id": str, "execution": str},
    ("recording_id", "media_id"),
)
_RETRY_COUNTS = Shape(
    "RetryCounts",
    "Media objects of a retry of many.",
    {"seen": int, "begun": int, "refused": _COUNTS},
    ("seen", "begun"),
)
RETRY = Shape(
    "Retry",
    "A retry of many media objects.",
    {
        **{name: RetryRow.__annotations__[name] for name in ("retry_id", "reason", "started_by", "canceled_by")},
        "status": _one_of("queued", "running", "done", "canceled", "failed"),
        "requested_at": str,
        "until": str,
        "ended_at": str,
        "filters": Mapping[str, Any],
        "counts": _RETRY_COUNTS,
    },
    ("retry_id", "status", "requested_at", "until", "filters", "counts"),
    words("data.md", "### RetryRow"),
)
RETRIES = Shape("Retries", "The last retries of many, newest first.", {"retries": [RETRY]}, ("retries",))
DRY_RUN = Shape(
    "DryRun",
    "What a retry of many would begin and refuse. `at_least` is true if there was no time to see all.",
    {"dry_run": {"const": True}, "media": int, "refused": _COUNTS, "at_least": bool},
    ("dry_run", "media", "refused", "at_least"),
)
PROVIDER = Shape(
    "Provider",
    "A provider of the stack: slots, queue, health, and what an operator has changed.",
    {
        "provider": _PROVIDER,
        "paused": bool,
        "slots": _COUNT,
        "slots_used": int,
        "health": _one_of("closed", "open", "half_open"),
        "since": str,
        "reason_code": _CODE,
        "reason": str,
        "retry_at": str,
        "queued": int,
        "oldest_queued_at": {"type": ["string", "null"], "format": "date-time"},
        "changed_at": str,
        "changed_by": str,
    },
    ("provider", "paused", "slots", "slots_used", "health", "queued", "oldest_queued_at"),
)
PROVIDERS_LIST = Shape(
    "Providers",
    "The providers of the stack, the default one first, and those of media objects by the prefix of their key.",
    {
        "providers": [PROVIDER],
        "prefixes": {"type": "object", "additionalProperties": {"type": "array", "items": _PROVIDER}},
    },
    ("providers", "prefixes"),
)
SUBSCRIPTION = Shape.of_row(
    "Subscription",
    SubscriptionRow,
    without=INTERNAL_OF_SUBSCRIPTION,
    more={"subscription_id": _ID, "url": {"type": "string", "format": "uri"}, "events": [_EVENT]},
    required=("subscription_id", "url", "events", "active", "active_since", "created_at", "updated_at"),
    words=words("data.md", "### SubscriptionRow"),
)
NEW_SECRET = Shape(
    "NewSecret",
    "A subscription with its new secret, which no other answer shows.",
    {**SUBSCRIPTION.fields, "secret": {"type": "string", "pattern": "^whsec_[A-Za-z0-9+/=]+$"}},
    (*SUBSCRIPTION.required, "secret"),
    {**SUBSCRIPTION.words, "secret": "signs the events"},
)
SUBSCRIPTIONS = Shape(
    "Subscriptions", "All subscriptions, oldest first.", {"subscriptions": [SUBSCRIPTION]}, ("subscriptions",)
)
DELIVERY = Shape.of_row(
    "Delivery",
    DeliveryRow,
    without=INTERNAL_OF_DELIVERY,
    more={"status": _one_of("pending", "delivered", "failed"), "type": {"type": "string"}},
    required=("delivery_id", "event_id", "type", "status", "tries", "created_at"),
    words=words("data.md", "### DeliveryRow"),
)
DELIVERIES = Shape(
    "Deliveries",
    "A page of the deliveries of a subscription, newest first. The last page has no cursor.",
    {"deliveries": [DELIVERY], "cursor": str},
    ("deliveries",),
)
PROBLEM = Shape(
    "Problem",
    "Why a request was refused or failed (RFC 9457). `field` names what is wrong in the request.",
    {
        "type": {
            "type": "string",
            "x-extensible-enum": [
                f"urn:recording-insights:problem:{kind}"
                for kind in sorted({UNEXPECTED.kind, *(k for _, k, _ in PROBLEMS.values())})
            ],
        },
        "title": str,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": str,
        "field": str,
        "agora_code": _or_null("integer"),
        "receipt": {"type": "object", "required": ["receipt_id"], "properties": {"receipt_id": {"type": "string"}}},
        "request_id": _or_null("string"),
    },
    ("type", "title", "status", "detail", "request_id"),
)
GATEWAY_MESSAGE = Shape(
    "GatewayMessage", "What API Gateway itself says of a request that it refuses.", {"message": _or_null("string")}
)
