"""Bedrock of the local cloud: IAM decides as on AWS, and the stand-in alone answers."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.client import Config
from botocore.exceptions import ClientError
from ministack.core import iam_actions  # type: ignore[import-untyped]
from ministack.services import bedrock as bedrock_service  # type: ignore[import-untyped]
from ministack.services import bedrock_runtime
from werkzeug.serving import make_server

from sandbox.cloud.emulator import bedrock
from sandbox.cloud.emulator.bedrock_models import target_of
from sandbox.cloud.local_stack import LocalStack
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.runtime.runtime import Runtime
from tests.sandbox.bedrock.converse import HAIKU, NOVA, SCHEMA, forced, request, text_format, user
from tests.sandbox.cloud.functions import create_function
from tests.sandbox.conftest import FakeSpeechEngine

US_HAIKU = f"us.{HAIKU}"
PROFILE = f"arn:aws:bedrock:us-east-1:000000000000:inference-profile/{US_HAIKU}"
REGIONS = ("us-east-1", "us-east-2", "us-west-2")

CONVERSES = """
import boto3

def handler(event, context):
    answer = boto3.client("bedrock-runtime").converse(**event)
    return {"stopReason": answer["stopReason"], "usage": answer["usage"]}
"""


def model_arn(model: str, region: str = "us-east-1") -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model}"


HAIKUS = [model_arn(HAIKU, region) for region in REGIONS]


@contextmanager
def serving(url: str) -> Iterator[Runtime]:
    """Bedrock's stand-in at the address at which the local cloud looks for it."""
    with closing(create_runtime(FakeSpeechEngine())) as runtime:
        server = make_server("127.0.0.1", urlsplit(url).port or 0, create_app(runtime, only={"bedrock"}), threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield runtime
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture(scope="module")
def error_before(emulator: LocalStack) -> tuple[int, str, str]:
    """What Converse says before there is a stand-in."""
    return error_of(caller(emulator, allow("*")), NOVA)


@pytest.fixture(scope="module")
def served(emulator: LocalStack, error_before: object) -> Iterator[Runtime]:
    with serving(emulator.sandbox_url) as runtime:
        yield runtime


@pytest.fixture
def stand_in(served: Runtime) -> Runtime:
    served.dials.reset()
    served.ledger.reset()
    return served


def allow(*resources: str, action: str = "bedrock:InvokeModel", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources), **more}


def caller(emulator: LocalStack, *statements: Mapping[str, Any], service: str = "bedrock-runtime", **more: Any) -> Any:
    """A client of a new user who may do this."""
    iam, name = emulator.client("iam"), f"user-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return emulator.client(
        service,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"total_max_attempts": 1}),
        **more,
    )


