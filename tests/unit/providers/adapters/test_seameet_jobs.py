"""The SeaMeet adapter: states and callbacks, and a job from end to end with the stand-in."""

import hmac
import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import pytest

from recording_insights.errors import CallbackForged, CallbackUnusable, InvalidRequest, JobNotFound, ProviderUnavailable
from recording_insights.providers.adapters.seameet.calls import SeaMeet
from recording_insights.providers.port import Callback, CallbackRequest, JobState
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.seameet.server import CREDENTIALS, SIGNING_KEY
from tests.sandbox.conftest import FakeSpeechEngine
from tests.stand_in_session import HOST, stand_in_session
from tests.unit.fakes import response
from tests.unit.providers.adapters.marsview_scene import text_of
from tests.unit.providers.adapters.seameet_result import RESULT, reply
from tests.unit.providers.adapters.test_seameet import JOB, KEPT, STATE, UPLOADED, WEBHOOK_SECRET, Scene, submission


def posted(body: bytes, headers: Mapping[str, str], *copies: str) -> CallbackRequest:
    """A POST to the webhook, whose function has these copies of the secret."""
    return CallbackRequest(body, headers, secrets=iter([[copy] for copy in copies or (WEBHOOK_SECRET,)]))


def signed(body: bytes, *copies: str) -> CallbackRequest:
    """A POST that is signed with the last copy."""
    secret = copies[-1] if copies else WEBHOOK_SECRET
    signature = hmac.new(secret.encode(), body, sha256).hexdigest()
    return posted(body, {"x-seasalt-server-signature": signature}, *copies)


class TestPoll:
    @pytest.mark.parametrize("job", [JOB, UPLOADED, KEPT])
    def test_what_was_delivered_ends_the_job_whether_its_id_is_known_or_not(self, job: Mapping[str, Any]) -> None:
        scene = Scene({})
        assert scene.provider.poll(job, b"{}").phase == "succeeded"
        assert scene.session.asked == []

    @pytest.mark.parametrize("job", [UPLOADED, KEPT])
    def test_without_an_id_only_the_callback_ends_it(self, job: Mapping[str, Any]) -> None:
        assert Scene({}).provider.poll(job, None) == JobState("running", "no job id")

    @pytest.mark.parametrize(
        ("job", "state"),
        [
            ({"status": "QUEUED"}, JobState("running", "QUEUED")),
            ({"status": "STARTED", "result": None}, JobState("running", "STARTED")),
            ({"status": "FINISHED"}, JobState("running", "FINISHED, no usable callback has come")),
            ({"status": "PONDERING"}, JobState("running", "PONDERING")),
            (
                {"status": "FAILED", "error_message": "no speech"},
                JobState("failed", "FAILED", "SeaMeet failed the job: no speech"),
            ),
            ({"status": "FAILED"}, JobState("failed", "FAILED", "SeaMeet failed the job: no reason given")),
        ],
    )
    def test_words(self, job: dict[str, Any], state: JobState) -> None:
        job = {"id": "job-1", "error_message": None, **job}
        scene = Scene({STATE: [response(job), response({"job": job})]})
        assert scene.provider.poll(JOB, None) == scene.provider.poll(JOB, None) == state

    @pytest.mark.parametrize("body", [{}, {"id": "job-1"}, {"job": {"status": None}}, [], 7])
    def test_an_answer_without_a_state_ends_nothing(self, body: Any) -> None:
        with pytest.raises(ProviderUnavailable, match="without"):
            Scene({STATE: [response(body)]}).provider.poll(JOB, None)

    def test_there_is_nothing_to_fetch(self) -> None:
        with pytest.raises(ProviderUnavailable, match="by callback only"):
            Scene({}).provider.fetch(JOB, None)


