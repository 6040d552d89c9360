"""The handlers as Lambda calls them, with an AWS in memory and a scripted Marsview."""

import io
import json
import logging
import wave
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from events import admit_media, publish_changes, report_stopped_execution
from recording_insights.aws import clients
from recording_insights.errors import SettingsInvalid
from recording_insights.model.media_object import MediaObject
from recording_insights.providers.toolkit import http as vendor_http
from recording_insights.store.intake import IntakeStore
from recording_insights.store.media import MediaStore
from routes import get_insights, get_media, list_insights, open_upload
from states import poll_job, recover_recording, report_failure, save_insights, submit_recording
from tests.unit.environment import ENVIRONMENT
from tests.unit.fake_step_functions import FakeStepFunctions
from tests.unit.fakes import FakeClock, FakeContext, FakeVendorSession, response
from tests.unit.watch.recovery_scene import Recovery
from tests.unit.wired import rewire

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HANDLERS = (
    *(admit_media, submit_recording, poll_job, save_insights, report_failure, report_stopped_execution),
    *(get_insights, get_media, list_insights, open_upload, recover_recording, publish_changes),
)
KEY = "by hand/two words+.wav"
CREDENTIALS = {"apiKey": "the-api-key", "apiSecret": "the-api-secret", "userId": "me@example.com"}
SENSITIVE = ("the-api-key", "the-api-secret", "the-access-token", "X-Amz-Signature=")
V1 = "/cb/v1/conversation"


@pytest.fixture(scope="module")
def buckets(fake_aws: None) -> "S3Client":
    """The two buckets, with one recording, and the secret."""
    import boto3

    s3 = clients.s3()
    for name in ("recordings-bucket", "replies-bucket"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="recordings-bucket", Key=KEY, Body=_wav())
    secrets = {"recording-insights/handlers/marsview": CREDENTIALS, ENVIRONMENT["WEBHOOK_SECRET"]: {"key": "k" * 64}}
    for name, secret in secrets.items():
        boto3.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(secret))
    return s3


@pytest.fixture
def step_functions() -> FakeStepFunctions:
    return FakeStepFunctions(machine=ENVIRONMENT["WORKFLOW_ARN"])


