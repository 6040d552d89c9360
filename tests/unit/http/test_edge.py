"""The edge: bodies, paths, problem documents, and the handlers of the API with captured events."""

import base64
import importlib
import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from recording_insights import errors
from recording_insights.agora.client import AgoraClient
from recording_insights.aws import clients
from recording_insights.aws.secrets import read_secret
from recording_insights.http.edge import LARGEST_BODY, HttpRequest, HttpResponse, http_route
from recording_insights.http.problems import problem_of
from recording_insights.settings import AgoraSettings
from recording_insights.store.intake import IntakeStore
from recording_insights.store.keys import recording_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import SECRET, FakeAgora
from tests.unit.agora.fake_sts import UPLOADER_KEY
from tests.unit.environment import ENVIRONMENT
from tests.unit.fake_step_functions import FakeStepFunctions
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import order
from tests.unit.wired import rewire
from wiring import agora_client

RECORDING_ID = "0123456789abcdef0123456789abcdef"


class Context:
    """Lambda's context, with 29 s left."""

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def answer(route: Any, event: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    reply = http_route(Logger(service="test"))(route)(event, Context())
    return reply["statusCode"], json.loads(reply["body"]), reply["headers"]


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(dict(request.json_object()))


ROLE = "arn:aws:sts::123456789012:assumed-role/backend"


@pytest.mark.parametrize(
    ("authorizer", "caller"),
    [
        ({"iam": {"userArn": f"{ROLE}/task-1"}}, ROLE),
        ({"iam": {"userArn": f"{ROLE}/task-2"}}, ROLE),
        (
            {"iam": {"userArn": "arn:aws:iam::123456789012:user/ops/deploy"}},
            "arn:aws:iam::123456789012:user/ops/deploy",
        ),
        ({"jwt": {"claims": {"sub": "client-1"}, "scopes": None}}, "client-1"),
        ({"jwt": {"claims": {}}}, ""),
        ({"iam": {"userArn": None}}, ""),
        (None, ""),
    ],
)
def test_the_caller_is_who_signed_or_whom_the_token_names(authorizer: Any, caller: str) -> None:
    request = HttpRequest.from_event({"requestContext": {"authorizer": authorizer}}, Context())
    assert request.caller == caller


USER = f"arn:aws-us-gov:iam::123456789012:user/{'p' * 511}/{'n' * 64}"
"""The longest ARN of a user."""


@pytest.mark.parametrize(
    ("authorizer", "who"),
    [
        ({"iam": {"userArn": f"{ROLE}/task-1"}}, f"{ROLE}/task-1"),
        ({"iam": {"userArn": USER}}, USER),
        ({"jwt": {"claims": {"sub": "auth0|5f7c", "client_id": "client-1"}}}, "auth0|5f7c"),
        ({"jwt": {"claims": {"client_id": "client-1"}}}, "client-1"),
        ({"jwt": {"claims": {"sub": " ", "client_id": "client-1"}}}, "client-1"),
        ({"jwt": {"claims": {"sub": "ad\nmin\x1b[2J\u202e\ud800"}}}, "ad\ufffdmin\ufffd[2J\ufffd\ufffd"),
        ({"jwt": {"claims": {"sub": "s" * 10_000}}}, "s" * 639 + "…"),
        ({"jwt": {"claims": {"sub": 7, "client_id": ["x"]}}}, None),
        ({"jwt": {"claims": {"sub": "", "client_id": "\t\n "}}}, None),
        ({"jwt": {"claims": "all"}}, None),
        ({"iam": {"userArn": None}}, None),
        ({"iam": "root", "jwt": "root"}, None),
        ("root", None),
        (None, None),
    ],
)
def test_who_calls_is_named_whole_and_printable(authorizer: Any, who: str | None) -> None:
    request = HttpRequest.from_event({"requestContext": {"authorizer": authorizer}}, Context())
    assert request.who == who


def logged_by(route: Any, event: dict[str, Any], caplog: pytest.LogCaptureFixture, **kind: Any) -> dict[str, Any]:
    """The fields of the one line that a handler logs."""
    http_route(Logger(service="logged"), **kind)(route)(event, Context())
    (record,) = caplog.records
    names = ("message", "who", "source_ip", "user_agent", "method", "path", "route", "status")
    return {name: vars(record)[name] for name in names if name in vars(record)}


def refuse(request: HttpRequest) -> HttpResponse:
    raise errors.Conflict("not now")


def break_down(request: HttpRequest) -> HttpResponse:
    raise KeyError("x")


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (lambda request: HttpResponse({}), {"message": "answered", "status": 200}),
        (refuse, {"message": "refused", "status": 409}),
        (break_down, {"message": "failed"}),
    ],
)
def test_one_line_says_who_did_what_from_where(
    route: Any, said: dict[str, Any], captured_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    event = captured_event("http_get_recording")
    assert logged_by(route, event, caplog) == {
        **said,
        "who": "arn:aws:sts::123456789012:assumed-role/backend/backend",
        "source_ip": "203.0.113.7",
        "user_agent": "python-requests/2.34.2",
        "method": "GET",
        "path": event["rawPath"],
        "route": "GET /recordings/{recording_id}",
    }


def test_a_hostile_request_makes_a_short_and_printable_line(caplog: pytest.LogCaptureFixture) -> None:
    hostile = "\x1b]0;x\x07\u202e\n" + "x" * 50_000
    http = {"method": hostile, "path": f"/{hostile}", "sourceIp": hostile, "userAgent": hostile}
    event = {"requestContext": {"http": http, "authorizer": {"jwt": {"claims": {"sub": hostile}}}}}
    fields = logged_by(lambda request: HttpResponse({}), event, caplog)
    assert all(str(value).isprintable() for value in fields.values())
    assert sum(len(str(value)) for value in fields.values()) < 2_000


@pytest.mark.parametrize(
    "context", [None, {}, {"http": None}, {"http": {"path": 7, "userAgent": ["x"]}}, {"http": "x"}]
)
def test_what_the_request_does_not_say_is_unknown(context: Any, caplog: pytest.LogCaptureFixture) -> None:
    fields = logged_by(lambda request: HttpResponse({}), {"requestContext": context}, caplog)
    assert [fields[name] for name in ("who", "source_ip", "user_agent", "method", "path")] == [None] * 5


def test_the_path_of_a_webhook_is_in_no_line(captured_event: Any, caplog: pytest.LogCaptureFixture) -> None:
    token = "0123456789abcdef" * 4
    event = captured_event("http_callback")
    event["requestContext"]["http"]["path"] = event["rawPath"] = f"/webhooks/symbl/job/{token}"
    fields = logged_by(lambda request: HttpResponse({}), event, caplog, is_anonymous=True)
    assert fields.items() >= {"who": None, "source_ip": "203.0.113.7", "method": "POST"}.items()
    assert "path" not in fields
    assert token not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize(
    ("event", "status", "field"),
    [
        ({"body": '{"a": 1}'}, 200, None),
        ({"body": base64.b64encode('{"a": "ü"}'.encode()).decode(), "isBase64Encoded": True}, 200, None),
        ({"body": json.dumps({"a": "x" * (LARGEST_BODY - 9)})}, 200, None),
        ({"body": json.dumps({"a": "x" * (LARGEST_BODY - 8)})}, 413, None),
        ({"body": "ü" * LARGEST_BODY}, 413, None),
        ({"body": base64.b64encode(b" " * (LARGEST_BODY + 1)).decode(), "isBase64Encoded": True}, 413, None),
        ({"body": "not base64!", "isBase64Encoded": True}, 400, "body"),
        ({"body": "ü", "isBase64Encoded": True}, 400, "body"),
        ({"body": base64.b64encode(b"\xff\xfe{").decode(), "isBase64Encoded": True}, 400, "body"),
        ({}, 400, "body"),
        ({"body": None}, 400, "body"),
        ({"body": ""}, 400, "body"),
        ({"body": "{"}, 400, "body"),
        ({"body": "channel=team"}, 400, "body"),
        ({"body": "[" * 10_000}, 400, "body"),
        ({"body": "[]"}, 400, "body"),
        ({"body": '"text"'}, 400, "body"),
        ({"body": "null"}, 400, "body"),
        ({"body": r'{"a": "\ud800"}'}, 400, "body"),
        ({"body": '{"a": ' + "9" * 10_000 + "}"}, 400, "body"),
    ],
)
def test_bodies(event: dict[str, Any], status: int, field: str | None) -> None:
    code, document, headers = answer(echo, event)
    assert code == status
    assert document.get("field") == field
    assert headers["content-type"] == ("application/json" if status == 200 else "application/problem+json")


def test_a_problem_document() -> None:
    def route(request: HttpRequest) -> HttpResponse:
        raise errors.AgoraUnavailable("Agora gave no usable answer to acquire (HTTP 500)")

    status, document, headers = answer(route, {"requestContext": {"requestId": "NKx3PjTEliAEJ7Q="}})
    assert status == 503
    assert (headers["content-type"], headers["retry-after"]) == ("application/problem+json", "10")
    assert document == {
        "type": "urn:recording-insights:problem:agora-unavailable",
        "title": "Agora is not available",
        "status": 503,
        "detail": "Agora gave no usable answer to acquire (HTTP 500)",
        "request_id": "NKx3PjTEliAEJ7Q=",
    }


@pytest.mark.parametrize(
    ("error", "status", "members"),
    [
        (errors.InvalidRequest("uid", "must be a whole number"), 400, {"field": "uid"}),
        (errors.NotFound("no recording x"), 404, {}),
        (errors.Conflict("too early"), 409, {}),
        (errors.PayloadTooLarge("17 KB"), 413, {}),
        (errors.SecretUnusable("recording-insights/dev/agora", "it lacks the key appId"), 500, {}),
        (errors.SecretUnavailable("recording-insights/dev/agora", "DecryptionFailure"), 503, {}),
        (errors.UploadKeyRefused("AWS refused the key"), 500, {}),
        (errors.UploadCredentialsUnavailable("AWS is away"), 503, {}),
        (errors.AgoraRefusedCredentials("Agora refused the credentials"), 502, {}),
        (errors.AgoraRejected(406, "quota"), 502, {"agora_code": 406}),
        (errors.AgoraRejected(None, "no Route matched"), 502, {}),
        (errors.AgoraUnavailable("away"), 503, {}),
        (errors.AgoraOutcomeUnknown("away"), 503, {}),
    ],
)
def test_the_error_tree(error: Exception, status: int, members: dict[str, Any]) -> None:
    problem = problem_of(error)
    assert problem.status == status
    assert problem.members == members
    assert problem.detail == str(error)


def client_error(code: str, status: int) -> ClientError:
    reply: Any = {"Error": {"Code": code, "Message": "s3cr3t"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(reply, "GetItem")


@pytest.mark.parametrize(
    "error",
    [
        client_error("InternalServerError", 500),
        client_error("ThrottlingException", 400),
        client_error("TransactionConflictException", 400),
        ConnectTimeoutError(endpoint_url="s3cr3t"),
        EndpointConnectionError(endpoint_url="s3cr3t"),
    ],
)
def test_a_fault_of_aws_that_may_pass(error: Exception) -> None:
    def route(request: HttpRequest) -> HttpResponse:
        raise error

    status, document, headers = answer(route, {})
    assert (status, headers["retry-after"]) == (503, "10")
    assert document["type"] == "urn:recording-insights:problem:aws-unavailable"
    assert "s3cr3t" not in str(document)


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (errors.NotFound("notifications are not set up: secret s3cr3t"), 404, "Not Found"),
        (errors.CallbackForged("s3cr3t"), 401, "Unauthorized"),
        (errors.SecretUnusable("s3cr3t", "it lacks the key s3cr3t"), 500, "Internal Server Error"),
        (errors.InvalidRequest("s3cr3t", "s3cr3t"), 400, "Bad Request"),
    ],
)
def test_a_caller_without_a_sign_in_learns_the_status_only(
    error: Exception, status: int, title: str, caplog: pytest.LogCaptureFixture
) -> None:
    logger = Logger(service="anonymous")
    logger.addHandler(caplog.handler)

    @http_route(logger, is_anonymous=True)
    def route(request: HttpRequest) -> HttpResponse:
        raise error

    response = route({"requestContext": {"requestId": "r"}}, Context())
    assert (response["statusCode"], json.loads(response["body"])) == (
        status,
        {"type": "about:blank", "title": title, "status": status, "request_id": "r"},
    )
    assert "s3cr3t" in str([vars(record) for record in caplog.records])


def test_no_cache_keeps_an_answer_and_no_browser_guesses_its_type() -> None:
    headers = HttpResponse({}).event()["headers"]
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize(
    "error", [client_error("AccessDeniedException", 400), KeyError("s3cr3t"), errors.ProviderRejected("s3cr3t")]
)
def test_an_unexpected_error_is_logged_and_not_shown(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def route(request: HttpRequest) -> HttpResponse:
        raise error

    status, document, _ = answer(route, {"routeKey": "GET /x"})
    assert status == 500
    assert "s3cr3t" not in str(document)
    (record,) = caplog.records
    assert vars(record)["route"] == "GET /x"
    assert record.exc_info
    assert record.exc_info[1] is error


@pytest.mark.parametrize("recording_id", ["", "x", "A" * 32, "0" * 33, "CHANNEL#team", "0" * 32 + "\n"])
def test_no_recording_has_such_an_id(recording_id: str) -> None:
    status, document, _ = answer(
        lambda request: HttpResponse({"recording_id": request.recording_id}),
        {"pathParameters": {"recording_id": recording_id}},
    )
    assert (status, document["title"]) == (404, "No such recording")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, table: Any) -> None:
    values = {**ENVIRONMENT, "TABLE_NAME": table.name, "BASE_URLS": '{"agora": "https://agora.test/"}'}
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def watches() -> FakeStepFunctions:
    return FakeStepFunctions()


@pytest.fixture
def function(
    environment: None, monkeypatch: pytest.MonkeyPatch, agora: AgoraClient, table: Any, watches: FakeStepFunctions
) -> Any:
    """A function's module, its wiring made anew but for Agora, the table and the state machine."""
    monkeypatch.setattr(clients, "table", lambda name, short_calls: table if name == table.name else None)

    def load(name: str) -> ModuleType:
        module = importlib.import_module(name)
        rewire(monkeypatch, module, aws_region="us-east-1", step_functions=watches, agora=agora)
        return module

    return load


def call(module: ModuleType, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    reply = module.handler(event, Context())
    return reply["statusCode"], json.loads(reply["body"])


def call_state(module: ModuleType, state: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(module.handler(state, Context()))))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "denied the access to it"),
        ("DecryptionFailure", "did not return it"),
        ("ThrottlingException", "did not return it"),
    ],
)
def test_a_start_whose_secret_cannot_be_read(
    function: Any,
    captured_event: Any,
    agora: AgoraClient,
    watches: FakeStepFunctions,
    monkeypatch: pytest.MonkeyPatch,
    table: Any,
    code: str,
    said: str,
) -> None:
    def denied(*_: Any, **__: Any) -> str:
        raise GetParameterError("s3cr3t") from client_error(code, 400)

    monkeypatch.setattr(parameters, "get_secret", denied)
    name = "recording-insights/dev/agora"
    whole = replace(agora, calls=replace(agora.calls, credentials=lambda fresh: read_secret(name, ("appId",))))
    module = function("routes.start_recording")
    rewire(monkeypatch, module, aws_region="us-east-1", step_functions=watches, agora=whole)
    status, document = call(module, captured_event("http_start_recording"))
    assert (status, document["type"]) == (503, "urn:recording-insights:problem:secret-unavailable")
    assert document["detail"] == f"secret {name}: AWS {said}"
    [row] = [item for item in table.scan()["Items"] if item["sk"] == "RECORDING"]
    assert (row["status"], row["reason"]) == ("failed", document["detail"])