class TestCallback:
    @pytest.mark.parametrize(
        "body",
        [
            RESULT,
            {**RESULT, "meeting_id": None},
            {"event": "dashboard_analysis_finished", "payload": RESULT["payload"]},
            {**RESULT, "payload": {"transcript": []}},
            {"event": "dashboard_analysis_finished", "payload": json.dumps(RESULT["payload"])},
        ],
    )
    def test_the_result_is_found_by_its_meeting(self, body: Any) -> None:
        for text in (json.dumps(body), json.dumps(body, indent=2)):
            callback = SeaMeet.read_callback(signed(text.encode()))
            assert callback == Callback(KEPT, is_result=True, key="seax_1")

    def test_the_id_is_taken_as_it_comes(self) -> None:
        payload = {**RESULT["payload"], "meeting_id": "2394a2dd-bc25"}  # type: ignore[dict-item]
        body = json.dumps({"event": "dashboard_analysis_finished", "payload": payload}).encode()
        callback = SeaMeet.read_callback(signed(body))
        assert callback is not None
        assert callback.key == "2394a2dd-bc25"

    @pytest.mark.parametrize("event", ["meeting_created", "transcription_finished"])
    def test_other_events_end_nothing(self, event: str) -> None:
        assert SeaMeet.read_callback(signed(json.dumps({"event_name": event}).encode())) is None

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            (b"", "it is not JSON"),
            (b"nonsense", "it is not JSON"),
            (b"\xff", "it is not JSON"),
            (b"[]", "it is no JSON object"),
            (b"null", "it is no JSON object"),
            (b"{}", "it has no field event"),
            (b'{"event": "dashboard_analysis_finished"}', "it has no field payload"),
            (b'{"event": "dashboard_analysis_finished", "payload": null}', "its field payload is no object"),
            (b'{"event": "dashboard_analysis_finished", "payload": "nonsense"}', "its field payload is no object"),
            (b'{"event": "dashboard_analysis_finished", "payload": {}}', "it has no field meeting_id"),
            (
                b'{"event": "dashboard_analysis_finished", "payload": {"meeting_id": null}}',
                "its field meeting_id is no text",
            ),
            (
                b'{"event": "dashboard_analysis_finished", "meeting_id": 7, "payload": {}}',
                "its field meeting_id is no text",
            ),
        ],
    )
    def test_authentic_nonsense_is_refused_with_the_field(self, body: bytes, fault: str) -> None:
        with pytest.raises(InvalidRequest, match=rf"^body: {fault}$"):
            SeaMeet.read_callback(signed(body))

    @pytest.mark.parametrize(
        ("body", "key"),
        [
            (b'{"event": "dashboard_analysis_finished", "meeting_id": "seax_1", "payload": {"transcript": [', "seax_1"),
            (b'{"event": "dashboard_analysis_finished", "payload": "{\\"meeting_id\\": \\"seax_1\\", ', "seax_1"),
            (b'{"event": "dashboard_analysis_finished", "meeting_id": "seax_1", "payload": null}', "seax_1"),
            (b'{"event": "dashboard_analysis_finished", "meeting_id": 7}', ""),
            (b'{"meeting_id": "seax_1"}', "seax_1"),
            (b"nonsense", ""),
            (b'\xff "meeting_id": "seax_1"', "seax_1"),
        ],
    )
    def test_a_refused_callback_names_its_meeting_where_it_can(self, body: bytes, key: str) -> None:
        with pytest.raises(CallbackUnusable) as raised:
            SeaMeet.read_callback(signed(body))
        assert raised.value.key == key

    @pytest.mark.parametrize("signature", [None, "", "sha256=", "é" * 64, "0" * 64, "0" * 63, "g" * 64])
    def test_a_wrong_signature(self, signature: str | None) -> None:
        headers = {} if signature is None else {"x-seasalt-server-signature": signature}
        copies = iter([[WEBHOOK_SECRET], ["newer"]])
        with pytest.raises(CallbackForged) as raised:
            SeaMeet.read_callback(CallbackRequest(reply(), headers, secrets=copies))
        assert WEBHOOK_SECRET not in text_of(raised.value)
        assert len(list(copies)) == (0 if signature == "0" * 64 else 2), "only what may be a signature reads the secret"

    @pytest.mark.parametrize("at", [0, 40, -1])
    def test_one_flipped_byte(self, at: int) -> None:
        right = signed(reply())
        body, signature = bytearray(right.body), bytearray(right.headers["x-seasalt-server-signature"], "ascii")
        body[at] ^= 1
        signature[at] ^= 1
        for request in (
            posted(bytes(body), right.headers),
            posted(right.body, {"x-seasalt-server-signature": signature.decode()}),
        ):
            with pytest.raises(CallbackForged):
                SeaMeet.read_callback(request)

    def test_upper_case_digits_are_the_same_number(self) -> None:
        right = signed(reply())
        headers = {name: value.upper() for name, value in right.headers.items()}
        assert SeaMeet.read_callback(posted(right.body, headers))

    def test_a_rotated_secret_is_found_in_the_second_copy(self) -> None:
        assert SeaMeet.read_callback(signed(reply(), "former", "newer"))


