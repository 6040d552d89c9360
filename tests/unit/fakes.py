"""In-memory stand-ins for what the domain is given: a clock, a provider, a vendor's HTTP, S3."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from botocore.exceptions import ClientError

from recording_insights.deadline import Deadline
from recording_insights.model.insights import Insights
from recording_insights.processing.turns import Turns
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Capabilities, Job, JobState, Submission
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import RecordingRow
from recording_insights.store.turns import TurnStore


@dataclass
class FakeClock:
    """A clock that only moves when somebody sleeps. `naps` are the sleeps in seconds; `on_sleep` runs at each."""

    start: datetime = datetime(2026, 3, 12, tzinfo=UTC)
    elapsed: float = 0.0
    naps: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.elapsed += seconds
        self.on_sleep()

    def deadline(self, seconds: float = 27.0) -> Deadline:
        return Deadline(self.elapsed + seconds, self.monotonic, self.sleep)


Scripted = Any
"""A value to return, or an exception to raise."""


def unwatched(recording: RecordingRow) -> None:
    """No watch follows a stop."""


def not_waited(task_token: str) -> None:
    """No execution waits with a task token."""
    raise AssertionError(f"nobody waits with {task_token}")


def play(script: list[Scripted], call: str) -> Any:
    """Next entry of a script; asking for more than it holds is the test's failure."""
    if not script:
        raise AssertionError(f"{call} is not in the script")
    entry = script.pop(0)
    if isinstance(entry, BaseException):
        raise entry
    return entry


@dataclass
class FakeProvider:
    """A provider that plays scripts: `submits` of jobs, `polls` of states, `replies` to fetch.

    `keeps` are half-made jobs that a submit stores on its way; `links` are those it presigned.
    """

    submits: list[Scripted] = field(default_factory=list)
    polls: list[Scripted] = field(default_factory=list)
    replies: list[Scripted] = field(default_factory=list)
    keeps: Sequence[Job] = ()
    insights: Insights | Exception = field(default_factory=Insights)
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("url", Pace(5, 0.3)))
    submissions: list[Submission] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    earlier_jobs: list[Job] = field(default_factory=list)
    deliveries: list[bytes | None] = field(default_factory=list)

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        self.submissions.append(submission)
        self.earlier_jobs.append(dict(job))
        self.links.append(submission.make_link())
        for half_made in self.keeps:
            keep(half_made)
        placed: Job = play(self.submits, "submit")
        return placed

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        self.deliveries.append(delivered)
        state: JobState = play(self.polls, f"poll of {job}")
        return state

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        if delivered is not None:
            return delivered
        reply: bytes = play(self.replies, f"fetch of {job}")
        return reply

    def read_insights(self, reply: bytes) -> Insights:
        if isinstance(self.insights, Exception):
            raise self.insights
        return self.insights


@dataclass(frozen=True)
class VendorCall:
    """One request as it left `VendorHttp`."""

    method: str
    url: str
    headers: Mapping[str, str]
    json: Any
    timeout: Any
    allow_redirects: bool
    stream: bool
    params: Any = ()
    data: Any = None
    auth: Any = None

    @property
    def path(self) -> str:
        return "/" + self.url.split("/", 3)[3]


class FakeVendorSession(requests.Session):
    """Answers from a script per method and path, in order; an unscripted call fails the test."""

    def __init__(self, script: Mapping[str, Sequence[Scripted]]) -> None:
        super().__init__()
        self.script = {call: list(replies) for call, replies in script.items()}
        self.calls: list[VendorCall] = []

    def request(self, method: str, url: str, **arguments: Any) -> requests.Response:  # type: ignore[override]
        json.dumps(arguments.setdefault("json", None))  # what requests would do
        call = VendorCall(method, url, **arguments)
        self.calls.append(call)
        name = f"{method} {call.path}"
        response: requests.Response = play(self.script.get(name, []), name)
        return response

    @property
    def asked(self) -> list[str]:
        """Method and path of every call, in order."""
        return [f"{call.method} {call.path}" for call in self.calls]

    @property
    def left_over(self) -> list[str]:
        """What the script holds and nobody asked for."""
        return [call for call, replies in self.script.items() if replies]


def response(body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> requests.Response:
    """A vendor's answer; a body that is no text or bytes is written as JSON."""
    answer = requests.Response()
    answer.status_code = status
    answer.headers.update(headers or {})
    if isinstance(body, str):
        answer._content = body.encode()
    else:
        answer._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer._content_consumed = True  # type: ignore[attr-defined]
    return answer


@dataclass
class FakeSecret:
    """A secret behind a cache: a fresh read finds `stored`, if there is one, and caches it.

    `reads` says of each read whether it was fresh.
    """

    cached: Mapping[str, Any]
    stored: Mapping[str, Any] | None = None
    reads: list[bool] = field(default_factory=list)

    def __call__(self, fresh: bool) -> Mapping[str, Any]:
        self.reads.append(fresh)
        if fresh:
            self.cached = self.stored or self.cached
        return self.cached


@dataclass(frozen=True)
class FakeContext:
    """Lambda's context, with a function's usual time left, in milliseconds."""

    remaining_ms: int = 29_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass(frozen=True)
class FakeStream:
    """A media object's bytes, in two pieces."""

    content: bytes

    def __len__(self) -> int:
        return len(self.content)

    def __iter__(self) -> Iterator[bytes]:
        half = len(self.content) // 2
        return iter((self.content[:half], self.content[half:]))


@dataclass
class FakeS3:
    """The two calls of the reply store."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.objects[Bucket, Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}


@dataclass
class FakeStarter:
    """Starts executions: `executions` by name, each with its input; those in `over` have ended."""

    executions: dict[str, Any] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    fault: Exception | None = None

    def __call__(self, *, name: str, state: str) -> bool:
        if self.fault:
            raise self.fault
        self.executions.setdefault(name, json.loads(state))
        return name not in self.over


def turns_of(store: MediaStore, slots: Mapping[str, int] | None = None, woken: list[str] | None = None) -> Turns:
    """The turns of the providers of a store. `woken` gets the tokens of the waits that end."""
    end_wait = (woken if woken is not None else []).append
    return Turns(TurnStore(store.table, store.now), slots or {}, 5 * 3600, end_wait)
