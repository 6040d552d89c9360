"""The Symbl adapter with its stand-in: a job from end to end, lost responses, callbacks."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recording_insights.errors import (
    CallbackForged,
    CredentialsRefused,
    InvalidRequest,
    MediaLinkExpired,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.model.insights import ActionItem, Insights, Question
from recording_insights.providers.port import CallbackRequest, CallsBack, JobState
from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.vendors.symbl.server import CREDENTIALS
from tests.unit.providers.adapters.symbl_scene import NAME, TOKEN, OverScript, StandIn, assert_nothing_leaks

BUY = "symbl.process_url"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[StandIn]:
    scene = StandIn(tmp_path)
    yield scene
    scene.world.close()


def insights(scene: StandIn, **options: Any) -> Insights:
    return scene.adapter.read_insights(scene.adapter.fetch(scene.finished(**options), None))


class TestTheWholePath:
    def test_transcript(self, scene: StandIn) -> None:
        transcript = insights(scene).transcript

        assert [(u.speaker, u.text) for u in transcript] == [
            ("Speaker 1", "How can I help you today?"),
            ("Speaker 2", "The table was broken that is terrible."),
            ("Speaker 1", "I will send you a new table before Friday."),
            ("Speaker 2", "Wonderful I am very happy."),
        ]
        assert [(u.start_ms, u.end_ms) for u in transcript] == [
            (990, 4110),
            (4680, 6660),
            (7380, 10650),
            (11340, 16290),
        ]
        assert [u.sentiment is not None and u.sentiment > 0 for u in transcript] == [True, False, False, True]

    def test_insights(self, scene: StandIn) -> None:
        found = insights(scene, trackers=[{"name": "Furniture", "vocabulary": ["table", "chair"]}])

        assert [(topic.text, topic.score) for topic in found.topics] == [("table", 1)]
        action = ActionItem("I will send you a new table before Friday.", "Speaker 1", "2027-01-22T07:00:00.000Z")
        assert (found.action_items, found.follow_ups) == ([action], [])
        assert found.questions == [Question("How can I help you today?")]
        assert found.summary
        assert found.sentiment is not None
        assert found.ratings["tracker:Furniture"] == 2
        assert found.ratings["talk_time_percent:Speaker 1"] == 47.973
        assert found.ratings.keys() >= {"total_silence_seconds", "pace_wpm:Speaker 2", "talk_time_seconds:Speaker 2"}
        assert found.missing == []

    @pytest.mark.parametrize("dials", [{"offsets": False}, {"old_trackers": True}, {"token_seconds": 0.01}])
    def test_variants_of_the_vendor_give_the_same(self, scene: StandIn, dials: dict[str, Any]) -> None:
        trackers = [{"name": "Furniture", "vocabulary": ["table"]}]
        usual = insights(scene, trackers=trackers)
        scene.dials(**dials)

        assert insights(scene, trackers=trackers) == usual

    def test_without_a_summary_it_is_absent(self, scene: StandIn) -> None:
        scene.dials(no_summary=True)
        found = insights(scene)
        assert (found.summary, found.missing) == (None, [])
        assert insights(scene, summary=False).summary is None

    def test_custom_entities_are_counted(self, scene: StandIn) -> None:
        found = insights(scene, entities=[{"customType": "Goods", "text": "table"}])
        assert found.ratings["entity:Goods"] == 2
        assert [(entity.text, entity.kind) for entity in found.entities][:3] == [
            *(("table", "goods"), ("table", "goods"), ("today", "date"))
        ]
        assert found.entities[-1].end_ms == found.transcript[2].end_ms, "friday ends its line"

    def test_another_language_is_not_diarized(self, scene: StandIn) -> None:
        found = insights(scene, language="de")
        assert [u.speaker for u in found.transcript] == [None] * 4
        assert "talk_time_percent:Unknown Speaker" in found.ratings

    def test_states(self, scene: StandIn) -> None:
        scene.dials(unknown_state="pondering")
        job = scene.finished()
        assert job.keys() == {"name", "job_id", "conversation_id"}
        assert scene.adapter.poll(job, None) == JobState("running", "pondering")
        assert scene.adapter.poll(job, None) == JobState("succeeded", "completed")

    def test_failed_job(self, scene: StandIn) -> None:
        scene.dials(job_fails="no speech")
        assert scene.adapter.poll(scene.finished(), None) == JobState(
            "failed", "failed", "Symbl failed the job: no speech"
        )

    @pytest.mark.parametrize("of", ["dial", "download"])
    def test_expired_link(self, scene: StandIn, of: str) -> None:
        if of == "dial":
            scene.dials(link_expired_next=1)
        else:
            scene.failure = DownloadFailed("the link answered HTTP 403", 403)
        with pytest.raises(MediaLinkExpired):
            scene.adapter.poll(scene.finished(), None)

    def test_dead_link_is_no_expired_one(self, scene: StandIn) -> None:
        scene.failure = DownloadFailed("the link answered HTTP 404", 404)
        state = scene.adapter.poll(scene.finished(), None)
        assert (state.phase, "HTTP 404" in str(state.reason)) == ("failed", True)

    def test_full(self, scene: StandIn) -> None:
        scene.dials(concurrent_jobs=1, job_never_ends=True)
        scene.submit()
        with pytest.raises(ProviderBusy):
            scene.submit()
        assert scene.paid == 1

    def test_wrong_secret(self, scene: StandIn) -> None:
        scene.secrets = [{**CREDENTIALS, "appSecret": "other"}]
        with pytest.raises(CredentialsRefused, match="Unauthorized") as raised:
            scene.submit()
        assert_nothing_leaks(raised.value)
        assert (scene.reads, scene.paid) == ([False, True], 0)

    def test_rotated_secret(self, scene: StandIn) -> None:
        scene.secrets = [{**CREDENTIALS, "appSecret": "other"}, CREDENTIALS]
        assert scene.submit()["job_id"]

    def test_what_the_vendor_refuses_is_told_without_links(self, scene: StandIn) -> None:
        with pytest.raises(ProviderRejected, match="languageCode") as raised:
            scene.submit(language="tlh")
        assert_nothing_leaks(raised.value)


LOST = [
    {"call": BUY, "status": 503, "after": True},
    {"call": BUY, "drop_connection": True, "after": True},
    {"call": BUY, "status": 201, "body": "no JSON", "after": True},
    {"call": BUY, "status": 201, "body": {}, "after": True},
]


class TestAnswerLost:
    @pytest.mark.parametrize("failure", LOST)
    def test_the_next_try_finds_the_conversation(self, scene: StandIn, failure: dict[str, Any]) -> None:
        scene.dials(fail_next=[failure])
        with pytest.raises(SubmissionUnconfirmed) as raised:
            scene.submit()
        assert_nothing_leaks(raised.value)
        assert scene.kept == [{"name": NAME}]

        job = scene.submit(scene.kept[-1])

        assert job.keys() == {"name", "conversation_id"}
        scene.world.jobs.join()
        assert scene.adapter.poll(job, None).phase == "succeeded"
        assert len(scene.adapter.read_insights(scene.adapter.fetch(job, None)).transcript) == 4
        assert scene.paid == 1

    def test_without_job_id_the_summary_tells_the_end(self, scene: StandIn) -> None:
        scene.dials(fail_next=LOST[:1], job_never_ends=True)
        with pytest.raises(SubmissionUnconfirmed):
            scene.submit()
        assert scene.adapter.poll(scene.submit(scene.kept[-1]), None).phase == "running"

    def test_the_callback_names_the_job_and_the_name_its_conversation(self, scene: StandIn) -> None:
        scene.dials(fail_next=LOST[:1])
        with pytest.raises(SubmissionUnconfirmed):
            scene.submit()
        scene.world.jobs.join()
        callback = scene.adapter.read_callback(scene.sent[-1])
        assert callback is not None
        job = {**scene.kept[-1], **callback.job}

        assert scene.adapter.poll(job, None).phase == "succeeded"
        assert len(scene.adapter.read_insights(scene.adapter.fetch(job, None)).transcript) == 4

    @pytest.mark.parametrize("job", [{"job_id": "j"}, {"job_id": "j", "name": "another"}])
    def test_a_conversation_that_cannot_be_found_is_said_so(self, scene: StandIn, job: dict[str, str]) -> None:
        scene.finished()
        with pytest.raises(ProviderRejected, match="answer was lost"):
            scene.adapter.fetch(job, None)

    @pytest.mark.parametrize("dials", [{}, {"no_list": True}])
    def test_what_was_not_taken_is_bought_at_the_next_try(self, scene: StandIn, dials: dict[str, Any]) -> None:
        scene.dials(fail_next=[{"call": BUY, "status": 500}], **dials)
        with pytest.raises(SubmissionUnconfirmed):
            scene.submit()
        assert scene.submit(scene.kept[-1])["job_id"]
        assert scene.paid == 1

    def test_a_list_that_cannot_be_had_now_is_waited_for(self, scene: StandIn) -> None:
        scene.dials(fail_next=[{"call": "symbl.conversations", "status": 500}])
        with pytest.raises(ProviderUnavailable):
            scene.submit({"name": NAME})
        assert scene.paid == 0

    def test_a_job_that_there_is_is_not_bought_again(self, scene: StandIn) -> None:
        job = scene.submit()
        assert scene.submit(job) == job
        assert scene.submit({"job_id": job["job_id"]}) == {"name": NAME, "job_id": job["job_id"]}
        assert scene.paid == 1

    def test_another_job_for_the_same_media_is_bought(self, scene: StandIn) -> None:
        assert scene.submit({"name": "rec-media-x"})["name"] == NAME


class TestCallback:
    def test_only_ends_count(self, scene: StandIn) -> None:
        job = scene.finished()
        assert isinstance(scene.adapter, CallsBack)
        assert [json.loads(request.body)["status"] for request in scene.sent] == [
            "scheduled",
            "in_progress",
            "completed",
        ]
        callbacks = [scene.adapter.read_callback(request) for request in scene.sent]
        assert callbacks[:2] == [None, None]
        assert callbacks[2] is not None
        assert (callbacks[2].job, callbacks[2].is_result) == ({"job_id": job["job_id"]}, False)

    def test_a_failure_is_an_end(self, scene: StandIn) -> None:
        scene.dials(job_fails="no speech", callback="early")
        scene.submit()
        assert scene.adapter.read_callback(scene.sent[-1]) is not None

    @pytest.mark.parametrize("token", ["", "x" + TOKEN[1:], TOKEN[:-1], TOKEN + "0", "é"])
    def test_wrong_token(self, token: str) -> None:
        request = CallbackRequest(b'{"jobId":"j","status":"completed"}', {}, token, secrets=[[TOKEN]])
        with pytest.raises(CallbackForged) as raised:
            OverScript({}).adapter.read_callback(request)
        assert_nothing_leaks(raised.value)

    def test_nobody_expects_it(self) -> None:
        with pytest.raises(CallbackForged):
            OverScript({}).adapter.read_callback(CallbackRequest(b"{}", {}))

    @pytest.mark.parametrize(
        "body",
        [
            *(
                b"",
                b"nonsense",
                b"\xff",
                b"[]",
                b"null",
                b"{}",
                b'{"jobId":"j"}',
                b'{"status":"completed"}',
                b"[" * 100_000,
            ),
            *(
                b'{"jobId":7,"status":"completed"}',
                b'{"jobId":"j","status":null}',
                b'{"jobId":"","status":"completed"}',
            ),
        ],
    )
    def test_authentic_nonsense(self, body: bytes) -> None:
        request = CallbackRequest(body, {}, TOKEN, secrets=[[TOKEN]])
        with pytest.raises(InvalidRequest):
            OverScript({}).adapter.read_callback(request)
        with pytest.raises(CallbackForged):
            OverScript({}).adapter.read_callback(replace(request, path_token="other"))

    @pytest.mark.parametrize("word", ["pondering", "IN_PROGRESS"])
    def test_unknown_words_end_nothing(self, word: str) -> None:
        body = json.dumps({"jobId": "j", "status": word}).encode()
        assert OverScript({}).adapter.read_callback(CallbackRequest(body, {}, TOKEN, secrets=[[TOKEN]])) is None