class TestStandIn:
    @pytest.fixture
    def sent(self) -> list[CallbackRequest]:
        return []

    @pytest.fixture
    def world(self, sent: list[CallbackRequest]) -> Iterator[Runtime]:
        def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
            sent.append(posted(body, {name.lower(): value for name, value in headers.items()}, SIGNING_KEY))
            return 200

        world = create_runtime(FakeSpeechEngine(), send=send)
        world.dials.change({"seameet": {"callback_url": "https://us.test/callbacks/seameet"}})
        yield world
        world.close()

    @pytest.fixture
    def provider(self, world: Runtime) -> SeaMeet:
        session = stand_in_session(create_app(world).test_client())
        return SeaMeet(VendorHttp("SeaMeet", f"{HOST}/seameet", session), lambda fresh: CREDENTIALS)

    @pytest.mark.parametrize("event_field", ["event_name", "event"])
    def test_from_the_bytes_to_the_insights(
        self, provider: SeaMeet, world: Runtime, sent: list[CallbackRequest], event_field: str
    ) -> None:
        world.dials.change({"seameet": {"event_field": event_field}})
        options = {"agent_name": "Jane", "customer_name": "John", "speakers": 2}
        job = provider.submit(submission(options), {}, lambda _: None)
        world.jobs.join()
        assert provider.poll(job, None).word == "FINISHED, no usable callback has come"
        (request,) = sent
        callback = provider.read_callback(request)
        assert callback is not None
        assert callback.job.items() <= job.items()
        assert callback.key == job["callback_key"]
        assert provider.poll(callback.job, request.body).phase == "succeeded"
        insights = provider.read_insights(request.body)
        assert [(u.speaker, u.text) for u in insights.transcript][:2] == [
            ("Jane", "How can I help you today?"),
            ("John", "The table was broken that is terrible."),
        ]
        assert insights.summary
        assert insights.ratings.keys() >= {"customer_satisfaction_rating", "agent_performance_feedback", "title"}

    def test_an_expired_upload_url_costs_a_name(self, provider: SeaMeet, world: Runtime) -> None:
        world.dials.change({"seameet": {"link_expired_next": 1}})
        kept: list[Any] = []
        with pytest.raises(ProviderUnavailable, match="storage answered HTTP 403"):
            provider.submit(submission({}), {}, kept.append)
        job = provider.submit(submission({}), kept[-1], kept.append)
        assert (job["meeting_id"], job["file_name"]) == (kept[0]["meeting_id"], "name-0-2.mp4")
        assert world.ledger.as_json()["paid"] == {"seameet.jobs": 1}

    def test_a_failed_job_says_why(self, provider: SeaMeet, world: Runtime, sent: list[CallbackRequest]) -> None:
        world.dials.change({"seameet": {"job_fails": "no speech"}})
        job = provider.submit(submission({}), {}, lambda _: None)
        world.jobs.join()
        assert provider.poll(job, None) == JobState("failed", "FAILED", "SeaMeet failed the job: no speech")
        assert sent == []

    def test_a_job_that_it_does_not_know(self, provider: SeaMeet, world: Runtime) -> None:
        with pytest.raises(JobNotFound, match="SeaMeet does not know the job"):
            provider.poll({"meeting_id": "m", "job_id": "unknown"}, None)
