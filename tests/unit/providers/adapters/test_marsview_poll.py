from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests

from recording_insights.errors import (
    JobNotFound,
    MediaLinkExpired,
    OutOfCredit,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from recording_insights.providers.port import JobState
from tests.unit.fakes import Scripted, response
from tests.unit.providers.adapters.marsview_scene import (
    COMPUTE,
    JOB,
    LINK,
    LOGIN,
    METADATA,
    SAVE,
    STATE,
    Scene,
    assert_nothing_leaks,
    saved,
    states,
    text_of,
)

FAULTS: list[tuple[Scripted, type[ProviderError], str]] = [
    (response("<html>", 502), ProviderUnavailable, "HTTP 502"),
    (requests.ConnectionError(f"Connection refused: {LINK}"), ProviderUnavailable, "no connection"),
    (response([1]), ProviderUnavailable, "no object"),
    (response({"status": False, "message": f"cannot read {LINK}"}), ProviderRejected, "cannot read"),
    (response({"status": False}), ProviderRejected, "no reason given"),
    (response({"status": False, "error": "FHU03", "message": "bad link"}, 400), ProviderRejected, "FHU03 bad link"),
    (response({"error": {"code": 7, "detail": LINK}}, 422), ProviderRejected, "HTTP 422"),
    (response({"status": False, "message": "no credit"}, 402), OutOfCredit, "HTTP 402: no credit"),
    (response({"status": False, "error": "AIRDOW002"}, 400), MediaLinkExpired, "AIRDOW002"),
    (response({"status": False, "error": {"code": "AIRDOW002"}}), MediaLinkExpired, "AIRDOW002"),
    (response({"status": False, "message": "x" * 600 + " AIRDOW002"}, 400), MediaLinkExpired, "AIRDOW002"),
]


class TestPoll:
    @pytest.mark.parametrize(
        ("models", "state"),
        [
            ([("a", "uploaded")], JobState("running", "uploaded")),
            ([("a", "processing")], JobState("running", "processing")),
            ([("a", "QUEUED_ON_MARS")], JobState("running", "queued_on_mars")),
            ([("a", "")], JobState("running", "unknown")),
            ([{"modelType": "a"}], JobState("running", "unknown")),
            ([{"modelType": "a", "state": "processed"}], JobState("succeeded", "processed")),
            ([("a", "Processed")], JobState("succeeded", "processed")),
            ([("a", "completed"), ("b", "processed")], JobState("succeeded", "completed, processed")),
            ([("a", "processed"), ("b", "uploaded")], JobState("running", "processed, uploaded")),
            ([("a", "error"), ("b", "uploaded")], JobState("running", "error, uploaded")),
            ([("a", "uploaded"), ("a", "processed")], JobState("running", "processed, uploaded")),
            (
                [{"state": {"status": "uploaded"}}, {"state": {"status": "error"}}],
                JobState("running", "error, uploaded"),
            ),
            (
                [("a", "processed"), {"modelType": "b", "state": {"status": "error", "message": "no speech"}}],
                JobState("succeeded", "error, processed", missing=("b: no speech",)),
            ),
            (
                [("a", "error"), {"modelType": "b", "state": {"status": "error", "error": {"code": "X1"}}}],
                JobState("failed", "error", "Marsview failed every model: a: no reason given; b: X1"),
            ),
            (
                [
                    {"modelType": "a", "state": {"status": "error", "message": ["no speech", {"at": 5}]}},
                    {"modelType": "b", "state": {"status": "error", "error": {"code": {"n": 7}, "message": 8}}},
                    {"modelType": "c", "state": {"status": "error", "error": [1], "message": {"text": "late"}}},
                ],
                JobState(
                    "failed",
                    "error",
                    'Marsview failed every model: a: ["no speech", {"at": 5}]; b: {"n": 7} 8; c: [1] {"text": "late"}',
                ),
            ),
            (
                [],
                JobState("failed", "no models", "Marsview lists no model for the transaction: nothing was computed"),
            ),
        ],
    )
    def test_a_job_is_final_only_when_every_model_is(self, models: list[Any], state: JobState) -> None:
        scene = Scene({STATE: [states(*models)]})

        polled = scene.poll(JOB)

        assert replace(polled, missing=tuple(polled.missing)) == state

    def test_a_transaction_that_it_does_not_know(self) -> None:
        with pytest.raises(JobNotFound, match="HTTP 404: gone"):
            Scene({STATE: [response({"message": "gone"}, 404)]}).poll(JOB)

    @pytest.mark.parametrize("data", [None, {}, {"enableModels": None}, {"enableModels": {}}, []])
    def test_a_reply_without_models_is_waited_out(self, data: Any) -> None:
        scene = Scene({STATE: [response({"status": True, "data": data})]})

        with pytest.raises(ProviderUnavailable, match="without the states of the models"):
            scene.poll(JOB)

    @pytest.mark.parametrize(
        "entry",
        [
            {"state": {"status": "error", "code": "AIRDOW002"}},
            {"state": {"status": "error", "message": "AIRDOW002: download failed"}},
            {"state": {"status": "error", "error": {"name": "AIRDOW002"}}},
            {"state": {"status": "error"}, "error": {"code": "AIRDOW002"}},
            {"modelConfig": {"custom_vocabulary": ["word"] * 500}, "state": {"status": "error", "code": "AIRDOW002"}},
        ],
    )
    def test_a_link_that_expired_is_said_so_wherever_the_code_stands(self, entry: dict[str, Any]) -> None:
        scene = Scene({STATE: [states(("meeting_topics", "uploaded"), {"modelType": "speech_to_text", **entry})]})

        with pytest.raises(MediaLinkExpired):
            scene.poll(JOB)


class TestFaults:
    """Every fault raises the right error, without a secret in its text; all calls read their responses alike."""

    PATHS: Mapping[str, Callable[[Scripted], tuple[Scene, Callable[[Scene], Any]]]] = {
        "log in": lambda fault: (Scene({LOGIN: [fault]}), Scene.submit),
        "save link": lambda fault: (Scene({SAVE: [fault]}), Scene.submit),
        "compute": lambda fault: (Scene({SAVE: [saved()], COMPUTE: [fault]}), Scene.submit),
        "look": lambda fault: (Scene({STATE: [fault]}), lambda scene: scene.submit({"transaction_id": "txn-1"})),
        "poll": lambda fault: (Scene({STATE: [fault]}), lambda scene: scene.poll(JOB)),
        "fetch": lambda fault: (Scene({METADATA: [fault]}), lambda scene: scene.provider.fetch(JOB, None)),
    }

    @pytest.mark.parametrize(("fault", "error", "words"), FAULTS)
    def test_each_becomes_our_error_and_tells_no_secret(
        self, fault: Scripted, error: type[ProviderError], words: str
    ) -> None:
        scene = Scene({STATE: [fault]})

        with pytest.raises(error) as raised:
            scene.poll(JOB)

        assert type(raised.value) is error
        assert words in str(raised.value)
        assert "Marsview" in str(raised.value)
        assert_nothing_leaks(text_of(raised.value))

    @pytest.mark.parametrize("path", PATHS)
    def test_no_call_is_repeated_by_itself(self, path: str) -> None:
        scene, act = self.PATHS[path](response("", 503))

        with pytest.raises(ProviderUnavailable) as raised:
            act(scene)

        assert type(raised.value) is ProviderUnavailable
        assert len(scene.session.asked) == len(set(scene.session.asked))
        assert not scene.session.left_over

    @pytest.mark.parametrize("path", PATHS)
    def test_every_call_reads_the_error_of_a_response_that_says_200(self, path: str) -> None:
        scene, act = self.PATHS[path](response({"status": False, "error": "FHU03", "message": f"cannot read {LINK}"}))

        with pytest.raises(ProviderRejected, match="HTTP 200: FHU03 cannot read") as raised:
            act(scene)

        assert_nothing_leaks(text_of(raised.value))

    def test_what_a_vendor_echoes_in_a_state_loses_its_link(self) -> None:
        echo = {"modelType": "a", "state": {"status": "error", "message": f"download of {LINK} failed"}}
        scene = Scene({STATE: [states(echo), states(("b", "processed"), echo)]})

        failed, partial = scene.poll(JOB), scene.poll(JOB)

        assert "talk.mp4?redacted" in str(failed.reason)
        assert "talk.mp4?redacted" in partial.missing[0]
        assert_nothing_leaks(repr(failed) + repr(partial))

    @pytest.mark.parametrize("data", [None, [], "text"])
    def test_metadata_without_data_is_waited_out(self, data: Any) -> None:
        scene = Scene({METADATA: [response({"status": True, "data": data})]})

        with pytest.raises(ProviderUnavailable, match="without data in the metadata"):
            scene.provider.fetch(JOB, None)

    def test_metadata_is_kept_as_it_came(self) -> None:
        body = b'{"status": true,  "data": {"transcript": [] , "n": 1.50}}'
        scene = Scene({METADATA: [response(body)]})

        assert scene.provider.fetch(JOB, None) == body
