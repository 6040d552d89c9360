"""boto3 before the served front of Transcribe: signatures survive it, and what it leads to is what was said."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.transcribe.cloud import AskCloud, CloudAnswer
from tests.transcribe_in_process import MEDIA_BUCKET, OUTPUT_BUCKET, REGION, LocalCloud, local_cloud

SECRET = "wJalrXUtnFEMI"
JOB = {
    "TranscriptionJobName": "job-1",
    "LanguageCode": "en-US",
    "MediaFormat": "mp4",
    "Media": {"MediaFileUri": f"s3://{MEDIA_BUCKET}/talk.mp4"},
    "OutputBucketName": OUTPUT_BUCKET,
    "OutputKey": "transcribe/job-1.json",
    "Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 5},
}


@dataclass
class HttpCloud:
    """The local cloud on loopback: what it was asked, and who answers."""

    answer: AskCloud
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def http_cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpCloud]:
    cloud = HttpCloud(lambda *_: CloudAnswer(200, "application/x-amz-json-1.1", b'{"TranscriptionJob": {}}'))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            cloud.asked.append((self.path, headers, body))
            answer = cloud.answer(self.path, headers, body)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield cloud
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(served: str, runtime: Runtime) -> Any:
    runtime.dials.reset()
    runtime.ledger.reset()
    return boto3.client(
        "transcribe",
        endpoint_url=f"{served}/transcribe",
        region_name=REGION,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key=SECRET,
        aws_session_token="a-session",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.start_transcription_job(**JOB),
        lambda client: client.get_transcription_job(TranscriptionJobName="job-1"),
        lambda client: client.list_transcription_jobs(Status="FAILED"),
        lambda client: client.delete_transcription_job(TranscriptionJobName="job-1"),
    ],
)
def test_signatures_hold_behind_the_front(client: Any, http_cloud: HttpCloud, call: Callable[[Any], Any]) -> None:
    """By the check that the local cloud itself makes."""
    from ministack.core.sigv4 import (  # type: ignore[import-untyped]
        header_signature_failure,
        parse_header_signature,
    )

    call(client)
    ((path, headers, body),) = http_cloud.asked
    signature = parse_header_signature(headers)
    assert not isinstance(signature, tuple)
    assert header_signature_failure(signature, SECRET, "POST", path, {}, headers, body) is None
    assert header_signature_failure(signature, "another", "POST", path, {}, headers, body) is not None
    assert headers["x-amz-security-token"] == "a-session"


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ConflictException"])
def test_errors_of_the_cloud_come_through(client: Any, http_cloud: HttpCloud, runtime: Runtime, code: str) -> None:
    error = json.dumps({"__type": code, "message": "no"}).encode()
    http_cloud.answer = lambda *_: CloudAnswer(400, "application/x-amz-json-1.0", error)
    with pytest.raises(ClientError, match=code):
        client.start_transcription_job(**JOB)
    assert runtime.ledger.as_json()["paid"] == {}


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9"])
def test_no_cloud_is_an_outage(client: Any, monkeypatch: pytest.MonkeyPatch, endpoint: str | None) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(ClientError) as caught:
        client.start_transcription_job(**JOB)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_dropped_connection(client: Any, http_cloud: HttpCloud, runtime: Runtime) -> None:
    call = "transcribe.start_transcription_job"
    runtime.dials.change({"fail_next": [{"call": call, "drop_connection": True, "after": True}]})
    with pytest.raises(ConnectionClosedError):
        client.start_transcription_job(**JOB)
    assert runtime.ledger.as_json()["paid"] == {"transcribe.jobs": 1}
    assert len(http_cloud.asked) == 1


@pytest.fixture
def cloud(served: str, http_cloud: HttpCloud) -> Iterator[LocalCloud]:
    with local_cloud(served) as cloud:
        http_cloud.answer = cloud.ask
        yield cloud


def test_a_job_ends_with_a_transcript_and_an_event(client: Any, cloud: LocalCloud, runtime: Runtime) -> None:
    cloud.put("talk.mp4", SAMPLE.read_bytes())
    client.start_transcription_job(**JOB)
    cloud.join()
    job = client.get_transcription_job(TranscriptionJobName="job-1")["TranscriptionJob"]
    assert job["TranscriptionJobStatus"] == "COMPLETED"
    results = json.loads(cloud.get("transcribe/job-1.json") or b"")["results"]
    assert "help you" in results["transcripts"][0]["transcript"].lower()
    assert results["speaker_labels"]["speakers"] == 2
    assert len(cloud.events) == 1
    # The job may hear before the call is answered that started it.
    *first_two, last = [line["call"] for line in runtime.ledger.as_json()["lines"]]
    assert sorted(first_two) == ["transcribe.hear", "transcribe.start_transcription_job"]
    assert last == "transcribe.get_transcription_job"
