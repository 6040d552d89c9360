"""Rows of the insights table: one type per kind of row, which is also the documented schema (docs/data.md).

Every attribute may be absent; what is always there is written by the row's first write. Keys are in `keys`. Moments
are texts in ISO 8601, UTC, with microseconds (`…_at`, `since`) or Unix seconds (`…_until`, `expires_at`); lengths and
positions are whole milliseconds (`…_ms`). Numbers are int or float: the store decodes and encodes them.

`…Changes` are the attributes that change after the first write. None removes an attribute.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

Job = Mapping[str, Any]
"""A provider's own ids of a job, by the adapter's names."""


Speakers = Mapping[str, str | Mapping[str, str]]
"""Names by uid or by the provider's label; under the id of a media object, names by label for it alone."""


class Summary(TypedDict, total=False):
    """A media object as its recording's row names it, for lists."""

    key: str
    status: str
    stage: str
    reason: str
    reason_code: str


class UploadedFile(TypedDict, total=False):
    """The one file of a recording that a caller uploads: where it comes to lie, and what was said of it.

    `name` is the caller's. `size` is in bytes. `checksum` is the SHA-256 in base64, if the caller gave it.
    """

    key: str
    name: str
    size: int
    content_type: str
    checksum: str


class Derivation(TypedDict, total=False):
    """What a model is to derive from a recording: what is absent is the stage's."""

    kinds: Sequence[str]
    language: str
    prompt: str


class RecordingChanges(TypedDict, total=False):
    """What changes of a recording. `None` removes an attribute."""

    # What the recording is
    status: str | None
    reason: str | None
    reason_code: str | None
    stage: str | None
    sid: str | None
    resource_id: str | None
    media: Mapping[str, Summary] | None
    media_counts: Mapping[str, int] | None
    duration_ms: int | None
    insight_counts: Mapping[str, int] | None
    speakers: Speakers | None
    reference: str | None
    metadata: Mapping[str, str] | None
    upload_expires_at: str | None
    # What a change through the API sets
    subscribe_audio_uids: Any
    subscribe_video_uids: Any
    unsubscribe_audio_uids: Any
    unsubscribe_video_uids: Any
    transcoding: Mapping[str, Any] | None
    onhold: bool | None
    rtmp_url: str | None
    changed_by: str | None
    # What the recorder did, and when
    stop_requested_at: str | None
    stopped_by: str | None
    stopped_at: str | None
    ended_by: str | None
    start_failed_at: str | None
    complete_at: str | None
    backed_up_at: str | None
    corrected_at: str | None
    corrections: int | None
    credentials_renewed_at: str | None
    watch_reason: str | None
    agora_error: Mapping[str, Any] | None
    # What a model is to derive, and what came of it
    derivation: Derivation | None
    derivations: int | None
    insights: str | None
    insights_reason: str | None
    insights_code: str | None


class RecordingRow(TypedDict, total=False):
    """A recording: one start of a recorder in a channel, one upload, or one file dropped by hand."""

    pk: str
    sk: str
    recording_id: str
    status: str
    reason: str
    reason_code: str
    stage: str
    created_at: str
    updated_at: str
    version: int
    change_shard: str
    change_place: str
    # From the request
    channel: str
    uid: str
    mode: str
    provider: str
    failover: Sequence[str]
    options: Mapping[str, Any]
    max_hours: int
    speakers: Speakers
    apart_from: Sequence[str]
    consent: str
    reference: str
    metadata: Mapping[str, str]
    derivation: Derivation
    file: UploadedFile
    upload_expires_at: str
    fingerprint: str
    started_by: str
    changed_by: str
    # From the request, for Agora
    region: str
    region_affinity: int
    announce_start: bool
    channel_type: str
    max_idle_seconds: int
    decryption: Mapping[str, Any]
    correct_extinf: bool
    ntp_timestamps: bool
    audio_only: bool
    video_stream_type: str
    subscribe_audio_uids: Any
    subscribe_video_uids: Any
    unsubscribe_audio_uids: Any
    unsubscribe_video_uids: Any
    audio_profile: int
    transcoding: Mapping[str, Any]
    stream_mode: str
    expected_uids: int
    snapshots: Mapping[str, Any]
    url: str
    video_width: int
    video_height: int
    video_bitrate: int
    video_fps: int
    max_recording_hours: int
    max_video_minutes: int
    onhold: bool
    ready_timeout_seconds: int
    mobile: bool
    rtmp_url: str
    # From Agora
    sid: str
    resource_id: str
    prefix: str
    agora_error: Mapping[str, Any]
    fail_overs: int
    counted_fail_overs: set[str]
    # Its life
    stop_requested_at: str
    stopped_by: str
    stopped_at: str
    ended_by: str
    start_failed_at: str
    complete_at: str
    backed_up_at: str
    credentials_renewed_at: str
    changing_until: int
    watch_reason: str
    corrected_at: str
    corrections: int
    media: Mapping[str, Summary]
    media_counts: Mapping[str, int]
    duration_ms: int
    insight_counts: Mapping[str, int]
    # What a model derives
    derivations: int
    insights: str
    insights_reason: str
    insights_code: str
    # Its retention
    media_deleted_at: str
    media_runs: int
    segments_deleted_at: str
    segments_runs: int
    # Its erase
    erasing_since: str
    erased_by: str
    receipt_id: str
    erase_runs: int


