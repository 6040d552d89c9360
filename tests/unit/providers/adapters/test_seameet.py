"""The SeaMeet adapter: its requests, and how it reads the responses."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
import requests

from recording_insights.errors import (
    CredentialsRefused,
    JobNotFound,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.seameet.calls import MOST_NAMES, SeaMeet
from recording_insights.providers.port import CallbackAddress, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from tests.unit.fakes import FakeVendorSession, Scripted, response
from tests.unit.providers.adapters.marsview_scene import text_of

ROOT = "/seameet-api/api/v1/workspaces/the-workspace"
CREATE = f"POST {ROOT}/meetings"
NAME = f"POST {ROOT}/meetings/seax_1/upload_audio_url"
UPLOAD = "PUT /audio.mp4?X-Amz-Signature=5ec0de"
ANALYZE = f"POST {ROOT}/meetings/seax_1/analyze_audio"
STATE = f"GET {ROOT}/jobs/job-1"

SECRET = {"apiKey": "the-api-key", "workspaceId": "the-workspace"}
WEBHOOK_SECRET = "the-webhook-secret"
LINK = "https://storage.test/audio.mp4?X-Amz-Signature=5ec0de"
KEPT = {"meeting_id": "seax_1", "callback_key": "seax_1"}
NAMED = {**KEPT, "names_used": 1}
UPLOADED = {**KEPT, "file_name": "name-0.mp4"}
JOB = {**UPLOADED, "job_id": "job-1"}
NEVER_CONNECTED = requests.ConnectTimeout()


class Media:
    def __len__(self) -> int:
        return 5

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"me", b"dia")


class Vault:
    def __init__(self, *secrets: Mapping[str, str]) -> None:
        self.secrets = secrets or (SECRET,)
        self.reads: list[bool] = []

    def __call__(self, fresh: bool) -> Mapping[str, str]:
        self.reads.append(fresh)
        return self.secrets[-1 if fresh else 0]


class Scene:
    """The adapter with a script of responses; calls before the scripted ones succeed."""

    def __init__(self, script: Mapping[str, Sequence[Scripted]], vault: Vault | None = None) -> None:
        well = {CREATE: [response({"id": "seax_1", "status": "INITIAL"})], NAME: [named()], UPLOAD: [response("")]}
        self.vault = vault or Vault()
        self.session = FakeVendorSession({**well, ANALYZE: [analyzed()], **script})
        self.provider = SeaMeet(VendorHttp("SeaMeet", "https://seameet.test", self.session), self.vault)
        self.kept: list[Any] = []

    def submit(self, job: Mapping[str, Any] | None = None, **options: Any) -> Any:
        return self.provider.submit(submission(options), job or {}, self.kept.append)

    def sent(self, call: str) -> list[Any]:
        return [c.json for c in self.session.calls if f"{c.method} {c.path}" == call]


def submission(options: Mapping[str, Any]) -> Submission:
    began = datetime.fromisoformat("2026-03-12T02:30:00+01:00")
    return Submission(
        title="A talk",
        name="name-0",
        media=MediaObject("recordings-bucket", "talk.MP4", "etag", 5, began),
        options=options,
        make_link=lambda: pytest.fail("SeaMeet takes no link"),
        open_media=Media,
        callback=CallbackAddress("https://us.test/callbacks/seameet", "token"),
        delivery=Delivery("replies", "key", lambda: pytest.fail("SeaMeet does not deliver")),
    )


def named(link: Any = LINK) -> requests.Response:
    return response({"upload_audio_url": link, "expired_time": "2026-03-12T02:30:00"})


def analyzed(**values: Any) -> requests.Response:
    return response({"job": {"id": "job-1", "status": "QUEUED", "result": None, **values}})


class TestSubmit:
    def test_meeting_then_link_then_bytes_then_analysis(self) -> None:
        scene = Scene({})

        assert scene.submit() == JOB

        assert scene.session.asked == [CREATE, NAME, UPLOAD, ANALYZE]
        assert scene.kept == [KEPT, NAMED, UPLOADED]
        assert scene.sent(CREATE) == [
            {
                "meeting_name": "A talk",
                "channel_type": "PHONE",
                "language": "en-US",
                "start_time": "2026-03-12T01:30:00",
                "resource_metadata": {"call_id": "name-0"},
            }
        ]
        create, name, upload, _ = scene.session.calls
        assert create.headers["Authorization"] == "Bearer the-api-key"
        assert (name.params, name.json) == ([("file_name", "name-0.mp4")], {"name": "name-0.mp4"})
        assert (upload.headers, upload.auth, b"".join(upload.data)) == ({}, None, b"media")
        (body,) = scene.sent(ANALYZE)
        assert body == {
            "meeting_id": "seax_1",
            "channel": 1,
            "channels": 1,
            "file_name": "name-0.mp4",
            "audio_start_offset": 0,
            "scenario": "customer_service_call",
            "scenario_parameters": {
                "customer_number": "unknown",
                "went_to_voicemail": False,
                "contains_recordings": False,
                "spoke_to_agent": True,
                "enable_agent_recognition": True,
            },
            "speaker_accounts": [],
            "diarization_options": "by_server",
            "enable_itn": True,
            "enable_punctuation": True,
            "use_existing_audio": False,
            "reset_meeting": False,
            "queue_type": "DEDICATED",
        }

    @pytest.mark.parametrize(
        ("options", "sent"),
        [({"speakers": 3}, {"num_speakers": 3}), ({"channels": 2}, {"channel": 2, "channels": 2})],
    )
    def test_options_of_the_analysis(self, options: Any, sent: Any) -> None:
        scene = Scene({})
        scene.submit(**options)
        assert scene.sent(ANALYZE)[0].items() >= sent.items()

    def test_options_of_the_scenario(self) -> None:
        names: dict[str, Any] = {"customer_number": "+886123456789", "customer_name": "王小明", "agent_name": "Jane"}
        flags: dict[str, Any] = {"went_to_voicemail": True, "contains_recordings": True, "spoke_to_agent": False}
        scene = Scene({})
        scene.submit(**names, **flags, direction="OUTBOUND")
        expected = {**names, **flags, "direction": "OUTBOUND", "enable_agent_recognition": True}
        assert scene.sent(ANALYZE)[0]["scenario_parameters"] == expected

    def test_the_language_is_the_meetings(self) -> None:
        scene = Scene({})
        scene.submit(language="zh-TW")
        assert scene.sent(CREATE)[0]["language"] == "zh-TW"

    @pytest.mark.parametrize(
        ("job", "asked", "reset"),
        [(KEPT, [NAME, UPLOAD, ANALYZE], False), (UPLOADED, [ANALYZE], True)],
    )
    def test_a_repeat_goes_on_where_the_first_try_ended(self, job: Any, asked: list[str], reset: bool) -> None:
        scene = Scene({})
        assert scene.submit(job) == JOB
        assert scene.session.asked == asked
        assert scene.sent(ANALYZE)[0]["reset_meeting"] is reset

    @pytest.mark.parametrize(
        ("status", "message"),
        [(409, ""), (409, "no"), (400, "File already exists"), (422, "FileNameConflictError"), (400, "duplicate name")],
    )
    def test_a_name_that_is_taken_gets_a_counter(self, status: int, message: str) -> None:
        scene = Scene({NAME: [response({"detail": message}, status)] * 2 + [named()]})
        assert scene.submit(KEPT)["file_name"] == "name-0-3.mp4"
        assert scene.sent(NAME) == [{"name": f"name-0{n}.mp4"} for n in ("", "-2", "-3")]
        assert scene.sent(ANALYZE)[0]["file_name"] == "name-0-3.mp4"

    def test_a_repeat_tries_no_name_of_an_earlier_attempt(self) -> None:
        scene = Scene({NAME: [named()] * 9, UPLOAD: [response("", 403)] * 9})
        job = KEPT
        for _ in range(9):
            with pytest.raises(ProviderUnavailable):
                scene.submit(job)
            job = scene.kept[-1]
        assert scene.sent(NAME) == [{"name": f"name-0{n}.mp4"} for n in ("", *(f"-{n}" for n in range(2, 10)))]

    def test_after_the_last_name_a_repeat_tries_the_last_one_again(self) -> None:
        scene = Scene({})
        assert scene.submit({**KEPT, "names_used": MOST_NAMES})["file_name"] == f"name-0-{MOST_NAMES}.mp4"

    @pytest.mark.parametrize(
        ("status", "message", "calls"),
        [(404, "The requested data does not exist.", 1), (400, "bad", 1), (409, "taken", MOST_NAMES)],
    )
    def test_other_refusals_of_a_name_are_final(self, status: int, message: str, calls: int) -> None:
        scene = Scene({NAME: [response({"detail": message}, status)] * calls})
        with pytest.raises(ProviderRejected, match=message):
            scene.submit(KEPT)
        assert NAME not in scene.session.left_over

    @pytest.mark.parametrize(
        "answer",
        [
            requests.ReadTimeout(),
            requests.ConnectionError(ConnectionResetError()),
            response("", 503),
            response("<html>", 200),
            response("", 200),
            response(["job-1"]),
            response({}),
            response({"job": None}),
            response({"job": {"id": None, "status": "QUEUED"}}),
            response({"message": "accepted"}),
        ],
        ids=lambda answer: repr(getattr(answer, "content", answer)),
    )
    def test_an_analysis_without_a_usable_answer_may_be_paid_for(self, answer: Any) -> None:
        scene = Scene({ANALYZE: [answer]})
        with pytest.raises(SubmissionUnconfirmed) as raised:
            scene.submit()
        assert scene.kept[-1] == UPLOADED
        assert_nothing_leaks(raised.value)

    @pytest.mark.parametrize(
        ("script", "kept"),
        [
            ({CREATE: [response({"name": "x"})]}, []),
            ({CREATE: [response([])]}, []),
            ({CREATE: [requests.ReadTimeout()]}, []),
            ({NAME: [named(None)]}, [KEPT]),
            ({NAME: [named(7)]}, [KEPT]),
            ({UPLOAD: [response("<Error/>", 403)]}, [KEPT, NAMED]),
            ({UPLOAD: [requests.ReadTimeout(LINK)]}, [KEPT, NAMED]),
            ({UPLOAD: [requests.exceptions.InvalidURL(LINK)]}, [KEPT, NAMED]),
            ({ANALYZE: [NEVER_CONNECTED]}, [KEPT, NAMED, UPLOADED]),
        ],
    )
    def test_nothing_is_paid_for_before_the_analysis(self, script: Any, kept: list[Any]) -> None:
        scene = Scene(script)
        with pytest.raises(ProviderUnavailable) as raised:
            scene.submit()
        assert type(raised.value) is ProviderUnavailable
        assert scene.kept == kept
        assert_nothing_leaks(raised.value)

    @pytest.mark.parametrize("answer", [response({"job": {"id": "job-1"}}), response({"id": "job-1", "error": None})])
    def test_the_job_comes_with_and_without_its_wrapper(self, answer: requests.Response) -> None:
        assert Scene({ANALYZE: [answer]}).submit()["job_id"] == "job-1"


def assert_nothing_leaks(error: BaseException) -> None:
    for sensitive in (*SECRET.values(), "X-Amz", "5ec0de"):
        assert sensitive not in text_of(error)


ERRORS: list[tuple[int, Any, type[ProviderError], str]] = [
    (400, {"detail": "channels is required"}, ProviderRejected, "SeaMeet answered HTTP 400: channels is required"),
    (404, {"error": "AudioNotFoundError"}, JobNotFound, "know the job: AudioNotFoundError"),
    (404, {"error": {"code": 12102, "message": "gone"}}, JobNotFound, "12102"),
    (404, "AudioNotFoundError", JobNotFound, "know the job: AudioNotFoundError"),
    (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, ProviderRejected, "field required"),
    (400, {"message": f"no audio at {LINK}"}, ProviderRejected, "redacted"),
    (400, {}, ProviderRejected, "no reason given"),
    (400, [], ProviderRejected, "no reason given"),
    (200, {"error": "MeetingNotFoundError"}, ProviderRejected, "MeetingNotFoundError"),
    (200, {"id": None, "error_message": "no such thing"}, ProviderRejected, "no such thing"),
    (402, {"detail": "pay"}, OutOfCredit, "pay"),
    (403, {"detail": "Forbidden"}, CredentialsRefused, "Forbidden"),
    (401, {}, CredentialsRefused, "no reason given"),
    (400, {"detail": "Insufficient account balance"}, OutOfCredit, "balance"),
    (200, {"error": "insufficient funds"}, OutOfCredit, "funds"),
    (429, {}, ProviderBusy, "429"),
]


@pytest.mark.parametrize(("status", "body", "error", "text"), ERRORS)
def test_errors(status: int, body: Any, error: type[ProviderError], text: str) -> None:
    answer = response(json.dumps(body), status)
    scene = Scene({STATE: [answer, answer]})
    with pytest.raises(error, match=text) as raised:
        scene.provider.poll(JOB, None)
    assert type(raised.value) is error
    assert_nothing_leaks(raised.value)


@pytest.mark.parametrize("call", [CREATE, NAME, ANALYZE])
def test_every_call_reads_the_error_of_a_response_that_says_200(call: str) -> None:
    with pytest.raises(OutOfCredit, match=r"SeaMeet answered HTTP 200: insufficient funds .*redacted") as raised:
        Scene({call: [response({"error": f"insufficient funds for {LINK}"})]}).submit()
    assert_nothing_leaks(raised.value)


class TestCredentials:
    @pytest.mark.parametrize("status", [401, 403])
    def test_a_rotated_secret_is_found_by_the_fresh_read(self, status: int) -> None:
        newer = {**SECRET, "apiKey": "newer", "workspaceId": "a/b"}
        elsewhere = "GET /seameet-api/api/v1/workspaces/a%2Fb/jobs/job-1"
        script = {STATE: [response({}, status)], elsewhere: [response({"status": "STARTED"})]}
        scene = Scene(script, Vault(SECRET, newer))

        assert scene.provider.poll(JOB, None).word == "STARTED"

        assert scene.vault.reads == [False, True]
        assert scene.session.calls[-1].headers["Authorization"] == "Bearer newer"

    def test_a_refused_analysis_was_not_bought_and_is_asked_for_again(self) -> None:
        scene = Scene({ANALYZE: [response({}, 401), analyzed()]})
        assert scene.submit() == JOB
        assert scene.session.asked == [CREATE, NAME, UPLOAD, ANALYZE, ANALYZE]
