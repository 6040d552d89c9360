"""Keys of the insights table: one partition per recording, and single items that lead to a recording.

pk              sk                                  item
<recording id>  RECORDING                           the recording and its status
<recording id>  MEDIA#<media id>                    one media object and its job
<recording id>  RECORDER                            what Agora last said of the recorder
<recording id>  CONTENT#<checksum>                  the media objects that hold this content
<recording id>  TRANSCRIPT#<media id>#<try>#<page>  up to 64 KB of utterances
<recording id>  TRANSCRIPT#<media id>#<try>#<page>#<line>  a correction of a line of the page
<recording id>  INSIGHT#<media id>#<try>#<kind>#<number>  one topic, action item, …
<recording id>  DERIVED                             what a model derived from the transcript, and its turn at the model
<recording id>  STATEMENT#<digest>#<kind>#<number>  one statement that was derived
<recording id>  TRY#<media id>#<try>                an earlier try of a media object
<recording id>  ERASE                               what an erase that runs has deleted so far
<recording id>  RECEIPT                             what was deleted of an erased recording, and what could not be
<recording id>  JOBS                                how many jobs of the recording were submitted, if there is a cap
DAY#<date>      JOBS                                how many jobs were submitted on a day, if there is a cap
CHANNEL#<name>  CLAIM                               the recording that the channel belongs to, and until when
CALLBACK#<provider>#<key>  CALLBACK                 the media object of a job, by the vendor's id of the job
CALLBACK#<provider>#<digest>  ERASED                a job of an erased recording, whose result may come late
REFERENCE#<reference>  <created_at>#<recording id>   a recording with this reference of its caller
SID#<sid>       SID                                 the recording of a recorder, by the recorder's sid; kept for 30 days
NOTICE#<id>     NOTICE                              a notification of Agora's that was processed; kept for 7 days
SWEEP           SWEEP                               since when the sweep runs, and how far it has come
INTAKE          INTAKE                              that an operator has paused the intake
RETRIES         RETRY#<retry id>                    a retry of many media objects; kept for 90 days
RETRIES         LATEST                              the retry of many that was opened last
SUBSCRIPTIONS   SUBSCRIPTION#<subscription id>      a receiver of events, with its secret
SUBSCRIPTION#<subscription id>  DELIVERY#<delivery id>  an event for a subscription, and its tries; kept for 14 days
<recording id>  DELIVERY#<subscription id>#<delivery id>  a delivery about the recording; kept for 14 days
PACE#<provider>#<kind>  JOB#<place>                 how long a job of this kind took; kept for 90 days
PROVIDER#<name>  AT#SLOT#<number>                   who has one job at the provider, and until when at the latest
PROVIDER#<name>  AT#HEALTH                          since when the provider takes nothing, and when it is tried again
PROVIDER#<name>  AT#BRAKE                           what an operator has changed: paused, or the number of slots
PROVIDER#<name>  QUEUE#<class>#<since>#<media id>   a media object that waits for its turn at the provider
"""

from hashlib import sha256
from zlib import crc32

PARTITION = "pk"
SORT = "sk"
STATUS_INDEX = "by_status"
STATUS_INDEX_HASH = "status"
STATUS_INDEX_RANGE = "created_at"
"""Only RECORDING items have both, so the index lists recordings and nothing else."""
TIME_INDEX = "by_time"
TIME_INDEX_HASH = SORT
TIME_INDEX_RANGE = "created_at"
"""RECORDING items have it, and receipts, which are under another hash. A change of status leaves an entry of this index
in its place."""
CHANGE_INDEX = "by_change"
CHANGE_INDEX_HASH = "change_shard"
CHANGE_INDEX_RANGE = "change_place"
"""Only RECORDING and RECEIPT items have both: see `change_of_row`. An entry has these two and the item's key."""
CHANGE_SHARDS = ("0", "1", "2", "3")
"""A change of an item writes two entries. DynamoDB writes 1,000 units per second into one partition of an index."""

EXPIRES_AT = "expires_at"
"""Unix seconds; DynamoDB deletes an item some time after."""

