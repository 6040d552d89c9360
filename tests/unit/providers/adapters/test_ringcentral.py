"""The RingCentral adapter with its stand-in, whose dials also produce responses that are against its rules."""

import json
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from recording_insights.errors import (
    CredentialsRefused,
    MediaLinkExpired,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.model.insights import Question, Utterance
from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.ringcentral.calls import RingCentral
from recording_insights.providers.port import (
    Callback,
    CallbackAddress,
    CallbackRequest,
    Delivery,
    JobState,
    Submission,
)
from recording_insights.providers.registry import validate_options
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.hearing import speech
from sandbox.stand_ins.vendors.ringcentral.server import CREDENTIALS
from tests.stand_in_session import HOST, stand_in_session
from tests.unit.providers.adapters.marsview_scene import Vault, text_of
from tests.unit.providers.toolkit.test_auth import Shared

LINK = "https://bucket.example/talk.mp4?X-Amz-Credential=AKIA&X-Amz-Signature=5ec0de"
TOKEN = "0badcafe" * 8
HOOK = "https://api.example/webhooks/ringcentral/rec%201/media?a=1&b=2"
SENSITIVE = (LINK, "5ec0de", TOKEN, HOOK, "webhooks", "abcdefghijklmnop", *CREDENTIALS.values())
SAID = [
    speech.Utterance(990.0000000000007, 4110.0, "1", "how can i help you today"),
    speech.Utterance(4680.0, 6660.0, "2", "the table was broken that is terrible"),
]
BUY, STATE, LOGIN = "ringcentral.analyze_interaction", "ringcentral.job", "ringcentral.token"
CAI = {"errorCode": "CAI-101", "message": "Parameter [contentUri] is invalid. It should be a valid uri"}
JOB = {"job_id": "11111111-a663-11ee-b548-0050568ccd07"}


class Ears:
    def recognise(self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None) -> Any:
        return SAID

    def close(self) -> None:
        pass


class Scene:
    """The adapter, its stand-in, and the calls between the two."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.callbacks: list[tuple[str, bytes, dict[str, str]]] = []
        self.world = create_runtime(
            Ears(), download=lambda link, target: target.write_bytes(b"m"), send=self._receive, clock=lambda: self.now
        )
        self.client = create_app(self.world).test_client()
        self.requests: list[requests.PreparedRequest] = []
        session = stand_in_session(self.client)
        session.hooks["response"].append(lambda reply, **_: self.requests.append(reply.request))
        self.vault = Vault(CREDENTIALS)
        self.http = VendorHttp("RingCentral", f"{HOST}/ringcentral", session)
        self.shared: Shared | None = None
        self.provider = self.worker()

    def worker(self) -> RingCentral:
        """The adapter of another worker."""
        return RingCentral(self.http, self.vault, lambda: self.now, shared=self.shared)

    def _receive(self, method: str, url: str, body: bytes, headers: Any) -> int:
        self.callbacks.append((url, body, dict(headers)))
        return 200

    def dials(self, **dials: Any) -> None:
        assert self.client.put("/dials", json={"ringcentral": dials}).status_code == 200

    def fails(self, call: str, body: Any = "", status: int = 200, **failure: Any) -> None:
        failure = {"call": call, "status": status, "body": body, **failure}
        assert self.client.put("/dials", json={"fail_next": [failure]}).status_code == 200

    def submit(self, job: Any = None, key: str = "talk.mp4", **options: Any) -> Any:
        media = MediaObject("recordings", key, "etag", 5, datetime(2026, 3, 12, tzinfo=UTC))
        submission = Submission(
            title="talk",
            name="job-0",
            media=media,
            options=options,
            make_link=lambda: LINK,
            open_media=lambda: pytest.fail("no bytes are wanted"),
            callback=CallbackAddress(HOOK, TOKEN),
            delivery=Delivery("replies", "key", lambda: ""),
        )
        job = self.provider.submit(submission, job or {}, lambda kept: pytest.fail(f"{kept}: nothing is half-made"))
        self.world.jobs.join()
        return job

    def insights(self, **options: Any) -> Any:
        return self.provider.read_insights(self.provider.fetch(self.submit(**options), None))

    def sent(self, path: str) -> list[Any]:
        """The JSON bodies of the calls to a path, in order."""
        return [json.loads(r.body or b"{}") for r in self.requests if path in str(r.url)]

    @property
    def paid(self) -> int:
        ledger: Any = self.client.get("/ledger").json
        return int(ledger["paid"].get("ringcentral.jobs", 0))


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.world.close()


def callback(body: Any, token: str = TOKEN, expected: str = TOKEN) -> CallbackRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CallbackRequest(raw, {}, token, secrets=[[expected]] if expected else [])


def assert_fails(error: type[ProviderError], call: Callable[[], Any]) -> str:
    """Check that the call raises exactly this error, and that its text contains no secret."""
    with pytest.raises(ProviderError) as caught:
        call()
    assert type(caught.value) is error
    assert not [secret for secret in SENSITIVE if secret in text_of(caught.value)]
    return str(caught.value)


def test_analysis(scene: Scene) -> None:
    job = scene.submit()
    assert scene.provider.poll(job, None).phase == "succeeded"
    insights = scene.provider.read_insights(scene.provider.fetch(job, None))
    assert insights.transcript == [
        Utterance("How can I help you today?", "0", 990, 4110),
        Utterance("The table was broken that is terrible.", "1", 4680, 6660),
    ]
    assert insights.questions == [Question("How can I help you today?")]
    assert insights.summary == "2 speakers talk about table, broken, terrible."
    assert [topic.text for topic in insights.topics] == ["table", "broken", "terrible"]
    assert insights.ratings["TalkToListenRatio"] == {"0": "61:39", "1": "39:61"}
    assert (insights.ratings["Pace"]["1"], insights.ratings["wpm"]["1"]) == ("fast", 212.1)
    assert insights.ratings["QuestionsAsked"] == {"0": 1, "1": 0}
    assert (insights.sentiment, scene.paid) == (None, 1)


def test_transcription(scene: Scene) -> None:
    assert scene.insights(task="speech_to_text").transcript == [
        Utterance("How can I help you today?", "0", 990, 4110),
        Utterance("The table was broken that is terrible.", "1", 4680, 6660),
    ]
    body = scene.sent("speech-to-text")[0]
    assert body["enableSpeakerDiarization"] is body["enablePunctuation"] is True
    assert "insights" not in body


def test_the_webhook_survives_encoding(scene: Scene) -> None:
    job = scene.submit()
    [(url, body, headers)] = scene.callbacks
    assert url == f"{HOOK}/{TOKEN}"
    assert scene.provider.read_callback(CallbackRequest(body, headers, TOKEN, secrets=[[TOKEN]])) == Callback(job)


@pytest.mark.parametrize(
    ("options", "wanted", "unwanted"),
    [
        ({}, {"insights": ["All"], "languageCode": "en-US", "contentUri": LINK}, {"speakerCount", "audioType"}),
        ({"insights": ["Pace"], "language": "en"}, {"insights": ["Pace"], "languageCode": "en-US"}, set()),
        ({"speakers": 2}, {"speakerCount": 2}, {"audioType"}),
        ({"speakers": 4}, {"speakerCount": 4, "audioType": "Meeting"}, set()),
        ({"speakers": 4, "audio_type": "Interview"}, {"audioType": "Interview"}, set()),
        ({"source": "Zoom"}, {"source": "Zoom", "enableVoiceActivityDetection": True}, {"speechContexts"}),
        ({"custom_vocabulary": ["agora", "søk"]}, {"speechContexts": [{"phrases": ["agora", "søk"]}]}, set()),
    ],
)
def test_options(scene: Scene, options: Any, wanted: dict[str, Any], unwanted: set[str]) -> None:
    validate_options("ringcentral", options)
    scene.submit(**options)
    [body] = scene.sent("analyze-interaction")
    assert wanted.items() <= body.items()
    assert not unwanted & body.keys()


@pytest.mark.parametrize(("suffix", "encoding"), [("mp3", "Mpeg"), ("mp4", "Mpeg"), ("wav", "Wav"), ("m4a", "Aac")])
def test_encodings(scene: Scene, suffix: str, encoding: str) -> None:
    scene.submit(key=f"talk.{suffix}")
    assert scene.sent("analyze-interaction")[0]["encoding"] == encoding


def test_a_token_serves_while_it_lives_and_is_renewed_when_refused(scene: Scene) -> None:
    for hours in (0, 1, 2):
        scene.now = 1_800_000_000.0 + hours * 3600
        scene.submit()
    assert sum("oauth/token" in str(request.url) for request in scene.requests) == 2
    scene.fails(BUY, {"errors": [{"errorCode": "OAU-128", "message": "Access token expired."}]}, 401)
    assert scene.submit()["job_id"]
    assert scene.paid == 4


def test_all_workers_of_three_recordings_log_in_once(scene: Scene) -> None:
    scene.dials(penalty_seconds=60)
    scene.shared = Shared()
    jobs = []
    for _ in range(3):
        scene.provider = scene.worker()
        jobs.append(scene.submit())
    for job in jobs:
        assert scene.worker().poll(job, None).phase == "succeeded"
    assert sum("oauth/token" in str(request.url) for request in scene.requests) == 1


@pytest.mark.parametrize("wrong", ["clientId", "clientSecret", "jwt"])
def test_wrong_credentials(scene: Scene, wrong: str) -> None:
    scene.vault.secret = {**CREDENTIALS, wrong: "another"}
    assert "OAU-14" in assert_fails(CredentialsRefused, scene.submit)
    assert scene.vault.reads == [False, True]
    scene.vault.secret = CREDENTIALS
    assert scene.submit()


ECHO = f"Invalid Authorization header value: Bearer abcdefghijklmnop; {HOOK}/{TOKEN} {quote(HOOK, safe='')} {LINK}"


@pytest.mark.parametrize(
    ("call", "status", "body", "error", "reason"),
    [
        (BUY, 400, {"errors": [CAI]}, ProviderRejected, "CAI-101 Parameter [contentUri] is invalid"),
        (BUY, 200, {"errors": [CAI]}, ProviderRejected, "CAI-101"),
        (BUY, 200, {"status": "Fail", "response": {"errors": [CAI]}}, ProviderRejected, "CAI-101"),
        (BUY, 400, {"errors": [{"message": ECHO}]}, ProviderRejected, "Invalid Authorization header value"),
        (BUY, 400, {"error": "invalid", "error_description": "Why."}, ProviderRejected, "invalid Why."),
        (BUY, 404, [], ProviderRejected, "no reason given"),
        (BUY, 413, "<html>", ProviderRejected, "413: no reason given"),
        (BUY, 402, {"message": "no credit"}, OutOfCredit, "402: no credit"),
        (BUY, 429, {}, ProviderBusy, "429"),
        (BUY, 500, "", SubmissionUnconfirmed, "500"),
        (BUY, 202, "<html>", SubmissionUnconfirmed, "not JSON"),
        (BUY, 202, [], SubmissionUnconfirmed, "jobId"),
        (BUY, 202, {"jobId": None}, SubmissionUnconfirmed, "jobId"),
        (LOGIN, 503, "", ProviderUnavailable, "503"),
        (LOGIN, 200, {"expires_in": 7199}, ProviderUnavailable, "access_token"),
        (LOGIN, 200, {"errors": [{"errorCode": "CMN-201"}]}, ProviderUnavailable, "access_token: CMN-201"),
        (LOGIN, 404, {"errorCode": "CMN-120", "message": "Invalid URI"}, ProviderRejected, "CMN-120 Invalid URI"),
    ],
)
def test_refusals_of_a_submission(
    scene: Scene, call: str, status: int, body: Any, error: type[ProviderError], reason: str
) -> None:
    scene.fails(call, body, status)
    assert reason in assert_fails(error, scene.submit)


def test_busy_gives_its_retry_after(scene: Scene) -> None:
    scene.dials(penalty_seconds=60)
    for _ in range(10):
        scene.submit()
    with pytest.raises(ProviderBusy) as caught:
        scene.submit()
    assert (caught.value.retry_after, scene.paid) == (60, 10)


@pytest.mark.parametrize("loss", [{"drop_connection": True}, {"status": 504}, {"status": 202, "body": "<p>"}])
def test_a_lost_answer_is_made_good_by_the_callback(scene: Scene, loss: dict[str, Any]) -> None:
    scene.fails(BUY, after=True, **loss)
    assert_fails(SubmissionUnconfirmed, scene.submit)
    scene.world.jobs.join()
    adopted = scene.provider.read_callback(callback(scene.callbacks[0][1]))
    assert adopted is not None
    assert scene.provider.poll(adopted.job, None).phase == "succeeded"
    assert (scene.submit(adopted.job), scene.paid) == (adopted.job, 1)


def test_a_result_without_the_jobs_id_is_taken_for_a_job_whose_id_was_lost(scene: Scene) -> None:
    assert scene.provider.poll({}, None) == JobState("running", "no job id")
    scene.dials(callback_names_job=False)
    scene.fails(BUY, after=True, drop_connection=True)
    assert_fails(SubmissionUnconfirmed, scene.submit)
    scene.world.jobs.join()
    body = scene.callbacks[0][1]
    assert scene.provider.read_callback(callback(body)) == Callback({}, is_result=True)
    assert scene.provider.poll({}, body).phase == "succeeded"
    assert scene.provider.fetch({}, body) == body
    assert len(scene.provider.read_insights(body).transcript) == 2
    assert not scene.sent("/ai/status")


def test_a_result_without_the_jobs_id_tells_nothing_of_a_job_that_has_one(scene: Scene) -> None:
    job = scene.submit()
    body = json.dumps({"status": "Success", "response": {"utteranceInsights": []}}).encode()
    scene.fails(STATE, {"status": "InProgress"})
    assert scene.provider.poll(job, body).phase == "running"
    assert len(scene.provider.read_insights(scene.provider.fetch(job, body)).transcript) == 2


@pytest.mark.parametrize(("cause", "link"), [("vendor", False), ("link", True)])
def test_a_failure_without_the_jobs_id(scene: Scene, cause: str, link: bool) -> None:
    dials = {"link_expired_next": 1} if link else {"job_fails": f"out of order {LINK}"}
    scene.dials(callback_names_job=False, **dials)
    scene.submit()
    body = scene.callbacks[0][1]
    assert scene.provider.read_callback(callback(body)) == Callback({}, is_result=True)
    if link:
        assert_fails(MediaLinkExpired, lambda: scene.provider.poll({}, body))
    else:
        state = scene.provider.poll({}, body)
        assert (state.phase, "out of order" in str(state.reason), "5ec0de" in str(state)) == ("failed", True, False)