def error_of(client: Any, model: str, **changes: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        client.converse(modelId=model, **request(**changes))
    response = refused.value.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return status, response["Error"]["Code"], response["Error"]["Message"]


def test_a_stand_in_that_is_away_is_an_error(error_before: tuple[int, str, str]) -> None:
    status, code, message = error_before
    assert (status, code) == (503, "ServiceUnavailableException")
    assert "The stand-in for Bedrock does not answer" in message


def test_the_stand_in_gets_the_request_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[tuple[str, Mapping[str, str], bytes]] = []

    def ask(*given: Any) -> bedrock.ModelAnswer:
        asked.append(given)
        if len(asked) > 1:
            raise requests.ConnectionError
        return bedrock.ModelAnswer(429, b"any answer")

    monkeypatch.setattr(bedrock_runtime, "handle_request", bedrock_runtime.handle_request)
    bedrock.converse_with_the_stand_in("http://nobody.test", ask)
    path = f"/model/{quote(PROFILE, safe='')}/converse"
    call: tuple[Any, ...] = ("POST", path, {}, b"any body", {})
    assert asyncio.run(bedrock_runtime.handle_request(*call))[::2] == (429, b"any answer")
    query = {"region": "us-east-1", "foundation_model": HAIKU, "geography": "us", "profile": PROFILE}
    assert asked == [(PROFILE, query, b"any body")]
    assert asyncio.run(bedrock_runtime.handle_request(*call))[0] == 503
    assert "the stand-in at http://nobody.test does not answer (ConnectionError)" in caplog.text


def test_both_ways_to_json(emulator: LocalStack, stand_in: Runtime) -> None:
    client = caller(emulator, allow(PROFILE, *HAIKUS))
    structured = client.converse(modelId=US_HAIKU, **request(outputConfig=text_format(SCHEMA)))
    tooled = client.converse(modelId=PROFILE, **request(toolConfig=forced(dict(SCHEMA))))
    insights = json.loads(structured["output"]["message"]["content"][0]["text"])
    assert tooled["output"]["message"]["content"][0]["toolUse"]["input"] == insights
    assert (structured["stopReason"], tooled["stopReason"]) == ("end_turn", "tool_use")
    assert insights["action_items"][0]["evidence"] == ["u3"]
    first, second = stand_in.ledger.as_json()["lines"]
    assert (first["model"], first["profile"], first["region"]) == (HAIKU, PROFILE, "us-east-1")
    assert first["prompt"] == second["prompt"]


def test_a_foundation_model_needs_the_right_on_its_arn(emulator: LocalStack, stand_in: Runtime) -> None:
    client = caller(emulator, allow(model_arn(NOVA)))
    assert client.converse(modelId=NOVA, **request())["stopReason"] == "end_turn"
    assert client.converse(modelId=model_arn(NOVA), **request())["stopReason"] == "end_turn"
    status, code, message = error_of(client, "amazon.nova-pro-v1:0")
    assert (status, code) == (403, "AccessDeniedException")
    assert f"perform: bedrock:InvokeModel on resource: {model_arn('amazon.nova-pro-v1:0')} because" in message
    assert error_of(caller(emulator, allow("*", action="bedrock:Converse")), NOVA)[:2] == (403, code)
    assert len(stand_in.ledger.as_json()["lines"]) == 2


@pytest.mark.parametrize(
    ("resources", "missing"),
    [
        (HAIKUS, PROFILE),
        ([PROFILE], HAIKUS[0]),
        ([PROFILE, *HAIKUS[:2]], HAIKUS[2]),
        ([model_arn(US_HAIKU)], PROFILE),
    ],
)
def test_a_profile_needs_the_right_on_itself_and_on_its_models(
    emulator: LocalStack, stand_in: Runtime, resources: Sequence[str], missing: str
) -> None:
    status, code, message = error_of(caller(emulator, allow(*resources)), US_HAIKU)
    assert (status, code, f"on resource: {missing} because" in message) == (403, "AccessDeniedException", True)


def test_a_model_may_be_allowed_through_a_profile_only(emulator: LocalStack, stand_in: Runtime) -> None:
    through = {"StringLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:us-east-1:*:inference-profile/us.*"}}
    nova = f"us.{NOVA}"
    statements = [
        allow(PROFILE.replace(US_HAIKU, nova)),
        allow(*(model_arn(NOVA, region) for region in REGIONS), Condition=through),
    ]
    client = caller(emulator, *statements)
    assert client.converse(modelId=nova, **request())["stopReason"] == "end_turn"
    assert error_of(client, NOVA)[1] == "AccessDeniedException"


def test_a_global_profile(emulator: LocalStack, stand_in: Runtime) -> None:
    profile = f"global.{HAIKU}"
    unspecified = {"StringEquals": {"aws:RequestedRegion": "unspecified"}}
    statements = [allow(PROFILE.replace(US_HAIKU, profile)), allow(model_arn(HAIKU))]
    everywhere = allow(model_arn(HAIKU, ""), Condition=unspecified)
    assert caller(emulator, *statements, everywhere).converse(modelId=profile, **request())["stopReason"] == "end_turn"
    assert f"on resource: {model_arn(HAIKU, '')} because" in error_of(caller(emulator, *statements), profile)[2]


def test_an_application_profile(emulator: LocalStack, stand_in: Runtime) -> None:
    source = {"copyFrom": PROFILE}
    created = emulator.client("bedrock").create_inference_profile(inferenceProfileName="insights", modelSource=source)
    arn = created["inferenceProfileArn"]
    assert emulator.client("bedrock").get_inference_profile(inferenceProfileIdentifier=arn.rpartition("/")[2])["models"]
    client = caller(emulator, allow(arn, *HAIKUS))
    assert client.converse(modelId=arn, **request())["stopReason"] == "end_turn"
    assert error_of(caller(emulator, allow(arn)), arn)[1] == "AccessDeniedException"
    gone = arn.rpartition("/")[0] + "/ip-gone"
    assert error_of(caller(emulator, allow("*")), gone)[:2] == (404, "ResourceNotFoundException")


def test_a_function_converses_by_its_role(emulator: LocalStack, stand_in: Runtime) -> None:
    name = create_function(emulator, CONVERSES, allow(PROFILE, *HAIKUS))
    asked = json.dumps({"modelId": US_HAIKU, **request(outputConfig=text_format(SCHEMA))})
    answer = json.loads(emulator.client("lambda").invoke(FunctionName=name, Payload=asked)["Payload"].read())
    assert answer["stopReason"] == "end_turn"
    other = json.dumps({"modelId": NOVA, **request()})
    denied = json.loads(emulator.client("lambda").invoke(FunctionName=name, Payload=other)["Payload"].read())
    assert denied["errorType"] == "AccessDeniedException"


