"""The port between the workflow and a provider: the classes that both exchange, and the methods of an adapter.

An adapter is a class that implements `Provider`. It knows the API of its vendor, and neither the workflow nor the
table. Its job is a small map of the vendor's ids. The workflow keeps the job on the row before anything waits, so that
a repeated step finds the job and does not pay for another.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from recording_insights.errors import CallbackForged
from recording_insights.http.edge import HttpMessage
from recording_insights.model.insights import Insights
from recording_insights.model.media_object import MediaObject
from recording_insights.providers.pacing import Pace
from recording_insights.providers.toolkit.json import parse_json

Job = Mapping[str, Any]
"""The vendor's ids of one job, as JSON values. The row stores the map; only the adapter reads it.

| provider    | kept before the paid call                  | added after it              | if its response is lost     |
|-------------|--------------------------------------------|-----------------------------|-----------------------------|
| assemblyai  | `asked`: digests of the links, a list      | only `transcript_id`        | the list is searched        |
| deepgram    |                                            | `request_id`                | empty                       |
| marsview    | `transaction_id`                           | `request_ids`: model to id  | without `request_ids`       |
| ringcentral |                                            | `job_id`                    | empty                       |
| seameet     | `meeting_id`, `callback_key`, `file_name`, | `job_id`                    | without `job_id`            |
|             | until the upload `names_used`: a number    |                             |                             |
| symbl       | `name` of the conversation                 | `job_id`, `conversation_id` | the name is searched        |
| transcribe  |                                            | `name`, `bucket`, `key`, if | the same: the name is ours  |
|             |                                            | redacted `redacted`: true   |                             |

`callback_key`, if there is one, names the job in a callback whose path does not contain the job's name.
"""


@dataclass(frozen=True)
class AwsService:
    """A provider that is a service of AWS: our functions call it with their own roles and pass it an s3:// URI.

    `start`, `get` and `delete` are its IAM actions. `start` takes no resource: the condition keys `output_bucket` and
    `output_key` limit where it may write. The others take `job_resource`. When the state of a job changes, EventBridge
    delivers an event of type `detail_type`. Its detail has the name of the job under `job_name`, and under `job_status`
    the state, which is one of `ended` once the job has ended.
    """

    name: str
    start: str
    output_bucket: str
    output_key: str
    get: str
    delete: str
    job_resource: str
    detail_type: str
    job_name: str
    job_status: str
    ended: Sequence[str]

    @property
    def event_source(self) -> str:
        """The service's name in events of EventBridge."""
        return f"aws.{self.name}"


@dataclass(frozen=True)
class Capabilities:
    """The media that a provider accepts, and the way its results arrive.

    `takes` is the form of the media: a presigned URL, the bytes, or an s3:// URI. The formats are in the table of
    providers. `languages` are BCP 47 tags. A limit is None if the vendor documents none.

    `callback` is "required" if a job cannot end without a call from the vendor, "optional" if polls find the end as
    well, and "none" if the vendor never calls. `callback_is_result` is True if a callback may be the result itself.
    `result_by` is "poll" if `Provider.fetch` gets the result from the vendor, and "delivery" if the vendor sends the
    result and keeps no copy. `keeps_nothing`: by its own pages, the vendor deletes the media with the job.
    """

    takes: Literal["url", "bytes", "s3"]
    pace: Pace
    max_bytes: int | None = None
    max_minutes: int | None = None
    languages: frozenset[str] | None = None
    callback: Literal["none", "optional", "required"] = "none"
    callback_is_result: bool = False
    result_by: Literal["poll", "delivery"] = "poll"
    aws_service: AwsService | None = None
    keeps_nothing: bool = False


class MediaStream(Protocol):
    """The bytes of a media object, read from S3 in chunks; `len` is their number."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class CallbackAddress:
    """The URL of our webhook for one job, and the token that proves that a caller got the URL from us."""

    url: str
    token: str = field(repr=False)

    @property
    def secret_url(self) -> str:
        """The URL with the token as its last segment, for vendors that can send no header of ours."""
        return f"{self.url}/{self.token}"


NO_CALLBACK = CallbackAddress("", "")
"""For providers that do not use our webhook."""


@dataclass(frozen=True)
class Delivery:
    """The object in our bucket to which a vendor may write its result; `make_link` presigns a PUT of this object."""

    bucket: str
    key: str
    make_link: Callable[[], str]


@dataclass(frozen=True)
class Submission:
    """A media object with all that an adapter needs to submit it.

    `title` is the text that the provider's own console shows, by default the recording's id. `name` (letters, digits,
    hyphens) is the same for every attempt of one job, and differs for a job that replaces it. `make_link` presigns a
    URL of the media at the moment of the call, so that a repeated call sends a new link. `open_media` opens the bytes.
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
    """A POST to our webhook: the body as received, header names in lower case, the token in its path.

    `secrets` are what proves the request: the tokens of the job that the path names, or the keys that the vendor signs
    with. Each list is another copy, the second one read anew, since a worker keeps its copy for minutes. A list has
    more than one while an operator replaces a key. One proof takes the lists.
    """

    path_token: str = ""
    secrets: Iterable[Sequence[str]] = field(default=(), repr=False, kw_only=True)

    def prove(self, token: str) -> None:
        """Compare a token of the request with those that are expected, in constant time.

        Raises:
            CallbackForged: no expected token is equal.
        """
        self.prove_with(lambda expected: hmac.compare_digest(token.encode(), expected.encode()))

    def prove_with(self, fits: Callable[[str], bool]) -> None:
        """Check that a secret fits the request; `fits` compares in constant time.

        Raises:
            CallbackForged: no secret fits.
        """
        # The sum compares them all: the time does not tell which one fits.
        if not any(sum(map(fits, copy)) for copy in self.secrets):
            raise CallbackForged("the callback's token or signature is missing or wrong")

    def json_object(self, parse: Callable[[bytes], Any] = parse_json) -> dict[str, Any]:
        """Parse the body. Call this only after the request is proven.

        Raises:
            InvalidRequest: the body is not a JSON object.
        """
        return super().json_object(parse)


