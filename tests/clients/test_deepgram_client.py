"""Deepgram's published client against the stand-in: the answer itself, the callback into a server, the errors."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from deepgram import DeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment

from recording_insights.providers.adapters.deepgram.calls import Deepgram
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.deepgram.server import CREDENTIALS, KEY_ID

FIRST_SECONDS = 11

pytestmark = pytest.mark.filterwarnings(r"ignore:websockets\..* is deprecated:DeprecationWarning")
"""The client imports old names of the websockets package."""


class Bucket(HTTPServer):
    """Gives the media by GET and takes results by PUT or POST, as presigned URLs of S3 do."""

    def __init__(self, media: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.media = media
        self.taken: list[tuple[str, str, dict[str, str], bytes]] = []
        self.arrived = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        known = self.path.startswith("/talk.mp4")
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(self.server.media if known else b"<Error/>")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(200)
        self.end_headers()
        self.server.arrived.set()

    do_POST = do_PUT

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    target: Path = tmp_path_factory.mktemp("media") / "talk.mp4"
    beginning_mp4(SAMPLE, FIRST_SECONDS, target)
    return target.read_bytes()


@pytest.fixture
def bucket(media: bytes) -> Iterator[Bucket]:
    server = Bucket(media)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(served: str, runtime: Runtime) -> Iterator[Any]:
    runtime.dials.reset()
    runtime.ledger.reset()
    made = client_of(served)
    yield made
    made._client_wrapper.httpx_client.httpx_client.close()
    runtime.dials.reset()


def client_of(served: str, key: str = CREDENTIALS["apiKey"]) -> Any:
    base = f"{served}/deepgram"
    environment = DeepgramClientEnvironment(base=base, production=base, agent=base, agent_rest=base)
    # By default it would repeat the call that is paid for.
    return DeepgramClient(api_key=key, environment=environment, max_retries=0)


def paid(runtime: Runtime) -> int:
    return int(runtime.ledger.as_json()["paid"].get("deepgram.jobs", 0))


def test_the_answer_is_the_result(client: Any, bucket: Bucket, runtime: Runtime, media: bytes) -> None:
    result = client.listen.v1.media.transcribe_url(
        url=f"{bucket.url}/talk.mp4",
        model="nova-3",
        diarize_model="latest",
        smart_format=True,
        utterances=True,
        sentiment=True,
        topics=True,
        intents=True,
        summarize="v2",
        tag=["a", "b"],
        keyterm=["order", "delivery office"],
    )
    assert result.metadata.sha256 == hashlib.sha256(media).hexdigest()
    assert result.metadata.duration == pytest.approx(FIRST_SECONDS, abs=0.5)
    assert result.metadata.tags == ["a", "b"]
    assert (result.metadata.channels, result.metadata.diarize_info.arch) == (1, "v2")
    spoken = result.results.channels[0].alternatives[0]
    assert "delivery office" in spoken.transcript
    assert {word.speaker for word in spoken.words} == {0, 1}
    assert spoken.words[0].start < spoken.words[-1].end <= FIRST_SECONDS
    assert result.results.utterances[0].words[0].punctuated_word == spoken.transcript.split()[0]
    assert result.results.summary.short
    assert result.results.sentiments.segments[0].start_word == 0
    assert -1 <= result.results.sentiments.average.sentiment_score <= 1
    assert result.results.topics.segments
    assert result.results.intents is not None
    assert spoken.paragraphs.paragraphs[0].sentences
    assert paid(runtime) == 1


def test_bytes_instead_of_a_link(client: Any, media: bytes) -> None:
    result = client.listen.v1.media.transcribe_file(request=media, model="nova-3")
    assert result.metadata.sha256 == hashlib.sha256(media).hexdigest()


@pytest.mark.parametrize(("asked", "method"), [("PUT", "PUT"), (None, "POST")])
def test_the_callback_is_the_result(
    client: Any, bucket: Bucket, runtime: Runtime, asked: str | None, method: str
) -> None:
    accepted = client.listen.v1.media.transcribe_url(
        url=f"{bucket.url}/talk.mp4?X-Amz-Signature=a%2Bb&X-Amz-Expires=60",
        callback=f"{bucket.url}/result.json?X-Amz-Signature=a%2Bb&X-Amz-Expires=60",
        **({"callback_method": asked} if asked else {}),
        model="nova-3",
        diarize_model="latest",
        smart_format=True,
        sentiment=True,
        topics=True,
        summarize="v2",
    )
    assert bucket.arrived.wait(60)
    ((command, path, headers, body),) = bucket.taken
    assert (command, path) == (method, "/result.json?X-Amz-Signature=a%2Bb&X-Amz-Expires=60")
    assert (headers["dg-token"], headers["content-type"]) == (KEY_ID, "application/json")
    assert json.loads(body)["metadata"]["request_id"] == accepted.request_id
    assert paid(runtime) == 1
    adapter = Deepgram(VendorHttp("Deepgram", "http://unused.test"), lambda fresh: CREDENTIALS)
    assert adapter.poll({}, body).phase == "succeeded"
    insights = adapter.read_insights(body)
    assert {utterance.speaker for utterance in insights.transcript} == {"0", "1"}
    assert insights.summary
    assert insights.topics
    runtime.jobs.join()


@pytest.mark.parametrize(
    ("spoilt", "status", "code"),
    [
        ({"model": "nova-9"}, 400, "Bad Request"),
        ({"url": "ftp://x.test/y"}, 400, "PAYLOAD_ERROR"),
        ({"url": "GONE"}, 400, "REMOTE_CONTENT_ERROR"),
        ({"callback": "https://x.test:9000/y"}, 400, "INVALID_QUERY_PARAMETER"),
    ],
)
def test_errors_have_the_shape_that_the_client_reads(
    client: Any, bucket: Bucket, runtime: Runtime, spoilt: dict[str, str], status: int, code: str
) -> None:
    call = {"url": f"{bucket.url}/talk.mp4", "model": "nova-3", **spoilt}
    call["url"] = call["url"].replace("GONE", f"{bucket.url}/gone.mp4")
    with pytest.raises(ApiError) as caught:
        client.listen.v1.media.transcribe_url(**call)
    assert (caught.value.status_code, caught.value.body["err_code"]) == (status, code)
    assert caught.value.body["request_id"]
    assert paid(runtime) == 0


def test_a_wrong_key(served: str, bucket: Bucket) -> None:
    stranger = client_of(served, "wrong")
    with pytest.raises(ApiError) as caught:
        stranger.listen.v1.media.transcribe_url(url=f"{bucket.url}/talk.mp4")
    assert (caught.value.status_code, caught.value.body["err_code"]) == (401, "INVALID_AUTH")
    stranger._client_wrapper.httpx_client.httpx_client.close()
