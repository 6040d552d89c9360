"""SeaMeet's published script, its requests as it really sends them, and the adapter, against the served stand-in."""

import hashlib
import hmac
import json
import queue
import threading
import urllib.parse
import wave
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.seameet.calls import SeaMeet
from recording_insights.providers.port import CallbackAddress, CallbackRequest, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4
from sandbox.stand_ins.hearing.pitch import SAMPLE_RATE
from sandbox.stand_ins.hearing.speech import decode
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.seameet.server import CREDENTIALS, SIGNING_KEY
from tests.unit.fakes import FakeStream

WORKSPACE = CREDENTIALS["workspaceId"]


class Script:
    """The four calls of the vendor's `import_meeting_audio.py` with its defaults."""

    def __init__(self, url_base: str, wav: Path, **changes: Any) -> None:
        self.url = f"{url_base}/api/v1/workspaces/{WORKSPACE}/meetings"
        self.wav = wav
        self.changes = changes

    def run(self) -> str:
        meeting_id = self.create_meeting()
        self.upload(self.upload_url(meeting_id))
        self.analyze(meeting_id)
        return meeting_id

    def create_meeting(self) -> str:
        body = {
            "meeting_name": "test meeting",
            "channel_type": "PHONE",
            "language": "zh-TW",
            "start_time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        }
        return str(self.query(self.url, body)["id"])

    def upload_url(self, meeting_id: str) -> str:
        parameters = {"file_name": self.wav.name}
        return str(self.query(f"{self.url}/{meeting_id}/upload_audio_url", {}, parameters)["upload_audio_url"])

    def upload(self, url: str) -> None:
        with self.wav.open("rb") as file:
            requests.put(url, data=file, timeout=10).raise_for_status()

    def analyze(self, meeting_id: str) -> Any:
        body = {
            "meeting_id": meeting_id,
            "channel": 1,
            "audio_start_offset": 0,
            "audio_format": "wav",
            "audio_sample_rate": 8000,
            "audio_encoding": "pcm_s8le",
            "scenario": "customer_service_call",
            "scenario_parameters": {
                "went_to_voicemail": False,
                "contains_recordings": False,
                "spoke_to_agent": False,
                "customer_number": "+886123456789",
                "customer_name": "test customer",
                "agent_name": "test agent",
                "enable_agent_recognition": True,
                "direction": None,
            },
            "file_name": self.wav.name,
            "speaker_accounts": [],
            "diarization_options": "by_server",
            "num_speakers": 2,
            "enable_itn": True,
            "enable_punctuation": True,
            "use_existing_audio": False,
            "reset_meeting": False,
            "queue_type": "DEDICATED",
        }
        return self.query(f"{self.url}/{meeting_id}/analyze_audio", {**body, **self.changes})

    def query(self, url: str, body: dict[str, Any], url_parameters: dict[str, str] | None = None) -> Any:
        if url_parameters:
            url += "?" + urllib.parse.urlencode(url_parameters)
        headers = {
            "accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {CREDENTIALS['apiKey']}",
        }
        with requests.Session() as session:
            response = session.send(requests.Request("POST", url, json=body, headers=headers).prepare(), timeout=10)
        response.raise_for_status()
        return response.json() if response.text else {}


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's first sentence; neither 8 kHz nor 8 bit, which is what the script says of any file."""
    folder = tmp_path_factory.mktemp("seameet")
    beginning_mp4(SAMPLE, 4.5, folder / "first.mp4")
    with wave.open(str(folder / "test.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(b"".join(decode(folder / "first.mp4")))
    return folder / "test.wav"


@pytest.fixture
def callbacks(served: str) -> Iterator["queue.Queue[CallbackRequest]"]:
    """What comes to the workspace's callback URL."""
    came: queue.Queue[CallbackRequest] = queue.Queue()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            came.put(CallbackRequest(body, headers, secrets=[[SIGNING_KEY]]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/callbacks/seameet"
        requests.put(f"{served}/dials", json={"seameet": {"callback_url": url}}, timeout=10).raise_for_status()
        yield came
        requests.put(f"{served}/dials", json={"seameet": {"callback_url": None}}, timeout=10).raise_for_status()
        server.shutdown()
        thread.join()


def test_the_script_is_called_back(served: str, wav: Path, callbacks: "queue.Queue[CallbackRequest]") -> None:
    meeting_id = Script(f"{served}/seameet/seameet-api", wav).run()

    callback = callbacks.get(timeout=120)
    signature = hmac.new(SIGNING_KEY.encode(), callback.body, hashlib.sha256).hexdigest()
    assert callback.headers["x-seasalt-server-signature"] == signature
    news = json.loads(callback.body)
    assert (news["event_name"], news["meeting_id"]) == ("dashboard_analysis_finished", meeting_id)
    (line, *_) = news["payload"]["transcript"]
    assert line["speaker"] == "test agent"
    assert "thank you for calling" in line["text"].lower()


def test_the_scripts_second_run_in_a_meeting_needs_another_name(served: str, wav: Path, runtime: Runtime) -> None:
    script = Script(f"{served}/seameet/seameet-api", wav)
    meeting_id = script.run()
    with pytest.raises(requests.HTTPError, match="409"):
        script.upload_url(meeting_id)
    runtime.jobs.join(120)


def test_a_chunked_upload_is_refused(served: str, wav: Path) -> None:
    script = Script(f"{served}/seameet/seameet-api", wav)
    url = script.upload_url(script.create_meeting())
    assert requests.put(url, data=iter([b"a", b"b"]), timeout=10).status_code == 411
    assert requests.put(url, data=b"ab", headers={"Authorization": "Bearer x"}, timeout=10).status_code == 400
    script.upload(url)


def test_the_adapter_streams_and_reads_what_it_is_told(
    served: str, wav: Path, callbacks: "queue.Queue[CallbackRequest]"
) -> None:
    with requests.Session() as session:
        seameet = SeaMeet(VendorHttp("SeaMeet", f"{served}/seameet", session), lambda fresh: CREDENTIALS)
        submission = Submission(
            title="A talk",
            name="name-0",
            media=MediaObject("recordings", "talk.wav", "etag", 5, datetime(2026, 3, 12, tzinfo=UTC)),
            options={"speakers": 1, "agent_name": "Jane"},
            make_link=lambda: pytest.fail("SeaMeet takes no link"),
            open_media=lambda: FakeStream(wav.read_bytes()),
            callback=CallbackAddress("", ""),
            delivery=Delivery("", "", lambda: pytest.fail("SeaMeet does not deliver")),
        )
        job = seameet.submit(submission, {}, lambda _: None)
        request = callbacks.get(timeout=120)
        callback = seameet.read_callback(request)

        assert callback is not None
        assert callback.key == job["callback_key"]
        assert seameet.poll(job, None).word == "FINISHED, no usable callback has come"
        (line, *_) = seameet.read_insights(request.body).transcript
    assert line.speaker == "Jane"
    assert "thank you for calling" in line.text.lower()