@dataclass(frozen=True)
class Callback:
    """The content of an authentic callback.

    `job` has those ids of the job that the vendor names. `is_result` is True if the body is the result itself. `key` is
    the job's `callback_key`, for results whose path does not name the job.
    """

    job: Job
    is_result: bool = False
    key: str | None = None


@dataclass(frozen=True)
class JobState:
    """The state of a job at its provider.

    `word` is the vendor's own name of the state. A name that the adapter does not know counts as `running`, so that
    only a known state ends the wait. `missing` lists parts that failed while others succeeded, each with its reason.
    `reply` is the whole reply if the vendor has state and result in one resource: then there is nothing to fetch.
    `is_providers_fault` is True if a job failed and the vendor names a fault of its own as the cause: another job may
    succeed. Words that the adapter does not know are never such a fault, since that job is paid for as well.
    """

    phase: Literal["running", "succeeded", "failed"]
    word: str
    reason: str | None = None
    missing: Sequence[str] = ()
    reply: bytes | None = field(default=None, repr=False)
    is_providers_fault: bool = False


class Provider(Protocol):
    """The methods of an adapter. `submit`, `poll` and `fetch` call the vendor and may raise any `ProviderError`."""

    capabilities: Capabilities

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Submit the media and return the job.

        `job` is the map that an earlier attempt kept, empty at first. `keep` stores an incomplete job, so that a later
        attempt does not repeat a call that the vendor charges for.

        Raises:
            SubmissionUnconfirmed: the vendor may have accepted the job, but its response is lost.
        """

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Return the state of the job; `delivered` is the result if the vendor has already sent it to us.

        Raises:
            MediaLinkExpired: the provider fetched the media too late; submit a new link.
            JobNotFound: the provider does not know the job.
        """

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """Return the vendor's whole reply for a job that succeeded, as received: fetched, or `delivered`.

        Raises:
            JobNotFound: the provider does not know the job.
            PartsUnavailable: parts of the reply are not available at present; the error has the others.
        """

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise a reply. The method is pure, so that kept replies can be read again at any time.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: the reply contains no result.
        """


@runtime_checkable
class Erases(Protocol):
    """A provider whose vendor has a call that deletes a job: the media and the result."""

    def delete(self, job: Job) -> bool:
        """Delete what the vendor has of a job, in whatever state it is; repeating it changes nothing.

        Returns False if the job has no id by which the vendor could find it. It may raise any `ProviderError` but
        `JobNotFound`: what the vendor does not know is deleted.
        """


class VerifiesAccess(Protocol):
    """A provider whose vendor has a call that is free, changes nothing, and shows whether it accepts the credentials.

    The workflow never makes this call.
    """

    def verify_access(self) -> str:
        """Make the call once, and return what its success shows, as one or two sentences.

        Raises:
            CredentialsRefused: the vendor refuses the credentials.
            OutOfCredit: the vendor says that the account has no credit.
            ProviderUnavailable: no connection, or an answer that is not the promised one.
            ProviderError: the call shows nothing; the text says why.
        """


class ProviderLoader(Protocol):
    """Gives the adapter of a provider, with its host in a residency if one is named."""

    def __call__(self, name: str, residency: str | None = None) -> Provider:
        """Return the adapter.

        Raises:
            ProviderNotConfigured: there is no provider of this name.
        """


@runtime_checkable
class CallsBack(Protocol):
    """A provider whose vendor POSTs to our webhook at the end of a job.

    It reads callbacks without an instance: who receives them has none of the vendor's credentials.
    """

    @staticmethod
    def read_callback(request: CallbackRequest) -> Callback | None:
        """Verify a POST to our webhook and return its content; None if it does not announce the end of a job.

        Raises:
            CallbackForged: the vendor did not send the request, or somebody changed it on the way.
            InvalidRequest: the request is authentic, but its content is not usable.
        """


@runtime_checkable
class SendsResult(CallsBack, Protocol):
    """A provider whose callback is the only way to its result. The path of the callback names no job."""

    @staticmethod
    def read_result(body: bytes) -> Callback | None:
        """Read the body of a verified callback; None if it does not announce the end of a job.

        Raises:
            CallbackUnusable: the content is not usable; the error names the job if the content does.
        """
