"""The AssemblyAI adapter with scripted responses, some of which the stand-in cannot give."""

from collections.abc import Sequence
from typing import Any

import pytest
import requests

from recording_insights.errors import (
    CallbackForged,
    CredentialsRefused,
    InvalidRequest,
    JobNotFound,
    MediaLinkExpired,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.model.insights import Utterance
from recording_insights.providers.port import CallbackRequest
from tests.unit.fakes import response
from tests.unit.providers.adapters.assemblyai_scene import (
    ASK,
    GET,
    JOB,
    KEY,
    LIST,
    PLACE,
    TOKEN,
    TOOK,
    WEBHOOK,
    assert_nothing_leaks,
    scripted,
)

SILENT = "language_detection cannot be performed on files with no spoken audio."


class TestAsking:
    @pytest.mark.parametrize(
        ("answer", "error", "words"),
        [
            (
                response({"error": "Your current account balance is negative. Please top up."}, 400),
                OutOfCredit,
                "negative",
            ),
            (response({"error": "Insufficient funds"}, 400), OutOfCredit, "Insufficient"),
            (response({"error": "pay"}, 402), OutOfCredit, "402"),
            (response({"error": f"{'x' * 520} insufficient funds"}, 400), OutOfCredit, "xxx"),
            (
                response({"error": f"bad link {PLACE}?X-Amz-Signature=5ec0de to {WEBHOOK}"}, 400),
                ProviderRejected,
                "bad link",
            ),
            (response({"error": f"{'x' * 480} {TOKEN}"}, 400), ProviderRejected, "400"),
            (response({"error": "nobody may"}, 200), ProviderRejected, "nobody may"),
            (response([], 400), ProviderRejected, "no reason given"),
            (response({"error": KEY}, 403), CredentialsRefused, "403"),
            (response("<html>", 400), ProviderRejected, "no reason given"),
            (response({"error": "slow down"}, 429, {"Retry-After": "7"}), ProviderBusy, "busy"),
        ],
    )
    def test_refusals_bought_nothing(self, answer: requests.Response, error: type[ProviderError], words: str) -> None:
        with pytest.raises(error, match=words) as refused:
            scripted({ASK: [answer] * 2}).submit()
        assert type(refused.value) is error
        assert_nothing_leaks(refused.value)

    @pytest.mark.parametrize(
        "answer",
        [
            response({}),
            response([]),
            response({"status": "queued"}),
            response("<html>"),
            response({"error": "Server error, developers have been alerted."}, 500),
            requests.ReadTimeout(f"{PLACE}?X-Amz-Signature=5ec0de"),
        ],
    )
    def test_no_clear_answer_may_have_bought(self, answer: Any) -> None:
        scene = scripted({ASK: [answer]})
        with pytest.raises(SubmissionUnconfirmed) as lost:
            scene.submit()
        assert_nothing_leaks(lost.value)
        assert_nothing_leaks(AssertionError(scene.kept))

    def test_no_connection_bought_nothing(self) -> None:
        with pytest.raises(ProviderUnavailable) as away:
            scripted({ASK: [requests.ConnectTimeout()]}).submit()
        assert not isinstance(away.value, SubmissionUnconfirmed)

    def test_an_older_loss_is_not_forgotten_over_a_refusal(self) -> None:
        scene = scripted({ASK: [response("?"), response({}, 429)], LIST: [response({"transcripts": []})]})
        with pytest.raises(SubmissionUnconfirmed):
            scene.submit()
        with pytest.raises(ProviderBusy):
            scene.submit(scene.kept[-1])
        (first,), both = (job["asked"] for job in scene.kept)
        assert (both[0], len(both)) == (first, 2)

    def test_a_job_there_is_stays(self) -> None:
        scene = scripted({})
        assert scene.submit(JOB) == JOB

    @pytest.mark.parametrize(
        ("changes", "is_ours"),
        [
            ({}, True),
            ({"status": "error"}, True),
            ({"audio_url": f"{PLACE}?X-Amz-Date=20260312T000000Z&X-Amz-Signature=5ec0de0"}, True),
            ({"audio_url": f"{PLACE}?X-Amz-Signature=another&X-Amz-Date=20260312T000000Z"}, False),
            ({"audio_url": PLACE}, False),
            ({"audio_url": None}, False),
            ({"id": None}, False),
        ],
    )
    def test_what_in_the_list_is_ours(self, changes: Any, is_ours: bool) -> None:
        scene = scripted({ASK: [response("?"), response({**TOOK, "id": "t-2"})], LIST: []})
        with pytest.raises(SubmissionUnconfirmed):
            scene.submit()
        entry = {"id": "t-1", "status": "completed", "audio_url": scene.links[0], **changes}
        scene.session.script[LIST] = [response({"transcripts": [entry, None, {}]})]
        assert scene.submit(scene.kept[-1])["transcript_id"] == ("t-1" if is_ours else "t-2")
        assert [call.params for call in scene.session.calls if call.method == "GET"] == [[("limit", "200")]]


class TestPolling:
    @pytest.mark.parametrize(
        ("answer", "phase", "word"),
        [
            ({"status": "queued"}, "running", "queued"),
            ({"status": "PROCESSING"}, "running", "processing"),
            ({"status": "tired"}, "running", "tired"),
            ({"status": "completed", "text": "a"}, "succeeded", "completed"),
            ({"status": "error", "error": SILENT}, "succeeded", "error"),
            ({"status": "error", "error": "Transcoding failed."}, "failed", "error"),
            ({"status": "error"}, "failed", "error"),
            (
                {"status": "completed", "text": "Deleted by user.", "audio_url": "http://deleted_by_user"},
                "failed",
                "deleted",
            ),
        ],
    )
    def test_words(self, answer: Any, phase: str, word: str) -> None:
        state = scripted({GET: [response({"id": "t-1", **answer})]}).adapter.poll(JOB, None)
        assert (state.phase, state.word) == (phase, word)

    @pytest.mark.parametrize(
        "answer", [response({"error": "Transcript lookup error, transcript id not found"}, 400), response({}, 404)]
    )
    def test_an_unknown_transcript(self, answer: requests.Response) -> None:
        with pytest.raises(JobNotFound, match=r"^AssemblyAI does not know the transcript, or no longer$"):
            scripted({GET: [answer]}).adapter.poll(JOB, None)

    def test_a_finished_transcript_is_fetched_once(self) -> None:
        scene = scripted({GET: [response({"id": "t-1", "status": "completed", "text": "Hm"})]})
        reply = scene.adapter.poll(JOB, None).reply
        assert scene.adapter.read_insights(reply or b"").transcript == [Utterance("Hm")]

    def test_silence_is_told_as_missing(self) -> None:
        scene = scripted({GET: [response({"id": "t-1", "status": "error", "error": SILENT})] * 2})
        assert scene.adapter.poll(JOB, None).missing == [f"transcript: {SILENT}"]
        assert scene.adapter.read_insights(scene.adapter.fetch(JOB, None)).transcript == []

    @pytest.mark.parametrize(
        ("result", "names"),
        [
            ({"sentiment_analysis": True, "sentiment_analysis_results": None}, ["sentiment_analysis"]),
            ({"iab_categories": True, "iab_categories_result": {"status": "unavailable"}}, ["iab_categories"]),
            ({"auto_highlights": True, "auto_highlights_result": {}}, ["auto_highlights"]),
            ({"entity_detection": True, "entities": []}, []),
            ({"iab_categories": False, "iab_categories_result": {"status": "unavailable"}}, []),
        ],
    )
    def test_features_without_a_result_are_missing(self, result: Any, names: Sequence[str]) -> None:
        answer = {"status": "completed", "text": "ja", "language_code": "de", **result}
        missing = scripted({GET: [response(answer)]}).adapter.poll(JOB, None).missing
        assert missing == [f"{name}: AssemblyAI delivered none (language de)" for name in names]

    @pytest.mark.parametrize("text", ["Download error, unable to download", "download error: no access to"])
    def test_a_download_that_failed_is_an_expired_link(self, text: str) -> None:
        answer = {"status": "error", "error": f"{text} {PLACE}?X-Amz-Signature=5ec0de."}
        with pytest.raises(MediaLinkExpired) as expired:
            scripted({GET: [response(answer)]}).adapter.poll(JOB, None)
        assert_nothing_leaks(expired.value)

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (response([]), ProviderUnavailable),
            (response({}), ProviderUnavailable),
            (response("<html>"), ProviderUnavailable),
            (response({}, 500), ProviderUnavailable),
            (response({"error": "no"}), ProviderRejected),
            (response({"error": "no"}, 400), ProviderRejected),
            (requests.ConnectionError(f"{PLACE}?X-Amz-Signature=5ec0de"), ProviderUnavailable),
        ],
    )
    def test_faults(self, answer: Any, error: type[ProviderError]) -> None:
        with pytest.raises(error) as fault:
            scripted({GET: [answer]}).adapter.poll(JOB, None)
        assert type(fault.value) is error
        assert_nothing_leaks(fault.value)

    @pytest.mark.parametrize("answer", [{"status": "queued", "text": None}, {"status": "completed"}, []])
    def test_what_is_no_completed_transcript_is_not_fetched(self, answer: Any) -> None:
        with pytest.raises(ProviderUnavailable):
            scripted({GET: [response(answer)]}).adapter.fetch(JOB, None)


