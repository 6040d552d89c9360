"""The AssemblyAI adapter and its stand-in: a job from end to end, lost responses, options."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from recording_insights.errors import (
    CredentialsRefused,
    MediaLinkExpired,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.providers.adapters.assemblyai.calls import DEFAULT_SPEECH_MODELS, MOST_LINKS
from recording_insights.providers.port import CallbackRequest
from tests.sandbox.conftest import SAID
from tests.unit.fakes import response
from tests.unit.providers.adapters.assemblyai_scene import (
    ASK,
    JOB,
    KEY,
    TOKEN,
    TOOK,
    WEBHOOK,
    StandIn,
    assert_nothing_leaks,
    scripted,
)

LOST = {"call": "assemblyai.create_transcript", "status": 503, "after": True}


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    (tmp_path / "talk.mp4").write_bytes(b"media")
    scene = StandIn(tmp_path)
    yield scene
    scene.world.close()


class TestWithTheStandIn:
    def test_from_link_to_insights(self, stand_in: StandIn) -> None:
        job = stand_in.submit(features=["sentiment_analysis", "iab_categories", "auto_highlights"])
        stand_in.world.jobs.join()

        assert stand_in.adapter.poll(job, None).phase == "succeeded"
        insights = stand_in.adapter.read_insights(stand_in.adapter.fetch(job, None))

        spoken = [(u.speaker, u.start_ms, u.end_ms) for u in insights.transcript]
        assert spoken == [("A", 990, 4110), ("B", 4680, 6660), ("A", 7380, 10650), ("B", 11340, 16290)]
        assert insights.transcript[0].text == "How can I help you today?"
        assert [u.sentiment is not None and u.sentiment > 0 for u in insights.transcript][-1]
        assert insights.transcript[1].sentiment < 0  # type: ignore[operator]
        assert insights.sentiment is not None
        assert ("Table", 1) in [(topic.text, topic.score) for topic in insights.topics]
        assert stand_in.paid == 1
        assert len(SAID) == len(insights.transcript)

    def test_the_webhook_is_one_that_the_adapter_believes(self, stand_in: StandIn) -> None:
        job = stand_in.submit()
        stand_in.world.jobs.join()

        ((method, url, body, headers),) = stand_in.outside_sent
        request = CallbackRequest(body, {k.lower(): v for k, v in headers.items()}, secrets=[[TOKEN]])
        callback = stand_in.adapter.read_callback(request)
        assert (method, url) == ("POST", WEBHOOK)
        assert callback is not None
        assert (callback.job, callback.is_result) == (job, False)

    @pytest.mark.parametrize("loss", [LOST, {**LOST, "drop_connection": True}, {**LOST, "body": "<p>", "status": 200}])
    def test_a_lost_answer_is_found_in_the_list(self, stand_in: StandIn, loss: Any) -> None:
        stand_in.dials(fail_next=[loss])
        with pytest.raises(SubmissionUnconfirmed) as lost:
            stand_in.submit()
        assert_nothing_leaks(lost.value)

        job = stand_in.submit(stand_in.kept[-1])

        assert stand_in.paid == 1
        stand_in.world.jobs.join()
        assert stand_in.adapter.poll(job, None).phase == "succeeded"

    def test_a_transcript_of_another_submission_of_the_media_is_not_taken(self, stand_in: StandIn) -> None:
        before = stand_in.submit()
        stand_in.dials(fail_next=[{**LOST, "after": False}])
        with pytest.raises(SubmissionUnconfirmed):
            stand_in.submit()

        assert stand_in.submit(stand_in.kept[-1]) != before
        assert stand_in.paid == 2

    def test_the_link_of_any_earlier_try_finds_it(self, stand_in: StandIn) -> None:
        empty_list = {"call": "assemblyai.list_transcripts", "status": 200, "body": {"transcripts": []}}
        stand_in.dials(fail_next=[LOST, empty_list, {**LOST, "after": False}])
        for _ in range(2):
            with pytest.raises(SubmissionUnconfirmed):
                stand_in.submit(stand_in.kept[-1] if stand_in.kept else {})

        stand_in.submit(stand_in.kept[-1])

        assert (len(stand_in.links), stand_in.paid) == (2, 1)

    def test_a_job_keeps_the_newest_links(self, stand_in: StandIn) -> None:
        stand_in.dials(fail_next=[{**LOST, "after": False, "times": 2}])
        full = {"asked": [f"digest {number}" for number in range(MOST_LINKS)]}
        for kept in ([*full["asked"][1:], ANY], [*full["asked"][2:], ANY, ANY]):
            with pytest.raises(SubmissionUnconfirmed):
                stand_in.submit(stand_in.kept[-1] if stand_in.kept else full)
            assert stand_in.kept[-1]["asked"] == kept

    def test_a_list_without_queries_finds_nothing(self, stand_in: StandIn) -> None:
        """By then the workflow has waited for the callback in vain."""
        stand_in.dials(assemblyai={"list_hides_queries": True}, fail_next=[LOST])
        with pytest.raises(SubmissionUnconfirmed):
            stand_in.submit()
        stand_in.submit(stand_in.kept[-1])
        assert stand_in.paid == 2

    @pytest.mark.parametrize("status", [404, 400])
    def test_a_list_that_is_refused_is_done_without(self, stand_in: StandIn, status: int) -> None:
        refused = {"call": "assemblyai.list_transcripts", "status": status, "body": {"error": "no"}}
        stand_in.dials(fail_next=[LOST, refused])
        with pytest.raises(SubmissionUnconfirmed):
            stand_in.submit()
        stand_in.submit(stand_in.kept[-1])
        assert stand_in.paid == 2

    def test_a_list_that_is_away_is_waited_for(self, stand_in: StandIn) -> None:
        stand_in.dials(fail_next=[LOST, {"call": "assemblyai.list_transcripts", "status": 502}])
        with pytest.raises(SubmissionUnconfirmed):
            stand_in.submit()
        with pytest.raises(ProviderUnavailable):
            stand_in.submit(stand_in.kept[-1])
        stand_in.submit(stand_in.kept[-1])
        assert stand_in.paid == 1

    @pytest.mark.parametrize(
        ("dials", "phase", "word"),
        [
            ({"unknown_state": "dreaming"}, "running", "dreaming"),
            ({"job_never_ends": True}, "running", "processing"),
            ({"job_fails": "Server error, see https://x.example/?a=5ec0de"}, "failed", "error"),
        ],
    )
    def test_words(self, stand_in: StandIn, dials: Any, phase: str, word: str) -> None:
        stand_in.dials(assemblyai=dials)
        job = stand_in.submit()
        stand_in.world.jobs.join(1)
        state = stand_in.adapter.poll(job, None)
        assert (state.phase, state.word) == (phase, word)
        if phase == "failed":
            assert state.reason == "AssemblyAI failed the job: Server error, see https://x.example/?redacted"

    def test_an_expired_link_asks_for_another(self, stand_in: StandIn) -> None:
        stand_in.dials(assemblyai={"link_expired_next": 1})
        job = stand_in.submit()
        stand_in.world.jobs.join()
        with pytest.raises(MediaLinkExpired) as expired:
            stand_in.adapter.poll(job, None)
        assert_nothing_leaks(expired.value)

    def test_a_rotated_key_is_read_anew_and_nothing_is_paid_twice(self, stand_in: StandIn) -> None:
        stand_in.secret = {"apiKey": "rotated-key"}
        stand_in.fresh_secret = {"apiKey": KEY}
        stand_in.submit()
        assert (stand_in.reads, stand_in.paid) == ([False, True], 1)

    def test_a_wrong_key_is_refused(self, stand_in: StandIn) -> None:
        stand_in.secret = stand_in.fresh_secret = {"apiKey": "rotated-key"}
        with pytest.raises(CredentialsRefused) as refused:
            stand_in.submit()
        assert_nothing_leaks(refused.value)
        assert str(refused.value) == "AssemblyAI refused the key of its secret: HTTP 401"


class TestTheRequest:
    def test_the_usual(self) -> None:
        scene = scripted({ASK: [response(TOOK)]})
        assert scene.submit() == JOB
        assert scene.sent() == [
            {
                "audio_url": scene.links[0],
                "speech_models": list(DEFAULT_SPEECH_MODELS),
                "speaker_labels": True,
                "sentiment_analysis": True,
                "language_detection": True,
                "webhook_url": WEBHOOK,
                "webhook_auth_header_name": "X-Recording-Insights-Token",
                "webhook_auth_header_value": TOKEN,
            }
        ]
        (call,) = scene.session.calls
        assert call.headers == {"Authorization": KEY}

    @pytest.mark.parametrize(
        ("options", "sent"),
        [
            ({"language": "en-US"}, {"language_code": "en_us", "sentiment_analysis": True}),
            ({"language": "en-GB"}, {"language_code": "en_uk", "sentiment_analysis": True}),
            ({"language": "de"}, {"language_code": "de"}),
            ({"language": "pt-BR"}, {"language_code": "pt"}),
            ({"language": "zh-Hans-CN"}, {"language_code": "zh"}),
            (
                {"language": "de", "features": ["entity_detection", "iab_categories"]},
                {"language_code": "de", "entity_detection": True, "iab_categories": True},
            ),
            ({"features": ["auto_highlights"]}, {"language_detection": True, "auto_highlights": True}),
            ({"speakers": 3, "language": "de"}, {"language_code": "de", "speakers_expected": 3}),
            (
                {"custom_vocabulary": ["Zürich"], "language": "de"},
                {"language_code": "de", "keyterms_prompt": ["Zürich"]},
            ),
            (
                {"redact_pii": ["person_name"], "language": "de"},
                {"language_code": "de", "redact_pii": True, "redact_pii_policies": ["person_name"]},
            ),
            (
                {"speech_models": ["universal-2"], "language": "de"},
                {"language_code": "de", "speech_models": ["universal-2"]},
            ),
        ],
    )
    def test_options_in_the_vendors_form(self, options: Any, sent: Any) -> None:
        scene = scripted({ASK: [response(TOOK)]})
        scene.submit(**options)
        (body,) = scene.sent()
        usual = {"audio_url", "speaker_labels", "webhook_url", "webhook_auth_header_name", "webhook_auth_header_value"}
        usual |= set() if "speech_models" in options else {"speech_models"}
        assert {name: value for name, value in body.items() if name not in usual} == sent
