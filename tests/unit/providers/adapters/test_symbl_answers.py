"""The Symbl adapter: its requests, and how it reads every kind of response."""

from typing import Any

import pytest
import requests

from recording_insights.errors import (
    CredentialsRefused,
    JobNotFound,
    MediaLinkExpired,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.providers.port import JobState
from sandbox.stand_ins.vendors.symbl.server import CREDENTIALS
from tests.unit.fakes import Scripted, response
from tests.unit.providers.adapters.symbl_scene import (
    ACCESS,
    BEYOND_JSON,
    BUY,
    BUY_AUDIO,
    IDS,
    JOB,
    LINK,
    LIST,
    LOGIN,
    NAME,
    STATE,
    TOKEN,
    UNAUTHORIZED,
    WEBHOOK,
    OverScript,
    assert_nothing_leaks,
    login,
)

DIARIZED = [("enableSpeakerDiarization", "true"), ("diarizationSpeakerCount", "2")]
TOOK = response(IDS, 201)
ECHO = {"message": f'"url" {LINK} and "webhookUrl" {WEBHOOK}/{TOKEN} cannot be reached'}


class TestSubmit:
    def test_as_it_leaves_us(self) -> None:
        scene = OverScript({BUY: [TOOK]})

        assert scene.submit() == JOB

        sent, asked = scene.sent(), scene.sent(LOGIN)
        assert asked.json == {"type": "application", **CREDENTIALS}
        assert sent.headers == {"Authorization": f"Bearer {ACCESS}"}
        assert sent.params == DIARIZED
        assert sent.json == {
            "url": LINK,
            "name": f"rec talk.mp4 {NAME}",
            "webhookUrl": f"{WEBHOOK}/{TOKEN}",
            "detectPhrases": True,
            "detectEntities": False,
            "enableSummary": True,
        }
        assert scene.kept == [{"name": NAME}]

    @pytest.mark.parametrize("key", ["a.mp3", "a.WAV", "a.m4a"])
    def test_audio_has_a_path_of_its_own(self, key: str) -> None:
        assert OverScript({BUY_AUDIO: [TOOK]}).submit(key=key) == JOB

    @pytest.mark.parametrize(
        ("option", "value", "sent"),
        [
            ("language", "de", {"languageCode": "de-DE"}),
            ("language", "en", {"languageCode": "en-US"}),
            ("language", "pt", {"languageCode": "pt-BR"}),
            ("language", "en-GB", {"languageCode": "en-GB"}),
            ("language", "sw", {"languageCode": "sw"}),
            ("custom_vocabulary", ["Agora"], {"customVocabulary": ["Agora"]}),
            ("confidence_threshold", 0.75, {"confidenceThreshold": 0.75}),
            ("detect_phrases", False, {"detectPhrases": False}),
            ("entities", [{"customType": "t", "text": "x"}], {"entities": [{"customType": "t", "text": "x"}]}),
            ("entities", [{"customType": "t", "text": "x"}], {"detectEntities": True}),
            ("trackers", [{"name": "t", "vocabulary": ["x"]}], {"trackers": [{"name": "t", "vocabulary": ["x"]}]}),
            ("all_trackers", True, {"enableAllTrackers": True}),
            ("summary", False, {"enableSummary": False}),
            ("mode", "phone", {"mode": "phone"}),
        ],
    )
    def test_options(self, option: str, value: Any, sent: dict[str, Any]) -> None:
        scene = OverScript({BUY: [TOOK]})
        scene.submit(**{option: value})
        assert scene.sent().json.items() >= sent.items()

    @pytest.mark.parametrize(
        ("options", "count"),
        [
            ({"speakers": 5}, "5"),
            ({"language": "es"}, "2"),
            ({"language": "en-IN"}, "2"),
            ({"language": "de"}, None),
            ({"language": "de", "speakers": 3}, "3"),
        ],
    )
    def test_diarization(self, options: dict[str, Any], count: str | None) -> None:
        scene = OverScript({BUY: [TOOK]})
        scene.submit(**options)
        assert dict(scene.sent().params).get("diarizationSpeakerCount") == count

    def test_no_conversation_id_is_made_up_for_by_the_name(self) -> None:
        scene = OverScript({BUY: [response({"jobId": "job-1"}, 201)], LIST: [listed({"id": 42, "name": f"x {NAME}"})]})
        job = scene.submit()
        assert (job["job_id"], job["conversation_id"]) == ("job-1", "")
        assert scene.adapter._conversation(job) == "/v1/conversations/42"

    @pytest.mark.parametrize(
        "entry", [{}, {"name": NAME}, {"id": "1"}, {"id": "1", "name": f"{NAME}2"}, {"id": "", "name": NAME}]
    )
    def test_a_list_without_ours(self, entry: dict[str, Any]) -> None:
        scene = OverScript({BUY: [TOOK], LIST: [listed(entry)]})
        assert scene.submit({"name": NAME}) == JOB
        assert scene.sent(LIST).params == [("limit", "1000"), ("order", "desc")]

    @pytest.mark.parametrize("answer", BEYOND_JSON)
    def test_an_unreadable_list_buys_nothing(self, answer: requests.Response) -> None:
        with pytest.raises(ProviderUnavailable):
            OverScript({LIST: [answer]}).submit({"name": NAME})

    def test_a_refused_list_buys_nothing(self) -> None:
        with pytest.raises(ProviderRejected, match='"limit" is too large'):
            OverScript({LIST: [response({"message": '"limit" is too large'}, 400)]}).submit({"name": NAME})


def listed(*entries: Any) -> requests.Response:
    return response({"conversations": [None, *entries]})


class TestRefusals:
    @pytest.mark.matrix
    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (response(ECHO, 400), ProviderRejected),
            (response({"message": "gone"}, 404), ProviderRejected),
            (response({"message": "conflict"}, 409), ProviderRejected),
            (response({"error": {"url": LINK}}, 422), ProviderRejected),
            (response({"message": "pay"}, 402), OutOfCredit),
            (response({"message": "Insufficient credits"}, 403), OutOfCredit),
            (response({"message": "Your free minutes are exhausted"}, 400), OutOfCredit),
            (response({"message": "Insufficient balance"}), OutOfCredit),
            (response({"statusCode": 429, "message": "busy"}, 429), ProviderBusy),
            (response({"statusCode": 429, "message": "busy"}), ProviderBusy),
            (response({"statusCode": 400, "message": "bad url"}), ProviderRejected),
            (response({"message": "bad url"}), ProviderRejected),
            (response({"error": "bad url"}, 201), ProviderRejected),
            (response({"statusCode": 500, "message": "oops"}), SubmissionUnconfirmed),
            (response({"message": "oops"}, 500), SubmissionUnconfirmed),
            (response({"conversationId": "42"}, 201), SubmissionUnconfirmed),
            (response({"jobId": None}, 201), SubmissionUnconfirmed),
            *((answer, SubmissionUnconfirmed) for answer in BEYOND_JSON),
            (requests.ReadTimeout(LINK), SubmissionUnconfirmed),
            (requests.ConnectionError(LINK), SubmissionUnconfirmed),
            (requests.ConnectTimeout(LINK), ProviderUnavailable),
        ],
    )
    def test_of_a_submission(self, answer: Scripted, error: type[ProviderError]) -> None:
        with pytest.raises(ProviderError) as raised:
            OverScript({BUY: [answer]}).submit()
        assert type(raised.value) is error
        assert_nothing_leaks(raised.value)

    def test_the_vendors_words_remain(self) -> None:
        with pytest.raises(ProviderRejected, match=r'HTTP 400: "url" \(link\) and "webhookUrl" \(link\) cannot'):
            OverScript({BUY: [response(ECHO, 400)]}).submit()

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (response(UNAUTHORIZED, 401), CredentialsRefused),
            (response({"message": "bad appId"}, 400), CredentialsRefused),
            (response({"message": "no"}, 403), CredentialsRefused),
            (response({"statusCode": 401, "message": "no"}), CredentialsRefused),
            (response({"message": "no such path"}, 404), ProviderUnavailable),
            (response({"statusCode": 429}, 429), ProviderBusy),
            (response({"message": "maintenance"}), ProviderUnavailable),
            *((answer, ProviderUnavailable) for answer in BEYOND_JSON),
            (requests.ReadTimeout(), ProviderUnavailable),
        ],
    )
    def test_of_a_login(self, answer: Scripted, error: type[ProviderError]) -> None:
        with pytest.raises(ProviderError) as raised:
            OverScript({LOGIN: [answer] * 2}).submit()
        assert type(raised.value) is error
        assert_nothing_leaks(raised.value)

    @pytest.mark.parametrize("refusal", [response(UNAUTHORIZED, 401), response({"statusCode": 401, "message": "no"})])
    def test_a_token_is_renewed_once(self, refusal: requests.Response) -> None:
        scene = OverScript({LOGIN: [login(), login("newer")], BUY: [refusal, TOOK]})
        assert scene.submit() == JOB
        assert scene.sent().headers == {"Authorization": "Bearer newer"}
        with pytest.raises(CredentialsRefused):
            OverScript({LOGIN: [login(), login()], BUY: [refusal, refusal]}).submit()

    def test_a_token_serves_for_its_life(self) -> None:
        states = [response({"status": "scheduled"})] * 3
        scene = OverScript({LOGIN: [login(), login("newer", "soon")], STATE: states})
        for elapsed in (0, 86339, 86340):
            scene.clock.elapsed = elapsed
            scene.adapter.poll(JOB, None)
        assert scene.session.asked.count(LOGIN) == 2