RECORDING = "RECORDING"
RECEIPT = "RECEIPT"
"""What is left of a recording that was erased."""
RECORDER = "RECORDER"
ERASE = "ERASE"
MEDIA_PREFIX = "MEDIA#"
TRANSCRIPT_PREFIX = "TRANSCRIPT#"
CONTENT_PREFIX = "CONTENT#"
INSIGHT_PREFIX = "INSIGHT#"
TRY_PREFIX = "TRY#"
DERIVED = "DERIVED"
STATEMENT_PREFIX = "STATEMENT#"
REFERENCE_PREFIX = "REFERENCE#"
RETRIES = "RETRIES"
RETRY_PREFIX = "RETRY#"
JOBS = "JOBS"
SUBSCRIPTIONS = "SUBSCRIPTIONS"
SUBSCRIPTION_PREFIX = "SUBSCRIPTION#"
DELIVERY_PREFIX = "DELIVERY#"

STANDING_PREFIX = "AT#"
SLOT_PREFIX = "AT#SLOT#"
HEALTH = "AT#HEALTH"
BRAKE = "AT#BRAKE"
QUEUE = "QUEUE#"
FRESH = "QUEUE#0#"
"""Places of media objects in their first try."""
AGAIN = "QUEUE#1#"
"""Places of retries."""

SWEEP_KEY = {PARTITION: "SWEEP", SORT: "SWEEP"}
"""Key of the one row of the sweep."""
INTAKE_KEY = {PARTITION: "INTAKE", SORT: "INTAKE"}
"""Key of the one row of the intake. It is there while the intake is paused."""
LATEST_RETRY_KEY = {PARTITION: RETRIES, SORT: "LATEST"}
"""Key of the row that names the latest retry of many media objects."""


def recording_key(recording_id: str) -> dict[str, str]:
    """Key of the recording's own item."""
    return {PARTITION: recording_id, SORT: RECORDING}


def change_of_row(recording_id: str, changed_at: str) -> dict[str, str]:
    """Attributes that put a recording, or what is left of it, among the changes; each write of the row sets them.

    No two recordings share a place, and places sort by time.
    """
    shard = CHANGE_SHARDS[crc32(recording_id.encode()) % len(CHANGE_SHARDS)]
    return {CHANGE_INDEX_HASH: shard, CHANGE_INDEX_RANGE: f"{changed_at}#{recording_id}"}


def erase_key(recording_id: str) -> dict[str, str]:
    """Key of what an erase has deleted so far."""
    return {PARTITION: recording_id, SORT: ERASE}


def receipt_key(recording_id: str) -> dict[str, str]:
    """Key of the receipt of an erased recording."""
    return {PARTITION: recording_id, SORT: RECEIPT}


def erased_job_key(provider: str, key: str) -> dict[str, str]:
    """Key of the mark of a job of an erased recording. It holds a digest in place of the vendor's id of the job."""
    digest = sha256(f"{provider}#{key}".encode()).hexdigest()
    return {PARTITION: f"CALLBACK#{provider}#{digest}", SORT: "ERASED"}


def derived_key(recording_id: str) -> dict[str, str]:
    """Key of what was derived from a recording."""
    return {PARTITION: recording_id, SORT: DERIVED}


def statement_key(recording_id: str, digest: str, kind: str, number: int) -> dict[str, str]:
    """Key of a statement, from 1."""
    return {PARTITION: recording_id, SORT: f"{STATEMENT_PREFIX}{digest}#{kind}#{number:04d}"}


def recorder_key(recording_id: str) -> dict[str, str]:
    """Key of what Agora last said of the recording's recorder."""
    return {PARTITION: recording_id, SORT: RECORDER}


def media_key(recording_id: str, media_id: str) -> dict[str, str]:
    """Key of one media object of a recording."""
    return {PARTITION: recording_id, SORT: f"{MEDIA_PREFIX}{media_id}"}


def try_key(recording_id: str, media_id: str, number: int) -> dict[str, str]:
    """Key of one earlier try of a media object; tries are numbered from 0, and their keys sort in order."""
    return {PARTITION: recording_id, SORT: f"{TRY_PREFIX}{media_id}#{number:03d}"}


def transcript_key(recording_id: str, media_id: str, number: int, page: int) -> dict[str, str]:
    """Key of one transcript page of a try; pages are numbered from 1, and their keys sort in order."""
    return {PARTITION: recording_id, SORT: f"{TRANSCRIPT_PREFIX}{media_id}#{number:03d}#{page:04d}"}


def correction_key(recording_id: str, media_id: str, number: int, page: int, line: int) -> dict[str, str]:
    """Key of the correction of a line, which is read with its page; lines are numbered from 1 within the transcript."""
    page_key = transcript_key(recording_id, media_id, number, page)
    return {**page_key, SORT: f"{page_key[SORT]}#{line:06d}"}


