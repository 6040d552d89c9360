"""The two functions that receive callbacks and events of finished jobs, as Lambda calls them."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from events import receive_result_event
from recording_insights.processing.callbacks import callback_token
from recording_insights.processing.job_name import JobName
from recording_insights.providers import registry
from recording_insights.store.media import MediaStore
from routes import keep_result, receive_callback
from tests.unit.environment import ENVIRONMENT
from tests.unit.processing.flow import Flow, R
from tests.unit.wired import rewire

CapturedEvent = Callable[[str], dict[str, Any]]
JOB = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"
KEY = "the key of the webhook secret"


class Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 29_000


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def waiting(flow: Flow, monkeypatch: pytest.MonkeyPatch, woken: list[str]) -> Callable[[str], MediaStore]:
    """A media object whose job a provider has, and the workflow waiting for it."""
    for name, value in {**ENVIRONMENT, "PROVIDERS": '["symbl", "deepgram", "transcribe", "seameet"]'}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("wiring.read_secret", lambda name, keys, fresh: {"key": KEY})
    parts = {"table": flow.store.table, "s3": flow.replies.s3, "end_wait": woken.append}
    rewire(monkeypatch, receive_callback, receive_result_event, **parts)

    def wait_for(provider: str) -> MediaStore:
        flow.store.submitted(R, flow.media.media_id, provider=provider, job={"job_id": JOB})
        flow.store.note(R, flow.media.media_id, task_token="token")
        return flow.store

    return wait_for


@pytest.fixture
def callback(flow: Flow, captured_event: CapturedEvent) -> dict[str, Any]:
    """A webhook of Symbl for the media object's job."""
    name = str(JobName(R, flow.media.media_id, 0))
    return shows(captured_event("http_callback"), KEY, name)


def shows(event: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    """The event with a token that was made with this key."""
    token = callback_token(key, "symbl", name)
    return {**event, "pathParameters": {**event["pathParameters"], "job": name, "token": token}}


def test_a_webhook_ends_the_wait(waiting: Any, callback: dict[str, Any], woken: list[str], flow: Flow) -> None:
    waiting("symbl")

    answer = receive_callback.handler(callback, Context())

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"outcome": "noted"})
    assert woken == ["token"]
    assert flow.item["callback_job"] == {"job_id": JOB}


def test_a_body_in_base64_is_the_same_body(waiting: Any, callback: dict[str, Any], woken: list[str]) -> None:
    waiting("symbl")
    coded = {"body": base64.b64encode(callback["body"].encode()).decode(), "isBase64Encoded": True}

    assert receive_callback.handler({**callback, **coded}, Context())["statusCode"] == 200
    assert woken == ["token"]