@pytest.fixture(autouse=True)
def deployed(
    table: Any, buckets: "S3Client", step_functions: FakeStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment that the stack gives, in workers that have just started."""
    changes = {"STAGE": "handlers", "TABLE_NAME": table.name, "FAILOVER": "[]"}
    base_urls = {"BASE_URLS": '{"marsview": "https://marsview.test"}'}
    for name, value in {**ENVIRONMENT, **changes, **base_urls}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clients, "table", lambda name, short_calls: table if name == table.name else None)
    rewire(monkeypatch, *HANDLERS, step_functions=step_functions)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> FakeVendorSession:
    """A Marsview that is through at the second poll and echoes the link it was given."""
    state = "GET /cb/v1/conversation/get_txn/txn-1"
    echo = "https://recordings-bucket.s3.amazonaws.com/a.wav?X-Amz-Signature=5ec0de"
    session = FakeVendorSession(
        {
            "POST /cb/v1/auth/create_access_token": [
                response({"status": True, "data": {"accessToken": "the-access-token", "expiresIn": 3600}})
            ]
            * 2,
            f"POST {V1}/save_file_link": [response({"status": True, "data": {"txnId": "txn-1"}})],
            f"POST {V1}/compute": [
                response(
                    {"status": True, "data": {"enableModels": [{"modelType": "speech_to_text", "requestId": "r-1"}]}}
                )
            ],
            state: [_states("uploaded"), _states("processed")],
            f"GET {V1}/fetch_metadata/txn-1": [
                response({"status": True, "data": {"link": echo, "transcript": [{"sentence": "Guten Tag."}]}})
            ],
        }
    )
    monkeypatch.setattr(vendor_http, "_session", lambda: session)
    return session


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that the functions have logged, extra fields included."""
    names = [module.__name__.rpartition(".")[2].replace("_", "-") for module in HANDLERS]
    for name in names:
        logging.getLogger(name).addHandler(caplog.handler)
    yield lambda: "\n".join(str(record.__dict__) for record in caplog.records)
    for name in names:
        logging.getLogger(name).removeHandler(caplog.handler)


@pytest.fixture
def announce(captured_event: Callable[[str], Any], buckets: "S3Client") -> Callable[..., Any]:
    """The event of the recording's arrival."""

    def event(key: str = KEY) -> Any:
        event = captured_event("object_created")
        size, etag = len(_wav()), buckets.head_object(Bucket="recordings-bucket", Key=KEY)["ETag"].strip('"')
        event["detail"]["object"].update(key=key, size=size, etag=etag)
        return event

    return event


def _wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    return buffer.getvalue()


def _states(status: str) -> Any:
    models = [{"modelType": "speech_to_text", "state": {"status": status}}]
    return response({"status": True, "data": {"enableModels": models}})


def test_the_queue_keeps_the_messages_that_failed(
    announce: Any, step_functions: FakeStepFunctions, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = {"good": announce(), "broken": {"detail": {}}, "ignored": announce("notes.txt")}
    messages = [{"messageId": name, "body": json.dumps(body)} for name, body in bodies.items()]
    messages.append({"messageId": "too deep", "body": "[" * 200_000})
    assert admit_media.handler({"Records": messages}, FakeContext(60_000)) == {
        "batchItemFailures": [{"itemIdentifier": "broken"}, {"itemIdentifier": "too deep"}]
    }
    assert len(step_functions.executions) == 1
    assert "message broken was not admitted, it will come again" in caplog.text


def test_in_a_pause_the_queue_keeps_all_messages(
    announce: Any, step_functions: FakeStepFunctions, table: Any, request: pytest.FixtureRequest
) -> None:
    intake, event = IntakeStore(table), {"Records": [{"messageId": "a", "body": json.dumps(announce())}]}
    request.addfinalizer(intake.go_on)
    intake.pause("operator")
    assert admit_media.handler(event, FakeContext(60_000)) == {"batchItemFailures": [{"itemIdentifier": "a"}]}
    assert not step_functions.executions

    intake.go_on()
    assert admit_media.handler(event, FakeContext(60_000)) == {"batchItemFailures": []}
    assert len(step_functions.executions) == 1


def test_a_recording_goes_through_all_functions(
    announce: Any,
    vendor: FakeVendorSession,
    step_functions: FakeStepFunctions,
    buckets: "S3Client",
    table: Any,
    logs: Callable[[], str],
) -> None:
    admitted = admit_media.handler(announce(), None)
    ((name, state),) = step_functions.executions.items()
    assert name == admitted["execution"]

    history = [state]
    for module in (submit_recording, poll_job, poll_job, save_insights):
        history.append(module.handler(history[-1], None))
    _, submitted, running, succeeded, saved = history

    assert (submitted["outcome"], running["outcome"], succeeded["outcome"]) == ("running", "running", "succeeded")
    assert saved["items"] == {"transcript": 1}
    (link,) = [call.json["link"] for call in vendor.calls if call.path.endswith("save_file_link")]
    assert link.startswith("https://recordings-bucket.s3.")
    assert "/by%20hand/two%20words%2B.wav?" in link
    assert "X-Amz-Expires=2700" in link
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
    assert vendor.left_over == [], "each worker logs in once"

    request = {"pathParameters": {"recording_id": state["recording_id"]}, "routeKey": "GET /x", "requestContext": {}}
    answer = get_insights.handler(request, FakeContext())
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["transcript"] == [{"text": "Guten Tag.", "id": f"{state['media_id']}-0-1"}]
    for asks in ({"queryStringParameters": {"format": "vtt"}}, {"headers": {"Accept": "text/vtt"}}):
        answer = get_insights.handler({**request, **asks}, FakeContext())
        assert answer["headers"]["content-type"] == "text/vtt; charset=utf-8"
        assert answer["body"] == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nGuten Tag.\n"
    [played] = json.loads(get_media.handler(request, FakeContext())["body"])["media"]
    assert "/by%20hand/two%20words%2B.wav?response-content-type=audio%2Fwav&" in played["url"]
    assert "X-Amz-Expires=900" in played["url"]
    assert "X-Amz-Signature=" in played["url"]

    reply = buckets.get_object(Bucket="replies-bucket", Key=f"{state['recording_id']}/{state['media_id']}-0.json")
    everything = f"{reply['Body'].read()!r} {table.scan()['Items']} {history} {logs()}"
    assert "Guten Tag." in everything
    for sensitive in SENSITIVE:
        assert sensitive not in everything


def test_the_link_of_an_upload_takes_one_file_and_is_told_to_its_caller_only(
    table: Any, logs: Callable[[], str]
) -> None:
    """The signature covers type, length, content, and that there is no object yet."""
    checksum = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    body = json.dumps({"name": "Talk.MP4", "size": 77, "checksum": checksum})
    answer = open_upload.handler({"body": body, "routeKey": "POST /uploads", "requestContext": {}}, FakeContext())

    content = json.loads(answer["body"])
    assert (answer["statusCode"], answer["headers"]["location"]) == (201, f"/recordings/{content['recording_id']}")
    url = content["upload"]["url"]
    assert url.startswith("https://recordings-bucket.s3.eu-central-1.amazonaws.com/uploads/")
    assert f"/uploads/{content['recording_id']}/media.mp4?" in url
    signed = "content-length%3Bcontent-type%3Bhost%3Bif-none-match%3Bx-amz-checksum-sha256"
    assert f"&X-Amz-SignedHeaders={signed}&" in url
    assert "&X-Amz-Expires=900&" in url
    assert content["upload"]["headers"] == {
        "content-type": "video/mp4",
        "if-none-match": "*",
        "x-amz-checksum-sha256": checksum,
    }
    for sensitive in SENSITIVE:
        assert sensitive not in f"{table.scan()['Items']} {logs()}"


def test_the_same_event_again_starts_nothing(announce: Any, step_functions: FakeStepFunctions) -> None:
    outcomes = [admit_media.handler(announce(), None) for _ in range(3)]

    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert len(step_functions.executions) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": "gone.wav"}, "the object is gone"),
        ({"etag": "00000000000000000000000000000000"}, "the object was replaced by another"),
        (
            {"key": "list.m3u8"},
            "not a media file (.mp4, .m4a, .mp3, .wav, .webm, .ogg, .opus, .flac, .aac, .aiff, .mov, .mkv)",
        ),
    ],
)
def test_what_is_ignored_is_logged_with_the_reason(
    announce: Any, step_functions: FakeStepFunctions, logs: Callable[[], str], change: dict[str, str], reason: str
) -> None:
    event = announce()
    event["detail"]["object"].update(change)

    assert admit_media.handler(event, None) == {"ignored": reason}

    assert reason in logs()
    assert not step_functions.executions