def insight_key(recording_id: str, media_id: str, number: int, kind: str, place: int) -> dict[str, str]:
    """Key of one insight of a try; the places of a kind count from 1, and the keys sort in order."""
    return {PARTITION: recording_id, SORT: f"{INSIGHT_PREFIX}{media_id}#{number:03d}#{kind}#{place:04d}"}


def content_key(recording_id: str, checksum: str) -> dict[str, str]:
    """Key of the item that leads from a content to the media objects of the recording that hold it."""
    return {PARTITION: recording_id, SORT: f"{CONTENT_PREFIX}{checksum}"}


def reference_key(reference: str, created_at: str, recording_id: str) -> dict[str, str]:
    """Key of the item that leads from a caller's reference to one of its recordings; the keys sort by time."""
    return {PARTITION: f"{REFERENCE_PREFIX}{reference}", SORT: f"{created_at}#{recording_id}"}


def claim_key(channel: str) -> dict[str, str]:
    """Key of a channel's claim."""
    return {PARTITION: f"CHANNEL#{channel}", SORT: "CLAIM"}


def jobs_of_recording_key(recording_id: str) -> dict[str, str]:
    """Key of the count of a recording's jobs."""
    return {PARTITION: recording_id, SORT: JOBS}


def jobs_of_day_key(day: str) -> dict[str, str]:
    """Key of the count of a day's jobs; the day is a date such as 2026-11-28, in UTC."""
    return {PARTITION: f"DAY#{day}", SORT: JOBS}


def callback_key(provider: str, key: str) -> dict[str, str]:
    """Key of the item that leads from a vendor's id of a job to the media object."""
    return {PARTITION: f"CALLBACK#{provider}#{key}", SORT: "CALLBACK"}


def sid_key(sid: str) -> dict[str, str]:
    """Key of the item that leads from a recorder's sid to its recording."""
    return {PARTITION: f"SID#{sid}", SORT: "SID"}


def notice_key(notice_id: str) -> dict[str, str]:
    """Key of the item that marks a notification as processed."""
    return {PARTITION: f"NOTICE#{notice_id}", SORT: "NOTICE"}


def retry_key(retry_id: str) -> dict[str, str]:
    """Key of a retry of many media objects; ids begin with the time, so that keys sort by it."""
    return {PARTITION: RETRIES, SORT: f"{RETRY_PREFIX}{retry_id}"}


def subscription_key(subscription_id: str) -> dict[str, str]:
    """Key of a subscription."""
    return {PARTITION: SUBSCRIPTIONS, SORT: f"{SUBSCRIPTION_PREFIX}{subscription_id}"}


def deliveries_of(subscription_id: str) -> str:
    """Partition of a subscription's deliveries."""
    return f"{SUBSCRIPTION_PREFIX}{subscription_id}"


def delivery_key(subscription_id: str, delivery_id: str) -> dict[str, str]:
    """Key of a delivery; ids begin with the time of the event, so that keys sort by it."""
    return {PARTITION: deliveries_of(subscription_id), SORT: f"{DELIVERY_PREFIX}{delivery_id}"}


def delivery_place_key(recording_id: str, subscription_id: str, delivery_id: str) -> dict[str, str]:
    """Key of the item that leads from a recording to a delivery about it."""
    return {PARTITION: recording_id, SORT: f"{DELIVERY_PREFIX}{subscription_id}#{delivery_id}"}


def finished_jobs_of(provider: str, kind: str) -> str:
    """Partition of the finished jobs of one kind at a provider."""
    return f"PACE#{provider}#{kind}"


def finished_job_key(provider: str, kind: str, place: int) -> dict[str, str]:
    """Key of one finished job; places count from 0."""
    return {PARTITION: finished_jobs_of(provider, kind), SORT: f"JOB#{place:02d}"}


def provider_of_turns(provider: str) -> str:
    """Partition of a provider's slots, queue, health and brake."""
    return f"PROVIDER#{provider}"


def turn_key(provider: str, sort: str) -> dict[str, str]:
    """Key of an item of a provider's turns."""
    return {PARTITION: provider_of_turns(provider), SORT: sort}


def slot_of_key(sort: str) -> int:
    """The number of a slot, from its sort key."""
    return int(sort.removeprefix(SLOT_PREFIX))