class TestPoll:
    @pytest.mark.parametrize(
        ("status", "phase"),
        [
            ("scheduled", "running"),
            ("in_progress", "running"),
            ("completed", "succeeded"),
            ("COMPLETED", "succeeded"),
            ("failing", "running"),
            ({"new": "shape"}, "running"),
        ],
    )
    def test_words(self, status: Any, phase: str) -> None:
        scene = OverScript({STATE: [response({"id": "job-1", "status": status})]})
        assert scene.adapter.poll(JOB, None) == JobState(phase, str(status).lower())  # type: ignore[arg-type]

    def test_a_failure_without_a_reason(self) -> None:
        state = OverScript({STATE: [response({"id": "job-1", "status": "failed"})]}).adapter.poll(JOB, None)
        assert state.reason == "Symbl failed the job: no reason given"

    @pytest.mark.parametrize(
        ("message", "expired"),
        [
            (f"Could not download {LINK}: 403 Forbidden", True),
            ("the link has expired", True),
            ("file: AccessDenied", True),
            ("Subscription expired", False),
            (f"Could not decode {LINK}", False),
        ],
    )
    def test_an_expired_link(self, message: str, expired: bool) -> None:
        scene = OverScript({STATE: [response({"id": "job-1", "status": "failed", "message": message})]})
        if not expired:
            reason = str(scene.adapter.poll(JOB, None).reason)
            assert "5ec0de" not in reason
            return
        with pytest.raises(MediaLinkExpired) as raised:
            scene.adapter.poll(JOB, None)
        assert_nothing_leaks(raised.value)

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (response({"message": "no such job"}, 404), JobNotFound),
            (response({"message": "try later"}), ProviderUnavailable),
            (response({"statusCode": 404, "message": "no such job"}), JobNotFound),
            (response({"id": "job-1", "status": None}), ProviderUnavailable),
            *((answer, ProviderUnavailable) for answer in BEYOND_JSON),
        ],
    )
    def test_unusable(self, answer: requests.Response, error: type[ProviderError]) -> None:
        with pytest.raises(ProviderError) as raised:
            OverScript({STATE: [answer]}).adapter.poll(JOB, None)
        assert type(raised.value) is error

    def test_an_id_is_no_path(self) -> None:
        scene = OverScript({"GET /v1/job/..%2Fx%3Fy": [response({"status": "completed"})]})
        assert scene.adapter.poll({"job_id": "../x?y"}, None).phase == "succeeded"


@pytest.mark.parametrize(
    ("message", "is_providers_fault"),
    [
        # "Error Codes" in https://github.com/symblai/symbl-docs (docs/developer-tools), for HTTP 500
        ("Internal Server Error -- We had a problem with our server. Try again later.", True),
        ("Internal Server Error", True),
        ("We had a problem with our server. Try again later.", True),
        # Nobody's words
        (f"The file of the url {LINK} could not be downloaded: 500 Internal Server Error", False),
        ("Internal Server Error: the audio cannot be decoded", False),
        ("the audio cannot be decoded", False),
        ("unsupported codec", False),
        (None, False),
    ],
)
def test_a_fault_that_symbl_calls_its_own(message: str | None, is_providers_fault: bool) -> None:
    job = {"id": "job-1", "status": "failed", "message": message}
    state = OverScript({STATE: [response(job)]}).adapter.poll(JOB, None)
    assert (state.phase, state.is_providers_fault) == ("failed", is_providers_fault)