def test_a_wrong_token_is_401_and_is_not_repeated(
    waiting: Any, callback: dict[str, Any], woken: list[str], flow: Flow, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting("symbl")
    before = flow.item
    callback["pathParameters"]["token"] = wrong = "f" * 64

    answer = receive_callback.handler(callback, Context())

    assert answer["statusCode"] == 401
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert (flow.item, woken) == (before, [])
    assert wrong not in answer["body"] + capsys.readouterr().out


class Rotated:
    """The secret of the webhooks while it is rotated: what workers have cached, and what is stored."""

    def __init__(self, cached: dict[str, str], stored: dict[str, str]) -> None:
        self.cached, self.stored = cached, stored
        self.reads: list[bool] = []

    def __call__(self, name: str, keys: Any, *, fresh: bool) -> dict[str, str]:
        assert (name, keys) == (ENVIRONMENT["WEBHOOK_SECRET"], ("key",))
        self.reads.append(fresh)
        if fresh:
            self.cached = self.stored
        return self.cached


@pytest.mark.parametrize(
    ("cached", "token", "status", "reads"),
    [
        ({"key": "new", "previousKey": KEY}, KEY, 200, [False]),
        ({"key": "new", "previousKey": KEY}, "new", 200, [False]),
        ({"key": KEY}, "new", 200, [False, True]),
        ({"key": "new"}, KEY, 200, [False, True]),
        ({"key": KEY, "previousKey": "dropped"}, "dropped", 200, [False]),
        ({"key": KEY}, "dropped", 401, [False, True]),
        ({"key": KEY, "previousKey": ""}, "", 401, [False, True]),
    ],
    ids=["former", "new", "new, not yet known", "former, forgotten", "dropped, cached", "dropped", "none"],
)
def test_tokens_of_both_keys_are_good_while_the_key_is_rotated(
    waiting: Any,
    callback: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    cached: dict[str, str],
    token: str,
    status: int,
    reads: list[bool],
) -> None:
    waiting("symbl")
    secret = Rotated(cached, {"key": "new", "previousKey": KEY})
    monkeypatch.setattr("wiring.read_secret", secret)
    event = shows(callback, token, callback["pathParameters"]["job"])

    assert receive_callback.handler(event, Context())["statusCode"] == status
    assert secret.reads == reads


def test_a_vendor_that_signs_its_callbacks_is_checked_with_its_own_key(
    waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting("symbl")
    signs = replace(registry.PROVIDERS["symbl"], webhook_key="webhookSecret")
    monkeypatch.setattr(registry, "PROVIDERS", {**registry.PROVIDERS, "symbl": signs})
    secrets = {"recording-insights/dev/symbl-webhook": {"webhookSecret": "s"}}
    monkeypatch.setattr("recording_insights.aws.secrets.read_secret", lambda name, keys, fresh: secrets[name])

    assert list(receive_callback.wiring.callback_secrets("symbl", "job")) == [["s"], ["s"]]


def test_a_flood_of_wrong_tokens_reads_the_secret_anew_once(
    waiting: Any, callback: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting("symbl")
    secret = Rotated({"key": KEY}, {"key": KEY})
    monkeypatch.setattr("wiring.read_secret", secret)
    forged = shows(callback, "another", callback["pathParameters"]["job"])

    assert {receive_callback.handler(forged, Context())["statusCode"] for _ in range(50)} == {401}
    assert secret.reads.count(True) == 1
    assert receive_callback.handler(callback, Context())["statusCode"] == 200


@pytest.mark.parametrize("provider", ["gladia", "marsview", "deepgram", "transcribe", "seameet", ""])
def test_a_provider_that_does_not_call_back_is_404(waiting: Any, callback: dict[str, Any], provider: str) -> None:
    callback["pathParameters"]["provider"] = provider

    assert receive_callback.handler(callback, Context())["statusCode"] == 404


def test_a_result_is_kept_without_the_table(
    waiting: Any, flow: Flow, woken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting("seameet")
    for name, value in {"PROVIDER": "seameet", "TABLE_NAME": ""}.items():
        monkeypatch.setenv(name, value)
    secrets = {"recording-insights/dev/seameet-webhook": {"webhookSecret": "s"}}
    monkeypatch.setattr("recording_insights.aws.secrets.read_secret", lambda name, keys, fresh: secrets[name])
    rewire(monkeypatch, keep_result, s3=flow.replies.s3)
    body = json.dumps({"event_name": "dashboard_analysis_finished", "meeting_id": "m", "payload": {}})
    signature = hmac.new(b"s", body.encode(), "sha256").hexdigest()
    event = {"body": body, "headers": {"X-Seasalt-Server-Signature": signature}}

    answer = keep_result.handler(event, Context())
    forged = keep_result.handler({**event, "body": body + " "}, Context())

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"outcome": "kept"})
    assert forged["statusCode"] == 401
    s3: Any = flow.replies.s3
    assert list(s3.objects.values()) == [body.encode()]
    assert not woken


def test_a_large_result_is_taken_and_one_beyond_lambda_is_413(waiting: Any, callback: dict[str, Any]) -> None:
    waiting("symbl")
    callback_body = {"jobId": JOB, "status": "completed"}
    large = {**callback, "body": json.dumps({**callback_body, "more": "x" * 5_000_000})}
    too_large = {**callback, "body": json.dumps({**callback_body, "more": "x" * 7_000_000})}

    assert receive_callback.handler(large, Context())["statusCode"] == 200
    assert receive_callback.handler(too_large, Context())["statusCode"] == 413


@pytest.mark.parametrize(
    ("provider", "event"), [("deepgram", "result_delivered"), ("transcribe", "transcription_completed")]
)
def test_an_event_ends_the_wait(
    waiting: Any,
    flow: Flow,
    woken: list[str],
    captured_event: CapturedEvent,
    provider: str,
    event: str,
) -> None:
    waiting(provider)
    text = json.dumps(captured_event(event)).replace("MEDIA", flow.media.media_id)

    assert receive_result_event.handler(json.loads(text), None) == {"outcome": "noted"}
    assert woken == ["token"]
    assert ("delivery" in flow.item) == (provider == "deepgram")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("aws.transcribe", "no job here has the name podcast-7"),
        ("aws.translate", "no provider of this stack is aws.translate"),
        ("aws.s3", "no job here has the name podcast-7.json"),
    ],
)
def test_events_of_other_jobs_are_ignored_with_the_reason(
    waiting: Any, woken: list[str], captured_event: CapturedEvent, source: str, reason: str
) -> None:
    waiting("transcribe")
    event = captured_event("transcription_completed")
    detail = {**event["detail"], "TranscriptionJobName": "podcast-7", "object": {"key": "deliveries/x/podcast-7.json"}}

    outcome = receive_result_event.handler({**event, "source": source, "detail": detail}, None)

    assert outcome == {"outcome": reason}
    assert not woken