class GivenUp(TypedDict, total=False):
    """A job that another one has replaced, and why, as earlier versions kept it in the row of the media object."""

    provider: str
    job: Job
    reason: str
    at: str


class PreparedFile(TypedDict):
    """The one file that was made of a track's segments, or of a file in another format; `size` in bytes."""

    key: str
    etag: str
    size: int


class Talk(TypedDict, total=False):
    """How often a speaker speaks, and for how long in all."""

    turns: int
    talk_ms: int


class Outline(TypedDict, total=False):
    """What has to be known of a transcript before it is read: the number of lines of each page, and more.

    `starts_ms` has the start of each page, if the start of every line is known. `scored` and `sentiments` are the two
    sums that the mean sentiment follows from, the second one as a text. `talk` is by the provider's label.
    """

    lines: Sequence[int]
    starts_ms: Sequence[int]
    is_sorted: bool
    ends_ms: int
    scored: int
    sentiments: str
    talk: Mapping[str, Talk]


class MediaChanges(TypedDict, total=False):
    """What changes of a media object. `None` removes an attribute."""

    # What it is
    copied_etag: str | None
    swept_at: str | None
    # Its state
    status: str | None
    stage: str | None
    reason: str | None
    reason_code: str | None
    waiting_since: str | None
    finished_at: str | None
    empty: bool | None
    # The present try
    try_number: int | None
    shown_try: int | None
    began_from: str | None
    retried_by: str | None
    canceled_by: str | None
    options: Mapping[str, Any] | None
    tried: Sequence[str] | None
    execution: str | None
    executions: int | None
    # The provider and its job
    provider: str | None
    residency: str | None
    job: Job | None
    job_number: int | None
    asking: str | None
    unconfirmed: str | None
    submitted_at: str | None
    expected_seconds: float | None
    expected_spread: float | None
    slot: int | None
    queue_place: str | None
    first_turn_at: str | None
    given_up: Sequence[GivenUp] | None
    renewals: int | None
    repeats: int | None
    polls: int | None
    not_found_at: str | None
    last_word: str | None
    # The callback
    callback_at: str | None
    callback_refusal: str | None
    callback_job: Job | None
    delivery: str | None
    task_token: str | None
    # The result
    reply: str | None
    missing: Sequence[str] | None
    counts: Mapping[str, int] | None
    outline: Outline | None
    words: str | None
    # What it takes of AWS
    transitions: int | None
    calls: int | None
    transitions_before: int
    calls_before: int
    # The file that is made of a track, or of a file in another format
    being_made: str | None
    went_on: str | None
    quiet_since: str | None
    prepared: PreparedFile | None
    unprepared: str | None
    duration_ms: int | None
    silent_ms: int | None
    incomplete: str | None
    starts_at_ms: int | None
    ends_at_ms: int | None


