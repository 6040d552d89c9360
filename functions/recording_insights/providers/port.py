"""What a conversation-insight provider is to the workflow.

An adapter is one class in one file that answers to `Provider`. It knows its vendor's words and nothing of the
workflow or the table. A job is a small mapping of the vendor's ids; it is kept on the row before anything waits,
so that a repeated step finds it instead of buying another.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from recording_insights.errors import CallbackForged
from recording_insights.http.edge import HttpMessage
from recording_insights.model.insights import Insights
from recording_insights.model.media_object import MediaObject
from recording_insights.providers.pacing import Pace
from recording_insights.providers.toolkit.json import parse_json

Job = Mapping[str, Any]
"""The vendor's ids; JSON values. `callback_key`, if there is one, is what a callback without our ids names it by."""


@dataclass(frozen=True)
class AwsService:
    """A provider that is a service of AWS, called with the functions' own roles and with the media's s3:// URI.

    `start` and `get` are its IAM actions: the first takes no resource and is bound by the two condition keys for the
    bucket and the key of its output, the second takes `job_resource`. When a job ends, EventBridge tells of it with
    `detail_type`, and `job_name` is where the event's detail names the job.
    """

    name: str
    start: str
    output_bucket: str
    output_key: str
    get: str
    job_resource: str
    detail_type: str
    job_name: str

    @property
    def event_source(self) -> str:
        """What EventBridge calls the service."""
        return f"aws.{self.name}"


@dataclass(frozen=True)
class Capabilities:
    """What a provider takes and how its results come; None means that the vendor names no limit.

    `takes` is how the media reaches it: by presigned URL, as bytes, or as an s3:// URI. `formats` are file suffixes
    without the dot, `languages` BCP 47 tags. `callback` says whether the vendor calls back at the end of a job and
    whether there is an end without; `result_by` whether a poll fetches the result or only a delivery brings it.
    `token_seconds` is the life of an access token, for vendors that have such.
    """

    takes: Literal["url", "bytes", "s3"]
    formats: frozenset[str]
    pace: Pace
    max_bytes: int | None = None
    max_minutes: int | None = None
    languages: frozenset[str] | None = None
    callback: Literal["none", "optional", "required"] = "none"
    result_by: Literal["poll", "delivery"] = "poll"
    token_seconds: int | None = None
    aws_service: AwsService | None = None


class MediaStream(Protocol):
    """The bytes of a media object as they come from S3, never all in memory; `len` is their number."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class CallbackAddress:
    """Where a vendor calls back for one job, and the token that proves that we told it so."""

    url: str
    token: str = field(repr=False)

    @property
    def secret_url(self) -> str:
        """For vendors that can prove themselves by nothing but the URL they call."""
        return f"{self.url}/{self.token}"


NO_CALLBACK = CallbackAddress("", "")
"""For providers that do not use our webhook."""


@dataclass(frozen=True)
class Delivery:
    """Where in our own bucket a vendor may lay its result; `make_link` presigns a PUT of it."""

    bucket: str
    key: str
    make_link: Callable[[], str]


@dataclass(frozen=True)
class Submission:
    """A media object on its way to a provider.

    `make_link` presigns in the call that uses the link, so that a repeat presents a new one. `title` is what the
    provider's own console shows; `name` (letters, digits, hyphens) is the same for every try of this job and
    another one for a job that replaces it.
    """

    title: str
    name: str
    media: MediaObject
    options: Mapping[str, Any]
    make_link: Callable[[], str]
    open_media: Callable[[], MediaStream]
    callback: CallbackAddress
    delivery: Delivery


@dataclass(frozen=True)
class CallbackRequest(HttpMessage):
    """A POST to our webhook, with the token in its path.

    `expected_token` is the token of the job in the path. It is empty if the path names no job.
    """

    path_token: str = ""
    expected_token: str = field(default="", repr=False)

    def prove(self, token: str) -> None:
        """Compare a token of the request with the expected one, in constant time.

        Raises:
            CallbackForged: the tokens differ, or no token is expected.
        """
        if not self.expected_token or not hmac.compare_digest(token.encode(), self.expected_token.encode()):
            raise CallbackForged("the callback's token is missing or wrong")

    def json_object(self, parse: Callable[[bytes], Any] = parse_json) -> dict[str, Any]:
        """The body as a JSON object in the form that DynamoDB accepts. Call it after the request is proven.

        Raises:
            InvalidRequest: the body is not JSON or not an object.
        """
        return super().json_object(parse)


@dataclass(frozen=True)
class Callback:
    """What an authentic callback says: `job` as far as the vendor names it, and whether the body is the result.

    `key` finds the media object by its job's `callback_key` when the path does not name the job.
    """

    job: Job
    is_result: bool = False
    key: str | None = None


@dataclass(frozen=True)
class JobState:
    """What a provider says of a job.

    A word that nobody knows is `running`: only known words end a wait. `word` is the vendor's own, `missing` names
    parts that failed while others succeeded, each with its reason.
    """

    phase: Literal["running", "succeeded", "failed"]
    word: str
    reason: str | None = None
    missing: Sequence[str] = ()


class Provider(Protocol):
    """The port. `submit`, `poll` and `fetch` call the vendor and may raise any `ProviderError`."""

    capabilities: Capabilities

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Hand the media over and return the job.

        `job` is what an earlier try kept, empty at first. `keep` stores a half-made job: whatever the vendor
        charges for is asked for only once. Raises `SubmissionUnconfirmed` when it may have been bought.
        """

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """The job's state; `delivered` is the result if it lies in our bucket already.

        Raises `MediaLinkExpired` when the provider came too late for the link.
        """

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """The vendor's whole reply for a job that succeeded, as it came: fetched, or what was delivered."""

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise a reply; pure, so that stored replies can be read again at any time."""


@runtime_checkable
class CallsBack(Protocol):
    """A provider whose vendor POSTs to our webhook at the end of a job."""

    def read_callback(self, request: CallbackRequest) -> Callback | None:
        """Verify a POST to our webhook and say what it tells; None for news that end nothing.

        Raises:
            CallbackForged: the vendor did not send it, or it was changed on the way.
            InvalidRequest: it is authentic and makes no sense.
        """
