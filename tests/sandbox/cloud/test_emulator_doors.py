"""The local cloud lets in who has a key that it made, and no web page."""

import hashlib
import http.client
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from ministack import app  # type: ignore[import-untyped]
from ministack.core import iam_evaluator, lambda_runtime  # type: ignore[import-untyped]

from sandbox.cloud.emulator import doors
from sandbox.cloud.emulator.doors import ROOT_KEY_VARIABLE
from sandbox.cloud.local_stack import LocalStack
from sandbox.doors import CONTROL_KEY_HEADER, CONTROL_KEY_VARIABLE
from tests.sandbox.cloud.functions import create_function

TELLS_ENVIRONMENT = """
import os

def handler(event, context):
    return dict(os.environ)
"""
WHO_AM_I = """
import boto3

def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
TRIES_AS_A_PAGE: list[Mapping[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": ""},
]
WELL_KNOWN = [
    ("test", "test"),
    ("", ""),
    ("000000000000", "test"),
    ("123456789012", "test"),
    ("AKIAIOSFODNN7EXAMPLE", "x"),
]
CALLS = [
    ("iam", "/", b"Action=ListUsers&Version=2010-05-08"),
    ("sts", "/", b"Action=GetCallerIdentity&Version=2011-06-15"),
    ("lambda", "/2015-03-31/functions/any/invocations", b"{}"),
    ("s3", "/recordings?delete", b""),
]
OWN_ROUTES = [
    "/_ministack/config",
    "/_ministack/reset",
    "/_ministack/sqs/messages",
    "/_ministack/lambda-code/000000000000/f",
    "/_localstack/x",
]


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.body = response.status, response.read()
        self.headers = {name.lower(): value for name, value in response.getheaders()}


def ask(
    stack: LocalStack, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Answer:
    """Send exactly these headers: `requests` would not send any Host."""
    given = {"Host": urlsplit(stack.endpoint_url).netloc, **(headers or {})}
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(stack.endpoint_url).port or 0, timeout=30)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def signed(stack: LocalStack, key: tuple[str, str], target: str, service: str, body: bytes = b"") -> dict[str, str]:
    """Return the headers of a signed POST."""
    request = AWSRequest("POST", stack.endpoint_url + target, data=body)
    SigV4Auth(Credentials(*key), service, stack.region).add_auth(request)
    return dict(request.headers)


def administrator(stack: LocalStack) -> tuple[str, str]:
    return stack.access_key_id, stack.secret_access_key


@pytest.fixture(scope="module")
def open_api(emulator: LocalStack) -> str:
    """The path of a route without an authorizer, which calls a function."""
    function = create_function(emulator, "def handler(event, context):\n    return {'statusCode': 202}\n")
    arn = emulator.client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    gateway = emulator.client("apigatewayv2")
    api = gateway.create_api(Name="open", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="POST /webhook", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return f"/_aws/execute-api/{api}/$default/webhook"


@pytest.fixture
def link(emulator: LocalStack) -> Callable[..., str]:
    """Make presigned links to an object that is there."""
    s3, bucket = emulator.client("s3", config=Config(signature_version="s3v4")), f"bucket-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a b/ü.txt", Body=b"content")

    def make(operation: str = "get_object", **fields: Any) -> str:
        return str(s3.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": "a b/ü.txt", **fields}))

    return make


@pytest.mark.parametrize("headers", TRIES_AS_A_PAGE)
def test_a_request_of_a_web_page_is_refused(emulator: LocalStack, headers: Mapping[str, str]) -> None:
    for target in ("/", "/_ministack/config", "/_ministack/ready"):
        given = {**signed(emulator, administrator(emulator), target, "iam"), CONTROL_KEY_HEADER: emulator.control_key}
        answer = ask(emulator, "POST", target, {**given, "Content-Type": "text/plain", **headers}, b"{}")
        assert (answer.status, b"The local cloud refuses this" in answer.body) == (403, True)


def test_an_open_route_is_closed_to_web_pages_too(emulator: LocalStack, open_api: str) -> None:
    assert ask(emulator, "POST", open_api).status == 202
    assert ask(emulator, "POST", open_api, {"Host": "[::1]:80"}).status == 202
    assert ask(emulator, "POST", open_api, {"Origin": "https://evil.example"}).status == 403


PAGE = "https://app.example.com"
AS_PAGE = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}


def test_a_page_that_an_api_names_gets_in_there_and_nowhere_else(emulator: LocalStack, open_api: str) -> None:
    api_id = open_api.split("/")[3]
    emulator.client("apigatewayv2").update_api(
        ApiId=api_id, CorsConfiguration={"AllowOrigins": [PAGE], "AllowMethods": ["POST"], "AllowHeaders": ["x-a"]}
    )
    try:
        asks = {**AS_PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"}
        preflight = ask(emulator, "OPTIONS", open_api, asks)
        assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, PAGE)
        answer = ask(emulator, "POST", open_api, AS_PAGE)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (202, PAGE)
        assert "access-control-allow-origin" not in ask(emulator, "POST", open_api).headers

        assert ask(emulator, "POST", open_api, {"Origin": f"{PAGE}.evil.example"}).status == 403
        assert ask(emulator, "POST", open_api, {**AS_PAGE, "Host": "evil.example"}).status == 403
        for target in ("/", "/_ministack/config", "/_ministack/ready", f"/_aws/execute-api/other/{api_id}"):
            assert ask(emulator, "POST", target, AS_PAGE).status == 403, target
    finally:
        emulator.client("apigatewayv2").delete_cors_configuration(ApiId=api_id)
    assert ask(emulator, "POST", open_api, AS_PAGE).status == 403


def test_a_page_that_a_bucket_names_may_use_its_links(emulator: LocalStack, link: Callable[..., str]) -> None:
    url = urlsplit(link())
    target, bucket = f"{url.path}?{url.query}", url.path.split("/")[1]
    assert ask(emulator, "GET", target, AS_PAGE).status == 403
    rule = {"AllowedOrigins": [PAGE], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["if-none-match"]}
    emulator.client("s3").put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})

    answer = ask(emulator, "GET", target, AS_PAGE)
    assert (answer.status, answer.body, answer.headers["access-control-allow-origin"]) == (200, b"content", PAGE)
    asks = {**AS_PAGE, "Access-Control-Request-Method": "PUT"}
    preflight = ask(emulator, "OPTIONS", target, {**asks, "Access-Control-Request-Headers": "if-none-match"})
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, PAGE)
    refused = ask(emulator, "OPTIONS", target, {**asks, "Access-Control-Request-Headers": "x-amz-acl"})
    assert (refused.status, "access-control-allow-origin" in refused.headers) == (403, False)
    assert ask(emulator, "GET", url.path, AS_PAGE).status == 403, "a page needs a link as everybody does"
    assert ask(emulator, "GET", target, {"Origin": "https://evil.example"}).status == 403


def test_there_are_no_web_sockets(emulator: LocalStack, open_api: str) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert ask(emulator, "GET", open_api, upgrade).status == 403


def test_no_answer_has_cors_headers(emulator: LocalStack, link: Callable[..., str]) -> None:
    target = link().removeprefix(emulator.endpoint_url)
    answers = [
        ask(emulator, "OPTIONS", "/"),
        ask(emulator, "GET", "/_ministack/ready"),
        ask(emulator, "GET", target),
        ask(emulator, "POST", "/", signed(emulator, administrator(emulator), "/", "iam"), b"Action=ListUsers"),
    ]
    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control")]


@pytest.fixture(scope="module", autouse=True)
def recordings(emulator: LocalStack) -> None:
    emulator.client("s3").create_bucket(Bucket="recordings")


@pytest.mark.parametrize("key", WELL_KNOWN)
def test_a_well_known_key_opens_nothing(emulator: LocalStack, key: tuple[str, str]) -> None:
    """As a header, which is signed, and in the query, which is what a page can send without a preflight."""
    for service, target, body in CALLS:
        headers = signed(emulator, key, target, service, body) if key[0] else {}
        assert ask(emulator, "POST", target, headers, body).status == 403
        sign = "&" if "?" in target else "?"
        credential = f"X-Amz-Credential={key[0]}/20260101/us-east-1/{service}/aws4_request"
        for query in (credential, f"{credential}&X-Amz-Signature=00", f"X-Amz-Algorithm=AWS4-HMAC-SHA256&{credential}"):
            answer = ask(emulator, "POST", f"{target}{sign}{query}", {"Content-Type": "text/plain"}, body)
            assert answer.status in (400, 403), answer.body


def test_a_key_of_this_cloud_needs_its_secret_and_the_right_content(emulator: LocalStack) -> None:
    key, body = administrator(emulator), b"Action=ListUsers&Version=2010-05-08"
    right = signed(emulator, key, "/", "iam", body)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask(emulator, "POST", "/", {**right, **form}, body).status == 200
    for headers, sent in (
        (signed(emulator, (key[0], "guessed"), "/", "iam", body), body),
        (right, body + b"&MaxItems=1"),
        ({"Authorization": right["Authorization"]}, body),
        ({"Authorization": f"AWS4-HMAC-SHA256 Credential={key[0]}/20260101/us-east-1/iam/aws4_request"}, body),
        ({"Authorization": f"AWS {key[0]}:c2lnbmF0dXJl"}, body),
    ):
        assert ask(emulator, "POST", "/", {**headers, **form}, sent).status in (400, 403)


def test_a_presigned_link_is_verified(emulator: LocalStack, link: Callable[..., str]) -> None:
    right = link().removeprefix(emulator.endpoint_url)
    assert ask(emulator, "GET", right).body == b"content"
    put = link("put_object", ContentType="text/plain").removeprefix(emulator.endpoint_url)
    assert ask(emulator, "PUT", put, {"Content-Type": "text/plain"}, b"new").status == 200
    assert ask(emulator, "GET", right).body == b"new"
    signature = right[-64:]
    for wrong in (
        right.replace(signature, "0" * 64),
        right.replace("a%20b", "b%20b"),
        right.replace("Expires=3600", "Expires=7200"),
        right.replace(emulator.access_key_id, "test"),
        right.partition("&X-Amz-Signature")[0],
    ):
        assert wrong != right
        assert ask(emulator, "GET", wrong).status in (400, 403)
    assert ask(emulator, "PUT", right, body=b"as it was not signed").status == 403


def test_a_presigned_query_of_another_service_is_verified(emulator: LocalStack) -> None:
    def presigned(secret: str) -> str:
        url = f"{emulator.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15"
        request = AWSRequest("GET", url)
        SigV4QueryAuth(Credentials(emulator.access_key_id, secret), "sts", emulator.region).add_auth(request)
        return str(request.url).removeprefix(emulator.endpoint_url)

    assert ask(emulator, "GET", presigned(emulator.secret_access_key)).status == 200
    assert ask(emulator, "GET", presigned("guessed")).status == 403


def test_a_function_calls_with_keys_that_nobody_derives(emulator: LocalStack) -> None:
    client = emulator.client("lambda")

    def call(source: str) -> tuple[str, Any]:
        name = create_function(emulator, source)
        return name, json.loads(client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read())

    assert ":assumed-role/" in call(WHO_AM_I)[1]
    name, environment = call(TELLS_ENVIRONMENT)
    function = client.get_function_configuration(FunctionName=name)
    digest = hashlib.sha256(f"{function['FunctionArn']}:{function['Role']}".encode()).hexdigest()
    assert environment["AWS_SECRET_ACCESS_KEY"] != hashlib.sha256(f"secret:{digest}".encode()).hexdigest()
    assert not {CONTROL_KEY_VARIABLE, ROOT_KEY_VARIABLE} & environment.keys()
    assert emulator.control_key not in environment.values()


def test_a_federated_session_needs_its_token(emulator: LocalStack) -> None:
    everything = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    )
    session = emulator.client("sts").get_federation_token(Name="recorder", Policy=everything)["Credentials"]

    def buckets(**changed: str) -> Any:
        keys = {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        }
        return emulator.client("s3", **{**keys, **changed}).list_buckets()

    assert "Buckets" in buckets()
    for changed in ({"aws_session_token": "guessed"}, {"aws_secret_access_key": "guessed"}):
        with pytest.raises(ClientError):
            buckets(**changed)


@pytest.mark.parametrize("key", [{}, {CONTROL_KEY_HEADER: ""}, {CONTROL_KEY_HEADER: "guessed"}])
def test_the_routes_of_the_local_cloud_itself_want_its_key(emulator: LocalStack, key: Mapping[str, str]) -> None:
    for target in OWN_ROUTES:
        for method in ("GET", "POST"):
            assert ask(emulator, method, target, key, b'{"stepfunctions._SFN_WAIT_SCALE": 0.5}').status == 403
    emulator.set_wait_scale(1)


def test_what_an_unsigned_request_may_not_do(emulator: LocalStack) -> None:
    role = create_function(emulator, WHO_AM_I)
    arn = emulator.client("lambda").get_function_configuration(FunctionName=role)["Role"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for action in (
        "Action=ListUsers&Version=2010-05-08",
        "Action=NoSuchAction&Version=2010-05-08",
        f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={arn}&RoleSessionName=s&WebIdentityToken=a.e30.c",
        f"Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn={arn}&PrincipalArn={arn}&SAMLAssertion=PGEvPg",
    ):
        assert ask(emulator, "POST", "/", form, action.encode()).status in (400, 403)
    for method, target in (("GET", "/"), ("PUT", "/new-bucket"), ("GET", "/recordings"), ("PUT", "/recordings/a.mp4")):
        assert ask(emulator, method, target).status == 403


def test_folders_and_logs_are_for_their_owner_only(emulator: LocalStack) -> None:
    [process] = emulator.processes
    environment = Path(f"/proc/{process.pid}/environ")
    if not environment.exists():
        pytest.skip("the system has no /proc")
    variables = dict(line.partition("=")[::2] for line in environment.read_text().split("\0"))
    scratch = Path(variables["TMPDIR"])
    for path, mode in ((scratch, 0o700), (scratch.parent / "state", 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    [log] = (scratch.parent / "logs").iterdir()
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o600


@pytest.mark.parametrize(
    ("correct", "module", "name"),
    [
        (lambda: doors.accept_only_keys_of_this_cloud(""), iam_evaluator, "is_root_access_key"),
        (lambda: doors.accept_only_keys_of_this_cloud(""), iam_evaluator, "resolve_credential"),
        (lambda: doors.accept_only_keys_of_this_cloud(""), iam_evaluator, "check_credentials"),
        (lambda: doors.accept_only_keys_of_this_cloud(""), iam_evaluator, "authenticate"),
        (lambda: doors.accept_only_keys_of_this_cloud(""), iam_evaluator, "enforce"),
        (doors.give_functions_keys_of_this_start, lambda_runtime, "execution_credentials"),
        (lambda: doors.close_doors("key"), app, "app"),
        (lambda: doors.close_doors("key"), app, "_handle_admin_config_request"),
    ],
)
def test_another_ministack_is_refused(
    monkeypatch: pytest.MonkeyPatch, correct: Callable[[], None], module: Any, name: str
) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()