class MediaRow(TypedDict, total=False):
    """A media object: one object in S3, or one track, that is submitted as one job."""

    pk: str
    sk: str
    recording_id: str
    media_id: str
    # What it is
    bucket: str
    key: str
    etag: str
    copied_etag: str
    checksum: str
    copies: set[str]
    swept_at: str
    size: int
    format: str
    sequencer: str
    part: int
    uid: str
    continues: str
    continuation: int
    continues_at_ms: int
    recovered: bool
    offset_ms: int
    duration_ms: int
    arrived_at: str
    admitted_by: str
    # Its state
    status: str
    stage: str
    reason: str
    reason_code: str
    waiting_since: str
    finished_at: str
    empty: bool
    # The present try
    try_number: int
    shown_try: int
    began_from: str
    retried_by: str
    canceled_by: str
    options: Mapping[str, Any]
    tried: Sequence[str]
    execution: str
    executions: int
    # The provider and its job
    provider: str
    residency: str
    job: Job
    job_number: int
    asking: str
    unconfirmed: str
    submitted_at: str
    expected_seconds: float
    expected_spread: float
    slot: int
    queue_place: str
    first_turn_at: str
    given_up: Sequence[GivenUp]
    renewals: int
    repeats: int
    polls: int
    not_found_at: str
    last_word: str
    # The callback
    callback_at: str
    callback_refusal: str
    callback_job: Job
    delivery: str
    task_token: str
    # The result
    reply: str
    missing: Sequence[str]
    counts: Mapping[str, int]
    outline: Outline
    words: str
    # What it takes of AWS
    transitions: int
    calls: int
    transitions_before: int
    calls_before: int
    other_calls: int
    # The file that is made of a track, or of a file in another format
    being_made: str
    went_on: str
    quiet_since: str
    prepared: PreparedFile
    unprepared: str
    silent_ms: int
    incomplete: str
    starts_at_ms: int
    ends_at_ms: int


class TryRow(TypedDict, total=False):
    """An earlier try of a media object: one provider's work, with one job at most.

    `status` is done, failed or given up. `paid_ms` is the length of the media that the provider accepted.
    """

    pk: str
    sk: str
    recording_id: str
    media_id: str
    number: int
    # How it began
    began_from: str
    retried_by: str
    canceled_by: str
    provider: str
    options: Mapping[str, Any]
    execution: str
    waiting_since: str
    # The job
    residency: str
    job: Job
    job_number: int
    submitted_at: str
    paid_ms: int
    renewals: int
    polls: int
    last_word: str
    callback_at: str
    callback_job: Job
    delivery: str
    # How it ended
    status: str
    ended_at: str
    stage: str
    reason: str
    reason_code: str
    reply: str
    missing: Sequence[str]
    counts: Mapping[str, int]
    outline: Outline
    words: str


class EraseRow(TypedDict, total=False):
    """What an erase that runs has deleted so far.

    `deleted_jobs` are the jobs whose copies the providers have deleted, `kept_jobs` those whose copies they keep, each
    as provider, digest of the job, and for the latter the code why, with a colon between.
    """

    pk: str
    sk: str
    media_objects: int
    prepared_objects: int
    reply_objects: int
    delivery_objects: int
    rows: int
    deleted_jobs: set[str]
    kept_jobs: set[str]
    recorder: str


class ReceiptRow(TypedDict, total=False):
    """What was deleted of an erased recording, and what could not be. It holds no personal data, and stays.

    `deleted` counts by place; objects count with all of their versions. `provider_copies` are the jobs whose copies
    were deleted, by provider. `not_deleted` says for each place what is left there, and why. `closed_at` is when files
    that came late were looked for, `late_objects` and `late_rows` are what was found and deleted then.
    """

    pk: str
    sk: str
    recording_id: str
    receipt_id: str
    created_at: str
    requested_at: str
    erased_at: str
    deleted: Mapping[str, int]
    provider_copies: Mapping[str, int]
    not_deleted: Sequence[Mapping[str, Any]]
    expires: Sequence[str]
    late_objects: int
    late_rows: int
    closed_at: str


class ErasedJobRow(TypedDict):
    """A job of an erased recording: a result that comes late under the vendor's id is deleted; kept for 30 days."""

    pk: str
    sk: str
    expires_at: int


class RecorderStateRow(TypedDict, total=False):
    """What Agora last said of a recorder: `status` (Agora's number, or None), `meaning`, `files`, `onhold`.

    `opened_at` is the `created_at` of the recording that it belongs to. Until `asked_until` (Unix seconds) nobody asks
    Agora again.
    """

    pk: str
    sk: str
    opened_at: str
    state: Mapping[str, Any]
    as_of: str
    asked_until: int


