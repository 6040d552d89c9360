"""Amazon Transcribe in this process: the local cloud's code behind the stand-in, without sockets.

`local_cloud` starts the cloud. `behind` puts it behind stand-ins that are created later. `boto3_client` is a client for
the adapter that does not use HTTP.
"""

import asyncio
import contextlib
import functools
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
import pytest_socket
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from flask.testing import FlaskClient

from sandbox.cloud.emulator.transcribe import Recognition, refuse_what_transcribe_refuses, transcribe_real_speech
from sandbox.stand_ins.vendors.registry import vendors
from sandbox.stand_ins.vendors.transcribe.cloud import CloudAnswer
from sandbox.stand_ins.vendors.transcribe.server import transcribe_blueprint
from tests.stand_in_session import HOST, FakeSocket, TimedOut, skipped_delays

ACCOUNT, REGION = "123456789012", "eu-central-1"
MEDIA_BUCKET, OUTPUT_BUCKET = "recordings", "replies"


@dataclass
class LocalCloud:
    """ministack's Transcribe and S3 on their own event loop. `sandbox` recognises the media of jobs.

    `events` are the details of the announced state changes. `recognition` replaces the sandbox's answer to the media of
    a job.
    """

    loop: asyncio.AbstractEventLoop
    sandbox: FlaskClient | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    recognition: Recognition | Exception | None = None
    announce: Callable[[Mapping[str, Any]], None] | None = None
    queries: list[Mapping[str, str]] = field(default_factory=list)

    def ask(self, path: str, headers: Mapping[str, str], body: bytes) -> CloudAnswer:
        """Answer a call that the proxy forwards."""
        from ministack.services import transcribe  # type: ignore[import-untyped]

        lower = {name.lower(): value for name, value in headers.items()}
        coroutine = _scoped(lambda: transcribe.handle_request("POST", path, lower, body, {}))
        status, answered, answer = asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()
        return CloudAnswer(status, answered["Content-Type"], answer)

    def join(self) -> None:
        """Wait until no job runs."""
        asyncio.run_coroutine_threadsafe(_others_done(), self.loop).result()

    def recognise(self, query: Mapping[str, str], media: bytes) -> Recognition:
        self.queries.append(query)
        if isinstance(self.recognition, Exception):
            raise self.recognition
        if self.recognition is not None:
            return self.recognition
        assert self.sandbox is not None
        answer = self.sandbox.post("/transcribe/hear", query_string=dict(query), data=media)
        return Recognition(answer.status_code, dict(answer.headers), answer.data)

    def emit(self, detail: dict[str, Any]) -> None:
        self.events.append(detail)
        if self.announce:
            self.announce(detail)

    def put(self, key: str, content: bytes, bucket: str = MEDIA_BUCKET) -> None:
        from ministack.core.responses import request_scope  # type: ignore[import-untyped]
        from ministack.services import s3

        with request_scope(ACCOUNT, REGION):
            assert s3._put_object(bucket, key, content, {"content-length": str(len(content))})[0] == 200

    def get(self, key: str, bucket: str = OUTPUT_BUCKET) -> bytes | None:
        from ministack.core.responses import request_scope
        from ministack.services import s3

        with request_scope(ACCOUNT, REGION):
            content: bytes | None = s3._get_object_data(bucket, key)
            return content

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """S3's, for the adapter."""
        content = self.get(Key, Bucket)
        if content is None:
            missing: Any = {"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(missing, "GetObject")
        return {"Body": io.BytesIO(content)}

    def empty(self) -> None:
        """Delete all jobs and objects; the buckets stay."""
        from ministack.core.responses import request_scope
        from ministack.services import s3, transcribe

        self.join()
        transcribe.reset()
        s3.reset()
        with request_scope(ACCOUNT, REGION):
            for bucket in (MEDIA_BUCKET, OUTPUT_BUCKET, "recordings-bucket", "replies-bucket"):
                assert s3._create_bucket(bucket, b"")[0] == 200
        self.events.clear()
        self.queries.clear()
        self.recognition = None


async def _scoped(call: Any) -> Any:
    from ministack.core.responses import request_scope

    with request_scope(ACCOUNT, REGION):
        return await call()


async def _others_done() -> None:
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


@contextlib.contextmanager
def local_cloud(sandbox_url: str | None = None) -> Iterator[LocalCloud]:
    """Run the cloud with its corrections, and restore ministack at the end.

    Its jobs are recognised by the sandbox at this URL, without a URL by `LocalCloud.sandbox`.
    """
    from ministack.services import eventbridge, transcribe

    with pytest.MonkeyPatch.context() as patch:
        for name in ("_run_job_inner", "_transcript_document", "_emit_state_change", "_JOB_RUN_SECONDS"):
            patch.setattr(transcribe, name, getattr(transcribe, name))
        patch.setattr(transcribe, "handle_request", transcribe.handle_request)
        cloud = LocalCloud(_event_loop())
        patch.setattr(eventbridge, "_dispatch_event", lambda e: cloud.emit(json.loads(e["Detail"])))
        transcribe_real_speech(sandbox_url or "http://nobody.test", None if sandbox_url else cloud.recognise)
        refuse_what_transcribe_refuses()
        thread = threading.Thread(target=cloud.loop.run_forever, daemon=True)
        thread.start()
        cloud.empty()
        yield cloud
        cloud.loop.call_soon_threadsafe(cloud.loop.stop)
        thread.join()
        cloud.loop.close()


def _event_loop() -> asyncio.AbstractEventLoop:
    # An event loop wakes itself through a pair of local sockets.
    with pytest.MonkeyPatch.context() as patch:
        for name in ("socket", "getaddrinfo", "gethostbyname"):
            patch.setattr(socket, name, getattr(socket, name))
        pytest_socket.enable_socket()
        return asyncio.new_event_loop()


def behind(cloud: LocalCloud, patch: pytest.MonkeyPatch) -> None:
    """Put this cloud behind the Transcribe of stand-ins that are created from now on."""
    blueprint = functools.partial(transcribe_blueprint, ask=cloud.ask)
    patch.setitem(vendors(), "transcribe", replace(vendors()["transcribe"], blueprint=blueprint))


def boto3_client(stand_ins: FlaskClient, *, careful: bool = True) -> Any:
    """boto3's Transcribe, which calls the stand-in in this process. Not `careful`, it does not validate parameters."""
    client = boto3.client(
        "transcribe",
        endpoint_url=f"{HOST}/transcribe",
        region_name=REGION,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=careful),
    )
    _send_to(stand_ins, client)
    return client