def callback(body: Any, token: str | None = TOKEN, expected: str = TOKEN) -> CallbackRequest:
    headers = {} if token is None else {"x-recording-insights-token": token}
    return CallbackRequest(
        body if isinstance(body, bytes) else response(body).content, headers, secrets=[[expected]] if expected else []
    )


class TestCallbacks:
    @pytest.mark.parametrize("status", ["completed", "error", "perplexed"])
    def test_an_end(self, status: str) -> None:
        found = scripted({}).adapter.read_callback(callback({"transcript_id": "t-1", "status": status}))
        assert found is not None
        assert (found.job, found.is_result, found.key) == (JOB, False, None)

    @pytest.mark.parametrize(
        "body", [{"transcript_id": "t-1", "status": "processing"}, {"status": "redacted_audio_ready"}]
    )
    def test_no_end(self, body: Any) -> None:
        assert scripted({}).adapter.read_callback(callback(body)) is None

    @pytest.mark.parametrize(
        ("token", "expected"),
        [
            (None, TOKEN),
            ("", TOKEN),
            ("", ""),
            (TOKEN, ""),
            (f"8{TOKEN[1:]}", TOKEN),
            (f"{TOKEN}0", TOKEN),
            ("ü", TOKEN),
        ],
    )
    def test_forged(self, token: str | None, expected: str) -> None:
        for body in (b'{"transcript_id": "t-1", "status": "completed"}', b"nonsense"):
            with pytest.raises(CallbackForged) as forged:
                scripted({}).adapter.read_callback(callback(body, token, expected))
            assert_nothing_leaks(forged.value)

    @pytest.mark.parametrize(
        "body",
        [b"", b"nonsense", b"\xff", [], {}, {"transcript_id": 5}, {"transcript_id": "../t", "status": "completed"}],
    )
    def test_authentic_nonsense(self, body: Any) -> None:
        with pytest.raises(InvalidRequest):
            scripted({}).adapter.read_callback(callback(body))


@pytest.mark.parametrize(
    ("reason", "is_providers_fault"),
    [
        # https://www.assemblyai.com/docs/pre-recorded-audio/guides/retry-server-error: both, "resubmit the file"
        ("Internal server error. Please retry your request. If the error persists, please contact us.", True),
        ("Server error, developers have been alerted.", True),
        # https://github.com/AssemblyAI/cookbook/blob/master/core-transcription/common_errors_and_solutions.md
        ("File does not appear to contain audio. File type is text/html (HTML document, ASCII text).", False),
        ("Audio duration is too short.", False),
        ("Transcoding failed. File does not appear to contain audio.", False),
        # Nobody's words
        ("The file's web server error page is no audio", False),
        ("Internal server error: the codec is unsupported", False),
        ("Server error, the file cannot be decoded", False),
        ("Something went wrong", False),
        (None, False),
    ],
)
def test_a_fault_that_assemblyai_calls_its_own(reason: str | None, is_providers_fault: bool) -> None:
    transcript = {"id": "t-1", "status": "error", "error": reason}
    state = scripted({GET: [response(transcript)]}).adapter.poll(JOB, None)
    assert (state.phase, state.is_providers_fault) == ("failed", is_providers_fault)
