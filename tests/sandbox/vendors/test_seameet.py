"""SeaMeet's stand-in: what it takes, what it refuses, and its callback."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.stand_ins.vendors.seameet import server as stand_in
from sandbox.stand_ins.vendors.seameet.server import CREDENTIALS
from tests.sandbox.conftest import FakeSpeechEngine, StandIns

ROOT = f"/seameet/seameet-api/api/v1/workspaces/{CREDENTIALS['workspaceId']}"
MEETING = {
    "meeting_name": "call_1",
    "channel_type": "PHONE",
    "language": "en-US",
    "start_time": "2024-05-30T21:53:34",
    "resource_metadata": {"call_id": "123"},
}
SCENARIO = {"customer_number": "0933123456", "customer_name": "John", "agent_name": "Jane"}
ANALYSIS = {
    "channels": 1,
    "file_name": "a.wav",
    "scenario": "customer_service_call",
    "scenario_parameters": {**SCENARIO, "enable_agent_recognition": True},
    "enable_punctuation": True,
}
MISSING = object()


class Customer:
    def __init__(self, stand_ins: StandIns) -> None:
        self.stand_ins = stand_ins
        self.headers = {"Authorization": f"Bearer {CREDENTIALS['apiKey']}"}

    def call(self, method: str, path: str, **wanted: Any) -> Any:
        return self.stand_ins.client.open(f"{ROOT}{path}", method=method, **{"headers": self.headers, **wanted})

    def meeting(self) -> str:
        return str(self.call("POST", "/meetings", json=MEETING).json["id"])

    def link(self, meeting: str, name: str = "a.wav") -> str:
        reply = self.call("POST", f"/meetings/{meeting}/upload_audio_url", json={"name": name})
        assert reply.status_code == 200, reply.json
        assert reply.json.keys() == {"upload_audio_url", "expired_time"}
        return str(reply.json["upload_audio_url"])

    def put(self, link: str, audio: bytes = b"media", **wanted: Any) -> Any:
        parts = urlsplit(link)
        return self.stand_ins.client.put(parts.path, query_string=parts.query, data=audio, **wanted)

    def uploaded(self, audio: bytes = b"media") -> str:
        meeting = self.meeting()
        assert self.put(self.link(meeting), audio).status_code == 200
        return meeting

    def analyze(self, meeting: str, **changes: Any) -> Any:
        return self.call("POST", f"/meetings/{meeting}/analyze_audio", json=changed(ANALYSIS, changes))

    def analyzed(self, audio: bytes = b"media", **changes: Any) -> str:
        reply = self.analyze(self.uploaded(audio), **changes)
        assert reply.status_code == 200, reply.json
        self.stand_ins.finish()
        return str(reply.json["job"]["id"])

    def job(self, job_id: str) -> Any:
        return self.call("GET", f"/jobs/{job_id}").json


def changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**body, **changes}.items() if value is not MISSING}


@pytest.fixture
def seameet(shared_stand_ins: StandIns) -> Customer:
    return Customer(shared_stand_ins)


@pytest.fixture
def called(shared_stand_ins: StandIns) -> StandIns:
    """The stand-ins with a workspace that is called back."""
    shared_stand_ins.dials(seameet={"callback_url": "https://us.test/callbacks/seameet"})
    return shared_stand_ins


def test_a_meeting_looks_as_documented(seameet: Customer) -> None:
    meeting = seameet.call("POST", "/meetings", json=MEETING).json
    assert meeting.pop("id").startswith("seax_")
    assert meeting == {
        "owner_id": "stand-in",
        "name": "call_1",
        "participants_number": 0,
        "status": "INITIAL",
        "start_time": "2024-05-30T21:53:34.000000",
        "language": "en-US",
        "duration": 0,
        "flag": "WAITING",
        "channel_type": "PHONE",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((name, MISSING) for name in ("meeting_name", "channel_type", "language", "start_time")),
        ("meeting_name", " "),
        ("channel_type", "phone"),
        ("language", "de-DE"),
        ("start_time", "2024-05-30"),
        ("start_time", "2024-05-30T21:53:34+00:00"),
        ("start_time", 7),
        ("resource_metadata", "123"),
    ],
)
def test_a_meeting_is_checked(seameet: Customer, field: str, value: Any) -> None:
    reply = seameet.call("POST", "/meetings", json=changed(MEETING, {field: value}))
    assert (reply.status_code, field in reply.json["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        ("POST", "/meetings", None),
        ("POST", "/meetings", ""),
        ("POST", "/meetings", "Bearer"),
        ("POST", "/meetings", "Bearer other"),
        ("POST", "/meetings", f"bearer {CREDENTIALS['apiKey']}"),
        ("GET", "/jobs/x", None),
        ("DELETE", "/meetings/x", None),
    ],
)
def test_a_wrong_key_is_401(seameet: Customer, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert seameet.call(method, path, headers=headers, json=MEETING).status_code == 401


def test_another_workspace_is_403(seameet: Customer, shared_stand_ins: StandIns) -> None:
    path = f"{ROOT}x/meetings"
    assert shared_stand_ins.client.post(path, headers=seameet.headers, json=MEETING).status_code == 403


@pytest.mark.parametrize("path", ["/meetings/x/upload_audio_url", "/meetings/x/analyze_audio"])
def test_an_unknown_meeting_is_404(seameet: Customer, path: str) -> None:
    reply = seameet.call("POST", path, json={"name": "a.wav"})
    assert (reply.status_code, reply.json) == (404, {"detail": "MeetingNotFoundError"})


@pytest.mark.parametrize(("method", "path"), [("GET", "/meetings"), ("POST", "/jobs/x"), ("POST", ""), ("GET", "/x")])
def test_a_wrong_route_is_404(seameet: Customer, method: str, path: str) -> None:
    assert seameet.call(method, path).status_code == 404


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ({}, {"name": "a.wav"}, 200),
        ({"file_name": "a.wav"}, {}, 200),
        ({"file_name": "a.wav"}, {"name": "a.wav"}, 200),
        ({"file_name": "a.wav"}, {"name": "b.wav"}, 400),
        ({}, {}, 400),
        ({"name": "a.wav"}, {"file_name": "a.wav"}, 400),
        ({}, {"name": 7}, 400),
        ({}, {"name": "a/b.wav"}, 400),
        ({"file_name": "a.wav"}, [], 400),
    ],
)
def test_the_name_comes_in_the_body_or_in_the_query(seameet: Customer, query: Any, body: Any, status: int) -> None:
    path = f"/meetings/{seameet.meeting()}/upload_audio_url"
    assert seameet.call("POST", path, query_string=query, json=body).status_code == status


def test_a_name_is_good_once_per_meeting(seameet: Customer) -> None:
    meeting = seameet.meeting()
    seameet.link(meeting)
    reply = seameet.call("POST", f"/meetings/{meeting}/upload_audio_url", json={"name": "a.wav"})
    assert (reply.status_code, reply.json) == (409, {"detail": "the file name already exists"})
    seameet.link(seameet.meeting())


class TestStorage:
    def test_it_takes_the_bytes_once(self, seameet: Customer) -> None:
        link = seameet.link(seameet.meeting())
        assert [seameet.put(link).status_code for _ in range(2)] == [200, 403]

    def test_it_expires(self, seameet: Customer, shared_stand_ins: StandIns) -> None:
        link = seameet.link(seameet.meeting())
        shared_stand_ins.now[0] += 3600
        reply = seameet.put(link)
        assert (reply.status_code, b"<Code>AccessDenied</Code>" in reply.data) == (403, True)

    def test_dial_expired_links(self, seameet: Customer, shared_stand_ins: StandIns) -> None:
        shared_stand_ins.dials(seameet={"link_expired_next": 1})
        meeting = seameet.meeting()
        links = [seameet.link(meeting, name) for name in ("a.wav", "b.wav")]
        assert [seameet.put(link).status_code for link in links] == [403, 200]

    def test_it_wants_no_authorization(self, seameet: Customer) -> None:
        reply = seameet.put(seameet.link(seameet.meeting()), headers=seameet.headers)
        assert (reply.status_code, b"InvalidArgument" in reply.data) == (400, True)

    def test_it_wants_a_length(self, seameet: Customer) -> None:
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        reply = seameet.put(seameet.link(seameet.meeting()), environ_overrides=chunked)
        assert (reply.status_code, b"MissingContentLength" in reply.data) == (411, True)

    @pytest.mark.parametrize(("old", "new"), [("Signature=", "Signature=0"), ("a.wav", "b.wav"), ("seax_", "seax")])
    def test_another_link_is_not_signed(self, seameet: Customer, old: str, new: str) -> None:
        reply = seameet.put(seameet.link(seameet.meeting()).replace(old, new))
        assert (reply.status_code, b"SignatureDoesNotMatch" in reply.data) == (403, True)


class TestAnalysis:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("channels", MISSING),
            *(("channels", value) for value in (0, 3, "1", True, None)),
            ("channel", 2),
            *(("file_name", value) for value in (7, "")),
            ("audio_start_offset", -1),
            *(("scenario", value) for value in ("other", None)),
            ("scenario_parameters", MISSING),
            ("scenario_parameters", {}),
            *(("scenario_parameters", {**SCENARIO, "direction": value}) for value in ("inbound", 1)),
            *(("scenario_parameters", {**SCENARIO, name: "no"}) for name in ("went_to_voicemail", "spoke_to_agent")),
            ("speaker_accounts", [1]),
            ("diarization_options", "by_client"),
            *(("num_speakers", value) for value in (0, 2.5, True)),
            ("reset_meeting", 1),
            ("queue_type", "SHARED"),
            ("meeting_id", "seax_other"),
        ],
    )
    def test_the_body_is_checked(self, seameet: Customer, field: str, value: Any) -> None:
        reply = seameet.analyze(seameet.uploaded(), **{field: value})
        assert reply.status_code == 400, reply.json
        assert seameet.stand_ins.ledger()["paid"] == {}

    @pytest.mark.parametrize("name", ["b.wav", MISSING])
    def test_audio_that_is_not_there(self, seameet: Customer, name: Any) -> None:
        meeting = seameet.meeting()
        seameet.link(meeting)
        for file_name in ("a.wav", name):
            reply = seameet.analyze(meeting, file_name=file_name)
            assert (reply.status_code, reply.json) == (404, {"detail": "AudioNotFoundError"})

    @pytest.mark.parametrize(
        "changes",
        [
            {"channels": MISSING, "channel": 2},
            {"speaker_accounts": []},
            {"speaker_accounts": "kontak_customer_181"},
            {"scenario_parameters": {**SCENARIO, "direction": None}},
            {"scenario": MISSING, "scenario_parameters": MISSING},
            {"file_name": MISSING},
            {"audio_sample_rate": 8000, "audio_encoding": "pcm_s8le", "audio_format": "mp3"},
        ],
    )
    def test_what_must_not_be_refused(self, seameet: Customer, changes: Any) -> None:
        assert seameet.job(seameet.analyzed(**changes))["status"] == "FINISHED"

    def test_the_job_never_has_a_result(self, seameet: Customer) -> None:
        meeting = seameet.uploaded()
        job = seameet.analyze(meeting).json["job"]
        assert job.keys() == {"id", "type", "relations", "parameters", "status", "error_message", "result"}
        assert (job["status"], job["parameters"]) == ("QUEUED", ANALYSIS)
        assert job["relations"] == {"meeting_id": meeting, "workspace_id": CREDENTIALS["workspaceId"]}
        seameet.stand_ins.finish()
        assert seameet.job(job["id"]) == {**job, "status": "FINISHED"}
        assert seameet.stand_ins.ledger()["paid"] == {"seameet.jobs": 1}

    def test_an_unknown_job_is_404(self, seameet: Customer) -> None:
        assert seameet.job("x") == {"detail": "The requested data does not exist."}

    @pytest.mark.parametrize(
        ("changes", "speakers"),
        [({}, None), ({"num_speakers": 3}, 3), ({"num_speakers": 3, "diarization_options": "disabled"}, 1)],
    )
    def test_speakers(self, stand_ins: StandIns, engine: FakeSpeechEngine, changes: Any, speakers: int | None) -> None:
        Customer(stand_ins).analyzed(**changes)
        assert engine.speakers == [speakers]

    def test_what_fails(self, seameet: Customer, called: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
        job = seameet.job(seameet.analyzed(b"nonsense"))
        assert (job["status"], job["result"]) == ("FAILED", None)
        assert "cannot be decoded" in job["error_message"]
        called.dials(seameet={"job_fails": "no speech"})
        assert seameet.job(seameet.analyzed())["error_message"] == "no speech"
        monkeypatch.setattr(stand_in, "MOST_BYTES", 4)
        assert seameet.job(seameet.analyzed())["error_message"] == "the audio is larger than 300MB"
        assert called.sent == []

    def test_dials_of_the_state(self, seameet: Customer, shared_stand_ins: StandIns) -> None:
        shared_stand_ins.dials(seameet={"unknown_state": "PONDERING"})
        job_id = seameet.analyzed()
        assert [seameet.job(job_id)["status"] for _ in range(2)] == ["PONDERING", "FINISHED"]
        shared_stand_ins.dials(seameet={"unknown_state": None, "job_never_ends": True})
        assert seameet.job(seameet.analyzed())["status"] == "QUEUED"

    def test_a_deleted_meeting_is_forgotten(self, seameet: Customer) -> None:
        meeting = seameet.uploaded()
        reply = seameet.call("DELETE", f"/meetings/{meeting}")
        assert (reply.status_code, reply.data) == (200, b"")
        assert seameet.analyze(meeting).status_code == 404