class TranscriptPageRow(TypedDict):
    """Up to 64 KB of utterances, each a map of `Utterance`'s fields. A longer one has a page for itself."""

    pk: str
    sk: str
    utterances: Sequence[Mapping[str, Any]]


class CorrectionRow(TypedDict, total=False):
    """What somebody wrote in the place of a line's text, of its speaker, or of both. The line stays as it is.

    `line` is the number of the line in the transcript of its media object's try, from 1.
    """

    pk: str
    sk: str
    line: int
    text: str
    speaker: str
    corrected_at: str
    corrected_by: str


class DerivedRow(TypedDict, total=False):
    """What a model derived from the recording's transcript, without the statements, which have items of their own.

    `digest` is that of the lines and of what was wanted of them. `number` is the `derivations` of the recording that it
    answers. `recording_id`, `media_id` (digest and number), `provider` (`bedrock`), `waiting_since` and `queue_place`
    are those of its turn at the model, as those of a media object at its provider.
    """

    pk: str
    sk: str
    recording_id: str
    media_id: str
    provider: str
    waiting_since: str
    queue_place: str
    state: str
    digest: str
    number: int
    execution: str
    model: str
    prompt_version: str
    kinds: Sequence[str]
    language: str
    ended_at: str
    reason: str
    reason_code: str
    missing: Sequence[str]
    dropped: Mapping[str, int]
    counts: Mapping[str, int]
    calls: int
    tokens_in: int
    tokens_out: int
    cents: float


class StatementRow(TypedDict, total=False):
    """One statement that was derived, as a map of `Statement`'s fields."""

    pk: str
    sk: str
    text: str
    evidence: Sequence[str]
    assignee: str
    due: str
    answer: str
    start_ms: int


class InsightRow(TypedDict, total=False):
    """One topic, action item, follow-up, question, emotion or entity; or, under `value`, a summary, sentiment,
    language or ratings."""

    pk: str
    sk: str
    text: str
    score: float
    assignee: str
    due: str
    priority: str
    answer: str
    emotion: str
    tone: str
    kind: str
    confidence: float
    start_ms: int
    end_ms: int
    value: Any


class ContentRow(TypedDict):
    """Which media objects of the recording hold a content, by the number of the part; "-" for one that is no part."""

    pk: str
    sk: str
    holders: Mapping[str, str]


class ClaimRow(TypedDict):
    """Which recording a channel belongs to, and until when (Unix seconds)."""

    pk: str
    sk: str
    recording_id: str
    claimed_until: int


class ReferenceRow(TypedDict):
    """A recording that has a caller's reference."""

    pk: str
    sk: str
    recording_id: str


class ProviderJobRow(TypedDict):
    """The media object of a job that a callback names by the provider's id only."""

    pk: str
    sk: str
    job_of_recording: str
    job_of_media: str


class FinishedJobRow(TypedDict):
    """How long a job took, divided by what the provider's built-in pace says; kept for 90 days.

    `at_first_poll`: the job was over at the first poll already, so that it took this time at most.
    """

    pk: str
    sk: str
    ratio: float
    at_first_poll: bool
    ended_at: str
    expires_at: int


class JobCountRow(TypedDict, total=False):
    """How many jobs of a recording, or of a day, were submitted, and how much media they had.

    Media of unknown length count as 0 ms.
    """

    pk: str
    sk: str
    jobs: int
    media_ms: int
    expires_at: int


class SlotRow(TypedDict, total=False):
    """A slot of a provider: who has a job there, and until when at the latest (Unix seconds).

    `holder` is recording id and media id with a blank between. `turns` counts how often the slot was taken.
    """

    pk: str
    sk: str
    holder: str
    until: int
    turns: int


class QueueRow(TypedDict, total=False):
    """A media object that waits for its turn at a provider."""

    pk: str
    sk: str
    recording_id: str
    media_id: str
    key: str
    queued_at: str
    called_at: str
    task_token: str


class HealthRow(TypedDict, total=False):
    """Why a provider takes nothing since `since`, and when its `prober` tries it again (`retry_at`, Unix seconds).

    The prober is empty until a media object comes that may try it. Without one, and without `place` and `retry_at`,
    the row is a doubt: the provider takes jobs, but its last submission is not confirmed.
    """

    pk: str
    sk: str
    since: str
    code: str
    reason: str
    failures: int
    prober: str
    place: str
    retry_at: int
    version: str