def boto3_calls_stand_ins(stand_ins: FlaskClient, patch: pytest.MonkeyPatch) -> None:
    """Let each client that boto3 makes from now on call the stand-ins in this process; its endpoint is below `HOST`."""
    make = boto3.client

    def make_connected(service: str, **options: Any) -> Any:
        client = make(service, **options)  # type: ignore[call-overload]
        _send_to(stand_ins, client)
        return client

    patch.setattr(boto3, "client", make_connected)
    credentials = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}
    for name, value in {**credentials, "AWS_DEFAULT_REGION": REGION}.items():
        patch.setenv(name, value)


def _send_to(stand_ins: FlaskClient, client: Any) -> None:
    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        connection = FakeSocket()
        try:
            with skipped_delays():
                answer = stand_ins.post(
                    request.url.removeprefix(HOST),
                    headers={name: _text(value) for name, value in request.headers.items()},
                    data=request.body,
                    base_url=HOST,
                    environ_overrides={"werkzeug.socket": connection},
                )
        except TimedOut:
            raise ReadTimeoutError(endpoint_url=request.url) from None
        if connection.is_down:
            raise ConnectionClosedError(endpoint_url=request.url)
        headers = HTTPHeaders.from_dict(dict(answer.headers))
        return AWSResponse(request.url, answer.status_code, headers, _Raw(answer.data))

    client.meta.events.register_first("before-send", send)


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
