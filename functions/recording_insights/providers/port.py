"""What a conversation-insight provider is to the workflow.

An adapter is one class in one file that answers to `Provider`. It knows its vendor's words and nothing of the
workflow or the table. A job is a small mapping of the vendor's ids; it is kept on the row before anything waits,
so that a repeated step finds it instead of buying another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from recording_insights.insights import Insights
from recording_insights.media import MediaObject
from recording_insights.polling import Pace

Job = Mapping[str, Any]


@dataclass(frozen=True)
class Capabilities:
    """What a provider takes and how its results come; None means that the vendor names no limit.

    `takes` is how the media reaches it: by presigned URL, as bytes, or as an s3:// URI. `formats` are file
    suffixes without the dot.
    """

    takes: Literal["url", "bytes", "s3"]
    formats: frozenset[str]
    pace: Pace
    max_bytes: int | None = None
    max_minutes: int | None = None
    callback: Literal["none", "optional", "required"] = "none"
    result_by: Literal["poll", "callback"] = "poll"


@dataclass(frozen=True)
class Submission:
    """A media object on its way to a provider.

    `make_link` presigns in the call that uses the link, so that a repeat presents a new one. `title` is what the
    provider's own console shows.
    """

    title: str
    media: MediaObject
    make_link: Callable[[], str]
    options: Mapping[str, Any]


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
    """The port. Every method but `read_insights` calls the vendor and may raise any `ProviderError`."""

    capabilities: Capabilities

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Hand the media over and return the job.

        `job` is what an earlier try kept, empty at first. `keep` stores a half-made job: whatever the vendor
        charges for is asked for only once.
        """

    def poll(self, job: Job) -> JobState:
        """The job's state; `MediaLinkExpired` when the provider came too late for the link."""

    def fetch(self, job: Job) -> bytes:
        """The vendor's whole reply for a job that succeeded, as it came."""

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise a reply; pure, so that stored replies can be read again at any time."""