@pytest.mark.parametrize("route", ["start_recording", "admit_object"])
def test_in_a_pause_nothing_new_is_taken_in(
    function: Any, captured_event: Any, table: Any, vendor: FakeAgora, route: str
) -> None:
    intake, event = IntakeStore(table), captured_event("http_start_recording")
    intake.pause("operator")

    answer = function(f"routes.{route}").handler(event, Context())

    document = json.loads(answer["body"])
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "60")
    assert document["type"] == "urn:recording-insights:problem:intake-paused"
    assert "An operator has paused the intake since 20" in document["detail"]
    assert not vendor.recorders
    assert not [item for item in table.scan()["Items"] if item["sk"] != "INTAKE"]


def test_the_life_of_a_recording(
    function: Any,
    captured_event: Any,
    vendor: FakeAgora,
    watches: FakeStepFunctions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    event = captured_event("http_start_recording")
    event["body"] = json.dumps({**json.loads(event["body"]), "token": "007eJx"})
    status, started = call(function("routes.start_recording"), event)
    assert status == 201
    assert started.items() >= {"status": "starting", "channel": "weekly call", "max_hours": 2}.items()
    who = f"{ROLE}/backend"
    assert started["started_by"] == who
    assert started["sid"] in vendor.recorders
    assert not started.keys() & {"pk", "sk", "change_place", "token", "resource_id", "fingerprint"}
    status, again = call(function("routes.start_recording"), event)
    assert (status, again) == (200, started)
    [(name, state)] = watches.executions.items()
    assert name == f"{started['recording_id']}-1"

    recording_id = started["recording_id"]
    event = captured_event("http_get_recording")
    event["pathParameters"]["recording_id"] = recording_id
    status, found = call(function("routes.get_recording"), event)
    assert (status, found["status"], "live" in found) == (200, "starting", False)
    event["queryStringParameters"] = {"fresh": "true"}
    status, found = call(function("routes.get_recording"), event)
    assert (status, found["status"], found["live"]["meaning"]) == (200, "recording", "in progress")
    assert call_state(function("states.check_recording"), state)["phase"] == "recording"

    for name, kept in (
        ("update_recording", {"subscribe_audio_uids": [5, 6], "subscribe_video_uids": "all"}),
        ("update_layout", {"transcoding": {"layout": "best_fit"}}),
    ):
        event = captured_event(f"http_{name}")
        event["pathParameters"]["recording_id"] = recording_id
        status, changed = call(function(f"routes.{name}"), event)
        assert status == 200
        assert changed.items() >= {**kept, "changed_by": who}.items()
        assert not changed.keys() & {"pk", "sk", "change_place", "resource_id"}

    event = captured_event("http_stop_recording")
    event["pathParameters"]["recording_id"] = recording_id
    for _ in range(2):
        status, stopped = call(function("routes.stop_recording"), event)
        assert (status, stopped) == (202, {"recording_id": recording_id, "status": "stopping"})
    event = captured_event("http_get_recording")
    event["pathParameters"]["recording_id"] = recording_id
    assert call(function("routes.get_recording"), event)[1]["stopped_by"] == who

    event = captured_event("http_list_recordings")
    assert call(function("routes.list_recordings"), event) == (200, {"recordings": []})
    event["queryStringParameters"] = {"status": "stopping"}
    status, page = call(function("routes.list_recordings"), event)
    assert [recording["recording_id"] for recording in page["recordings"]] == [recording_id]

    log = str([vars(record) for record in caplog.records])
    assert recording_id in log
    assert "007eJx" not in log
    assert not any(value in log for name, value in SECRET.items() if name != "customerId")


def test_a_watch_that_runs_already_is_the_one(function: Any, captured_event: Any, watches: FakeStepFunctions) -> None:
    watches.answers = [watches.exceptions.ExecutionAlreadyExists()]
    status, _ = call(function("routes.start_recording"), captured_event("http_start_recording"))
    assert status == 201


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "StartExecution"),
        EndpointConnectionError(endpoint_url="https://states.test"),
    ],
)
def test_without_a_watch_agora_is_not_called(
    function: Any,
    captured_event: Any,
    watches: FakeStepFunctions,
    vendor: FakeAgora,
    table: Any,
    error: Exception,
) -> None:
    watches.answers = [error]
    status, problem = call(function("routes.start_recording"), captured_event("http_start_recording"))
    assert (status, problem["type"]) == (503, "urn:recording-insights:problem:watch-unavailable")
    assert vendor.calls == []
    [row] = table.scan()["Items"]
    assert (row["status"], row["reason"]) == ("failed", problem["detail"])
    status, _ = call(function("routes.start_recording"), captured_event("http_start_recording"))
    assert status == 201