class BrakeRow(TypedDict, total=False):
    """What an operator has changed for a provider until further notice."""

    pk: str
    sk: str
    paused: bool
    slots: int
    changed_at: str
    changed_by: str


class RecorderNameRow(TypedDict):
    """The recording of a recorder that Agora names by its sid only; kept for 30 days."""

    pk: str
    sk: str
    recording_id: str
    expires_at: int


class NoticeRow(TypedDict):
    """A notification of Agora's that was processed; kept for 7 days."""

    pk: str
    sk: str
    expires_at: int


class SweepRow(TypedDict, total=False):
    """The one row of the sweep. `cursors` are the steps that were not finished, and where each goes on."""

    pk: str
    sk: str
    sweeping_since: str
    began_at: str
    swept_at: str
    sweeping_until: int
    cursors: Mapping[str, str]
    retained_at: str


class IntakeRow(TypedDict):
    """The one row of the intake. It is there while the intake is paused. `paused_by` is the ARN of the operator."""

    pk: str
    sk: str
    paused_at: str
    paused_by: str


class RetryCursor(TypedDict):
    """How far a retry of many has come: among the recordings of a `status`, at the recording of a `place` in the list.

    `media` is the key of the last media object of it that was looked at, or empty.
    """

    status: str
    place: str
    media: str


class RetryChanges(TypedDict, total=False):
    """What changes of a retry of many media objects. `None` removes an attribute."""

    status: str | None
    reason: str | None
    ended_at: str | None
    canceled_by: str | None
    cursor: RetryCursor | None
    pages: int | None
    seen: int | None
    begun: int | None
    refused: Mapping[str, int] | None


class RetryRow(TypedDict, total=False):
    """A retry of many media objects. `refused` counts by reason code. `filters` are the fields of the request."""

    pk: str
    sk: str
    retry_id: str
    status: str
    reason: str
    started_by: str
    canceled_by: str
    requested_at: str
    until: str
    ended_at: str
    filters: Mapping[str, Any]
    cursor: RetryCursor
    pages: int
    seen: int
    begun: int
    refused: Mapping[str, int]
    expires_at: int


class LatestRetryRow(TypedDict):
    """The retry of many media objects that was opened last. No other one may be at work."""

    pk: str
    sk: str
    retry_id: str


class SubscriptionChanges(TypedDict, total=False):
    """What changes of a subscription. `None` removes an attribute."""

    url: str | None
    events: Sequence[str] | None
    description: str | None
    active: bool | None
    active_since: str | None
    secret: str | None
    former_secret: str | None
    former_secret_until: int | None
    rotated_at: str | None
    failing_since: str | None
    disabled_at: str | None
    disabled_because: str | None
    changed_by: str | None


class SubscriptionRow(TypedDict, total=False):
    """A receiver of events. `former_secret` signs as well until `former_secret_until` (Unix seconds)."""

    pk: str
    sk: str
    subscription_id: str
    url: str
    events: Sequence[str]
    description: str
    active: bool
    active_since: str
    created_at: str
    updated_at: str
    started_by: str
    changed_by: str
    secret: str
    former_secret: str
    former_secret_until: int
    rotated_at: str
    failing_since: str
    disabled_at: str
    disabled_because: str


class DeliveryChanges(TypedDict, total=False):
    """What changes of a delivery. `None` removes an attribute."""

    status: str | None
    tries: int | None
    round: int | None
    status_code: int | None
    error: str | None
    tried_at: str | None
    next_try_at: str | None


class DeliveryRow(TypedDict, total=False):
    """An event for a subscription. `body` is what is sent. Each resend begins a new `round` of `tries`."""

    pk: str
    sk: str
    subscription_id: str
    delivery_id: str
    event_id: str
    type: str
    recording_id: str
    body: str
    status: str
    round: int
    tries: int
    status_code: int
    error: str
    created_at: str
    tried_at: str
    next_try_at: str
    expires_at: int


class DeliveryPlaceRow(TypedDict):
    """Leads from a recording to a delivery about it, for those who erase the recording."""

    pk: str
    sk: str
    subscription_id: str
    delivery_id: str
    expires_at: int
