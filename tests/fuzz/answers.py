"""Responses of providers to submit, poll and fetch: each returns what the port says, or raises one of our errors."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import requests
from hypothesis import strategies as st

from recording_insights.errors import RecordingInsightsError
from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.transcribe.calls import Transcribe
from recording_insights.providers.port import CallbackAddress, Delivery, Job, JobState, Provider, Submission
from recording_insights.providers.registry import PROVIDERS, _adapter
from recording_insights.providers.toolkit.http import VendorHttp
from tests.fuzz.damage import damaged_json, damaged_value, files, json_of
from tests.fuzz.properties import assert_in_words, assert_storable
from tests.fuzz.target import Target
from tests.unit.fakes import FakeStream, response

SECRET = {name: f"the-{name}" for name in ("apiKey", "apiSecret", "userId", "appId", "appSecret")} | {
    name: f"the-{name}" for name in ("clientId", "clientSecret", "jwt", "workspaceId")
}
JOBS: dict[str, dict[str, Any]] = {
    "assemblyai": {"transcript_id": "t-1"},
    "deepgram": {"request_id": "r-1"},
    "marsview": {"transaction_id": "txn-1", "request_ids": {}},
    "ringcentral": {"job_id": "job-1"},
    "seameet": {"meeting_id": "seax_1", "callback_key": "seax_1", "file_name": "a.mp4", "job_id": "job-1"},
    "symbl": {"name": "rec-media-0", "job_id": "job-1", "conversation_id": "42"},
    "transcribe": {"name": "n", "bucket": "replies", "key": "outputs/n.json"},
}
MOST_CALLS = 80
"""Of the operations of one adapter. SeaMeet tries 50 names."""

Answer = Callable[[str, str], requests.Response | None]
"""Method and URL to response."""


def targets() -> Iterator[Target]:
    """Yield a fuzzer for each provider."""
    for provider in PROVIDERS:
        seeds = _answers_of(provider)
        bodies = damaged_value(*seeds) if provider == "transcribe" else damaged_json(*seeds)
        status = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 402, 404, 409, 422, 429, 500])
        yield Target(
            f"answers of {provider}",
            st.tuples(
                st.sampled_from(["submit", "submit again", "poll", "poll what is lost", "fetch"]),
                st.lists(st.tuples(status, bodies), min_size=1, max_size=3),
                st.one_of(st.none(), damaged_json(*seeds)),
            ),
            partial(check, provider),
        )


def _answers_of(provider: str) -> list[Any]:
    [path] = files(f"answers/{provider}.json")
    return [*json_of(path).values(), *(json_of(reply) for reply in files(f"replies/{provider}*.json"))]


def adapter_of(provider: str, answer: Answer) -> Provider:
    """The adapter of a provider whose vendor gives these answers."""
    adapter = _adapter(provider)
    if adapter is Transcribe:
        found: Provider = Transcribe(transcribe=_Aws(answer), s3=_Aws(answer))
        return found
    made: Provider = adapter(
        VendorHttp(adapter.__name__, "https://vendor.test", _Session(answer)), lambda fresh: SECRET
    )
    return made


class _Session(requests.Session):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def request(self, method: str, url: str, **arguments: Any) -> requests.Response:  # type: ignore[override]
        json.dumps(arguments.get("json"))
        found = self.answer(method, url)
        assert found is not None
        return found


class _Aws:
    def __init__(self, answer: Callable[..., Any]) -> None:
        self.answer = answer

    def start_transcription_job(self, **_: Any) -> Any:
        return self.answer("start", "")

    def get_transcription_job(self, **_: Any) -> Any:
        return self.answer("get", "")

    def get_object(self, **_: Any) -> Any:
        return {"Body": io.BytesIO(json.dumps(self.answer("read", "")).encode())}


def check(provider: str, found: tuple[str, Sequence[tuple[int, Any]], bytes | None]) -> None:
    operation, answers, delivered = found
    calls = 0

    def answer(method: str, url: str) -> Any:
        nonlocal calls
        status, body = answers[calls % len(answers)]
        calls += 1
        assert calls <= MOST_CALLS, "the adapter calls without end"
        return body if provider == "transcribe" else response(body, status, {"Retry-After": "5"})

    given = b" ".join(body if isinstance(body, bytes) else repr(body).encode() for _, body in answers)
    try:
        _run(adapter_of(provider, answer), operation, JOBS[provider], delivered)
    except RecordingInsightsError as error:
        assert_in_words(error, given + (delivered or b""))


def _run(adapter: Provider, operation: str, job: dict[str, Any], delivered: bytes | None) -> None:
    if operation.startswith("submit"):
        earlier = {} if operation == "submit" else {name: job[name] for name in list(job)[:-1]}
        placed = adapter.submit(_submission(), earlier, _keep)
        assert_storable(dict(placed))
        job = {**job, **placed}
        operation = "poll"
    if operation.startswith("poll"):
        lost = {"job_id", "request_id"} if operation != "poll" else set()
        state = adapter.poll({name: value for name, value in job.items() if name not in lost}, delivered)
        _assert_state(state)
    if operation == "fetch":
        assert isinstance(adapter.fetch(job, delivered), bytes)


def _keep(job: Job) -> None:
    assert_storable(dict(job))


def _assert_state(state: JobState) -> None:
    assert state.phase in ("running", "succeeded", "failed")
    assert isinstance(state.word, str)
    assert isinstance(state.reason, str | None)
    assert isinstance(state.reply, bytes | None)
    missing = list(state.missing)
    assert all(isinstance(text, str) and text for text in missing)
    assert assert_storable({"last_word": state.word, "reason": state.reason, "missing": missing}) < 100_000


def _submission() -> Submission:
    media = MediaObject("recordings-bucket", "talk.mp4", "etag", 5, datetime(2026, 3, 12, tzinfo=UTC))
    return Submission(
        title="talk",
        name="rec-media-0",
        media=media,
        options={},
        make_link=lambda: "https://bucket.test/talk.mp4?X-Amz-Signature=5ec0de",
        open_media=lambda: FakeStream(b"media"),
        callback=CallbackAddress("https://hooks.test/webhooks/rec", "0badcafe" * 8),
        delivery=Delivery("replies", "deliveries/rec.json", lambda: "https://replies.test/rec.json?X-Amz-Signature=1"),
    )