@pytest.mark.parametrize("name", ["get_recording", "update_recording", "update_layout", "stop_recording"])
def test_an_unknown_id(function: Any, captured_event: Any, name: str) -> None:
    status, document = call(function(f"routes.{name}"), captured_event(f"http_{name}"))
    assert (status, document["detail"]) == (404, f"no recording {RECORDING_ID}")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"body": "{}"}, 400, "channel"),
        ({"body": '{"channel": "c", "provider": "nobody"}'}, 400, "provider"),
        ({"body": '{"channel": "c", "region": "EU"}'}, 400, "region"),
        ({"body": "hello"}, 400, "body"),
        ({"body": " " * 16_385}, 413, None),
        ({"headers": {"Idempotency-Key": "ü"}}, 400, "Idempotency-Key"),
    ],
)
def test_a_bad_start_calls_nobody(
    function: Any, captured_event: Any, vendor: FakeAgora, table: Any, change: Any, status: int, field: str | None
) -> None:
    code, document = call(function("routes.start_recording"), {**captured_event("http_start_recording"), **change})
    assert (code, document.get("field")) == (status, field)
    assert vendor.calls == []
    assert table.scan()["Items"] == []


def test_a_function_without_its_environment_says_so_in_the_log(
    function: Any, captured_event: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module = function("routes.list_recordings")
    monkeypatch.delenv("TABLE_NAME")
    status, _ = call(module, captured_event("http_list_recordings"))
    assert status == 500
    assert "TABLE_NAME is missing" in caplog.text


def test_the_wiring_to_the_table(moto_table: Any) -> None:
    moto_table.put_item(Item={**recording_key(RECORDING_ID), "status": "done"})
    table = clients.table(moto_table.name)
    found = RecordingStore(table).find(RECORDING_ID)
    assert found
    assert found["status"] == "done"
    assert clients.region(table) == "eu-central-1"


def test_the_wiring_to_agora(environment: None, fake_aws: None, vendor: FakeAgora, clock: FakeClock) -> None:
    settings = AgoraSettings.from_env()
    secrets = boto3.client("secretsmanager")
    client = agora_client(settings, aws_region="eu-central-1")
    session: Any = vendor
    client = replace(client, calls=replace(client.calls, session=session))
    for name, value in (("agora-uploader", UPLOADER_KEY), ("agora", SECRET)):
        with pytest.raises(errors.SecretUnusable, match=rf"recording-insights/dev/{name}: it does not exist"):
            client.start(order(), ("recordings", RECORDING_ID), clock.deadline())
        secrets.create_secret(Name=f"recording-insights/dev/{name}", SecretString=json.dumps(value))
    try:
        client.start(order(), ("recordings", RECORDING_ID), clock.deadline())
    finally:
        for name in ("agora-uploader", "agora"):
            secrets.delete_secret(SecretId=f"recording-insights/dev/{name}", ForceDeleteWithoutRecovery=True)
    storage = vendor.calls[-1][1]["clientRequest"]["storageConfig"]
    assert (storage["bucket"], storage["region"]) == ("recordings-bucket", 7)
    assert storage["accessKey"] != UPLOADER_KEY["accessKeyId"]
    assert storage["stsToken"]


@pytest.mark.parametrize(("query", "status"), [({}, 200), ({"limit": "5"}, 200), ({"limits": "5"}, 400)])
def test_a_parameter_that_the_route_does_not_have_is_refused(query: dict[str, str], status: int) -> None:
    @http_route(Logger(service="test"), parameters=("limit",))
    def route(request: HttpRequest) -> HttpResponse:
        return HttpResponse(dict(request.query))

    reply = route({"queryStringParameters": query}, Context())

    assert reply["statusCode"] == status
    if status == 400:
        assert json.loads(reply["body"])["field"] == "limits"