def test_an_incomplete_environment_is_said_so(announce: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKFLOW_ARN")

    with pytest.raises(SettingsInvalid, match=r"^WORKFLOW_ARN is missing$"):
        admit_media.handler(announce(), None)


def test_slices_that_no_mp4_holds_start_an_execution(
    buckets: "S3Client", step_functions: FakeStepFunctions, table: Any
) -> None:
    recovery = Recovery(table, FakeClock())
    recovery.slices(2)
    for key, (content, _) in recovery.folder.objects.items():
        buckets.put_object(Bucket="recordings-bucket", Key=key, Body=content)

    states = [recover_recording.handler(recovery.watch.to_state(), None) for _ in range(2)]

    assert [(state["outcome"], state["looked_at_slices"]) for state in states] == [("over", True)] * 2
    [row] = recovery.recovered
    assert [state["media_id"] for state in step_functions.executions.values()] == [row["media_id"]]


@pytest.fixture
def admitted(announce: Any, table: Any) -> dict[str, Any]:
    """The input of an execution."""
    media = MediaObject.from_event(announce())
    MediaStore(table).admit("r" * 32, media, providers=["marsview"], duration_ms=1000)
    return {"recording_id": "r" * 32, "media_id": media.media_id, "key": media.key}


def test_a_failure_is_reported(admitted: dict[str, Any], table: Any, logs: Callable[[], str]) -> None:
    reported = report_failure.handler({**admitted, "outcome": "failed", "reason": "Marsview is away"}, None)

    assert reported == {"recording_id": "r" * 32, "key": KEY, "reason": "Marsview is away"}
    assert MediaStore(table).get("r" * 32, admitted["media_id"])["reason"] == "Marsview is away"
    assert "Marsview is away" in logs()


def test_a_stopped_execution_is_reported(
    admitted: dict[str, Any], captured_event: Callable[[str], Any], table: Any, logs: Callable[[], str]
) -> None:
    event = captured_event("execution_aborted")
    event["detail"]["input"] = json.dumps(admitted)
    event["detail"]["name"] = MediaStore(table).get("r" * 32, admitted["media_id"])["execution"]

    report_stopped_execution.handler(event, None)

    assert MediaStore(table).get("r" * 32, admitted["media_id"])["reason"] == "the execution was aborted"
    assert "the execution was aborted" in logs()


def test_a_secret_that_is_missing_is_the_reason_of_a_wait(
    admitted: dict[str, Any], table: Any, vendor: FakeVendorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "elsewhere")

    state = submit_recording.handler(admitted, None)

    assert state["outcome"] == "parked"
    row = MediaStore(table).get("r" * 32, admitted["media_id"])
    assert row["reason_code"] == "secret_unusable"
    assert row["reason"].startswith("secret recording-insights/elsewhere/marsview: it does not exist")
    assert not vendor.calls