def test_a_guardrail_needs_a_right_of_its_own(emulator: LocalStack, stand_in: Runtime) -> None:
    stand_in.dials.change({"bedrock": {"guardrails": ["abc123:1"], "guardrail_next": 1}})
    config = {"guardrailIdentifier": "abc123", "guardrailVersion": "1"}
    guardrail = "arn:aws:bedrock:us-east-1:000000000000:guardrail/abc123"
    may = allow(model_arn(NOVA))
    assert "bedrock:ApplyGuardrail on resource" in error_of(caller(emulator, may), NOVA, guardrailConfig=config)[2]
    client = caller(emulator, may, allow(guardrail, action="bedrock:ApplyGuardrail"))
    assert client.converse(modelId=NOVA, **request(guardrailConfig=config))["stopReason"] == "guardrail_intervened"


def test_errors_come_back_as_they_are(emulator: LocalStack, stand_in: Runtime) -> None:
    client = caller(emulator, allow("*"))
    assert error_of(client, NOVA, messages=[user("a"), user("b")])[:2] == (400, "ValidationException")
    assert error_of(client, f"eu.{NOVA}")[:2] == (400, "ValidationException")
    stand_in.dials.change({"bedrock": {"throttle_next": 1, "timeout_next": 1}})
    assert error_of(client, NOVA)[:2] == (429, "ThrottlingException")
    assert error_of(client, NOVA)[:2] == (408, "ModelTimeoutException")
    assert stand_in.ledger.as_json()["paid"] == {}


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("converse_stream", {"modelId": NOVA, "messages": [user("hello")]}),
        ("invoke_model", {"modelId": NOVA, "body": b"{}"}),
        ("invoke_model_with_response_stream", {"modelId": NOVA, "body": b"{}"}),
        ("count_tokens", {"modelId": NOVA, "input": {"converse": {"messages": [user("hello")]}}}),
        (
            "apply_guardrail",
            {
                "guardrailIdentifier": "abc",
                "guardrailVersion": "1",
                "source": "INPUT",
                "content": [{"text": {"text": "a"}}],
            },
        ),
        ("list_async_invokes", {}),
    ],
)
def test_other_calls_are_refused(emulator: LocalStack, operation: str, given: Mapping[str, Any]) -> None:
    client = emulator.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError, match="has Converse only") as refused:
        getattr(client, operation)(**given)
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"


def test_nobody_without_a_signature_gets_an_answer(emulator: LocalStack, stand_in: Runtime) -> None:
    unsigned = boto3.client(
        "bedrock-runtime",
        endpoint_url=emulator.endpoint_url,
        region_name=emulator.region,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    assert error_of(unsigned, NOVA)[0] >= 400
    chat = {"model": NOVA, "messages": [{"role": "user", "content": "hello"}]}
    answer = requests.post(f"{emulator.endpoint_url}/v1/chat/completions", json=chat, timeout=30)
    assert answer.status_code == 403
    assert stand_in.ledger.as_json()["lines"] == []


@pytest.mark.parametrize(
    ("model_id", "region", "arn", "foundation_model", "models"),
    [
        (NOVA, "eu-west-1", model_arn(NOVA, "eu-west-1"), NOVA, []),
        (model_arn(NOVA, "eu-west-1"), "eu-west-1", model_arn(NOVA, "eu-west-1"), NOVA, []),
        (model_arn(NOVA, "eu-west-1"), "us-east-1", model_arn(NOVA, "eu-west-1"), "", []),
        (US_HAIKU, "us-west-2", PROFILE.replace("us-east-1", "us-west-2"), HAIKU, HAIKUS),
        (US_HAIKU, "eu-west-1", PROFILE.replace("us-east-1", "eu-west-1"), "", []),
        (PROFILE, "us-east-1", PROFILE, HAIKU, HAIKUS),
        (PROFILE.replace("0000", "1111"), "us-east-1", PROFILE.replace("0000", "1111"), "", []),
        (
            *("arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/of-nova", "us-east-1"),
            *("arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/of-nova", NOVA, [model_arn(NOVA)]),
        ),
        (
            *("arn:aws:bedrock:us-east-1:000000000000:custom-model/mine/abc", "us-east-1"),
            *("arn:aws:bedrock:us-east-1:000000000000:custom-model/mine/abc", "", []),
        ),
    ],
)
def test_what_a_model_id_names(
    model_id: str, region: str, arn: str, foundation_model: str, models: Sequence[str]
) -> None:
    target = target_of(model_id, region, "000000000000", {"of-nova": model_arn(NOVA)}.get)
    assert (target.arn, target.foundation_model) == (arn, foundation_model)
    assert [model.arn for model in target.models] == list(models)


@pytest.mark.parametrize(
    ("owner", "name", "correct"),
    [
        (bedrock_runtime, "handle_request", lambda: bedrock.converse_with_the_stand_in("http://nobody.test")),
        (iam_actions, "extract_iam_action", bedrock.ask_iam_for_models),
        (iam_actions, "access_denied_response", bedrock.ask_iam_for_models),
        (bedrock_service, "_create_inference_profile", bedrock.name_members_of_inference_profiles),
    ],
)
def test_another_ministack_is_refused(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, correct: Any) -> None:
    def in_another_way(*given: Any) -> None:
        return None

    monkeypatch.setattr(owner, name, in_another_way)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()
