"""Corrections of Bedrock where ministack differs from AWS in a way that the stack notices.

* Converse is answered by the stand-in. ministack answers with canned text, also when its proxy fails.
* The other calls of bedrock-runtime are refused: ministack has canned answers for them too.
* IAM decides about Converse by bedrock:InvokeModel. ministack asks for bedrock:Converse, an action that AWS does not
  have. An inference profile needs the right on the profile and on its models, a guardrail needs bedrock:ApplyGuardrail.
* The answers about inference profiles have the names of AWS's members. ministack's begin with capitals, so that boto3
  finds none.

Like `corrections` it replaces internals of one exact version of ministack.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import quote, unquote

import requests

from sandbox.cloud.emulator.bedrock_models import Target, target_of
from sandbox.cloud.emulator.internals import require_parameters, require_source
from sandbox.cloud.emulator.threads import on_a_thread

_log = logging.getLogger(__name__)

INVOKE_MODEL = "bedrock:InvokeModel"
_CALL = re.compile(r"/model/(.+)/([a-z-]+)")
_ACTIONS = {
    "converse": INVOKE_MODEL,
    "invoke": INVOKE_MODEL,
    "converse-stream": f"{INVOKE_MODEL}WithResponseStream",
    "invoke-with-response-stream": f"{INVOKE_MODEL}WithResponseStream",
    "invoke-with-bidirectional-stream": f"{INVOKE_MODEL}WithBidirectionalStream",
    "count-tokens": "bedrock:CountTokens",
}
"""Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (bedrock:InvokeModel) and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html"""
_ANSWER_SECONDS = (5, 3600)
_UNKNOWN = (
    404,
    "UnknownOperationException",
    "The Bedrock of this local cloud has Converse only. See docs/sandbox.md.",
)
_AWAY = (503, "ServiceUnavailableException", "The stand-in for Bedrock does not answer. Is the sandbox up?")


@dataclass(frozen=True)
class ModelAnswer:
    """The stand-in's HTTP answer to a Converse request."""

    status: int
    body: bytes


Ask = Callable[[str, Mapping[str, str], bytes], ModelAnswer]
"""(model id, query, body of Converse) → the stand-in's answer. Raises requests.RequestException if it is away."""


def converse_with_the_stand_in(sandbox_url: str, ask: Ask | None = None) -> None:
    """Hand each Converse request to the stand-in at this URL, or to `ask`, and its answer back. Refuse all other calls.

    A stand-in that is away is a ServiceUnavailableException, and the log says so: there is no other answer.

    Raises:
        RuntimeError: the installed ministack serves Bedrock in another way.
    """
    from ministack.services import bedrock_runtime  # type: ignore[import-untyped]

    require_parameters(bedrock_runtime.handle_request, "method", "path", "headers", "body", "query_params")
    require_source(bedrock_runtime.handle_request, "_CONVERSE_RE.match(path)", '"/v1/chat/completions"')
    require_parameters(bedrock_runtime._error, "code", "message", "status")
    answer_of = ask or _stand_in_at(sandbox_url)

    @wraps(bedrock_runtime.handle_request)
    async def converse(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        call = _call(path)
        if method != "POST" or call is None or call[1] != "converse":
            return _error(*_UNKNOWN)
        region, account = _here(headers)
        target = target_of(call[0], region, account, _copied_from)
        if denied := _denied(target, body, headers, query_params):
            return denied
        query = {"region": region, "foundation_model": target.foundation_model, "geography": target.geography}
        profile = {"profile": target.arn} if target.is_profile else {}
        try:
            answer = await on_a_thread(lambda: answer_of(call[0], {**query, **profile}, body))
        except requests.RequestException as away:
            _log.warning(
                "Converse is refused: the stand-in at %s does not answer (%s)", sandbox_url, type(away).__name__
            )
            return _error(*_AWAY)
        return answer.status, {"Content-Type": "application/json"}, answer.body

    bedrock_runtime.handle_request = converse


def ask_iam_for_models() -> None:
    """Let IAM decide by the actions and the resources that Bedrock's calls have on AWS, and name both when it denies.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html

    Raises:
        RuntimeError: the installed ministack names actions and resources in another way.
    """
    from ministack.core import iam_actions  # type: ignore[import-untyped]

    shared = ("service", "method", "path", "headers", "body", "query_params")
    require_parameters(iam_actions.extract_iam_action, *shared)
    require_parameters(iam_actions.extract_resource_arn, *shared, "region", "account_id")
    require_parameters(iam_actions.identity_denial_message, "action", "principal_arn", "resource", "explicit_deny")
    require_source(iam_actions.access_denied_response, 'error_code: str = ""', 'message: str = ""', "explicit_deny")
    action_of, arn_of, deny = (
        iam_actions.extract_iam_action,
        iam_actions.extract_resource_arn,
        iam_actions.access_denied_response,
    )

    @wraps(action_of)
    def action_of_model(service: str, method: str, path: str, *given: Any) -> Any:
        call = _call(path) if service == _SERVICE else None
        return _ACTIONS.get(call[1], INVOKE_MODEL) if call else action_of(service, method, path, *given)

    @wraps(arn_of)
    def arn_of_model(service: str, method: str, path: str, *given: Any) -> Any:
        call = _call(path) if service == _SERVICE else None
        if call is None:
            return arn_of(service, method, path, *given)
        region, account = given[-2:]
        return target_of(call[0], region, account, _copied_from).arn

    @wraps(deny)
    def deny_naming_resource(service: str, action: str, principal_arn: str, request_id: str, **named: Any) -> Any:
        if service == _SERVICE and not named.get("error_code") and not named.get("message"):
            explicit = named.get("explicit_deny", False)
            resource = named.get("resource_arn", "*")
            message = iam_actions.identity_denial_message(action, principal_arn, resource, explicit)
            named = {**named, "message": message}
        return deny(service, action, principal_arn, request_id, **named)

    iam_actions.extract_iam_action = action_of_model
    iam_actions.extract_resource_arn = arn_of_model
    iam_actions.access_denied_response = deny_naming_resource


def name_members_of_inference_profiles() -> None:
    """Write the members of the answers about inference profiles as AWS does, with a small first letter.

    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetInferenceProfile.html

    Raises:
        RuntimeError: the installed ministack serves inference profiles in another way.
    """
    from ministack.services import bedrock

    require_parameters(bedrock.handle_request, "method", "path", "headers", "body", "query_params")
    require_source(bedrock._create_inference_profile, '"InferenceProfileArn": ', '"Models": [{"ModelArn": models}]')
    handle = bedrock.handle_request

    @wraps(handle)
    async def handle_naming(method: str, path: str, *given: Any) -> Any:
        status, headers, body = await handle(method, path, *given)
        if path.startswith("/inference-profiles") and status < 300 and body:
            body = json.dumps(_with_small_names(json.loads(body))).encode()
        return status, headers, body

    bedrock.handle_request = handle_naming


_SERVICE = "bedrock-runtime"


def _call(path: str) -> tuple[str, str] | None:
    """The model id and the last part of a path /model/{id}/{call}; an id may hold slashes."""
    found = _CALL.fullmatch(unquote(path).rstrip("/"))
    return (found[1], found[2]) if found else None


def _copied_from(profile_id: str) -> str | None:
    from ministack.services import bedrock

    record = bedrock._inference_profiles_apps.get(profile_id)
    return record["Models"][0]["ModelArn"] if record else None


def _here(headers: Any) -> tuple[str, str]:
    from ministack.core.responses import get_account_id  # type: ignore[import-untyped]
    from ministack.core.router import extract_region  # type: ignore[import-untyped]

    return extract_region(headers), get_account_id()


def _denied(target: Target, body: bytes, headers: Any, query_params: Any) -> Any:
    """The answer to a caller who lacks a right beside the one on the target itself, None if there is none such."""
    from ministack import app  # type: ignore[import-untyped]
    from ministack.core import iam_actions, iam_evaluator
    from ministack.core.router import extract_access_key_id

    if not app.AUTH:
        return None
    caller = extract_access_key_id(headers, query_params)
    region, account = _here(headers)
    for action, resource, there, context in _further_rights(target, body, region, account):
        denied = iam_evaluator.enforce(caller, action, _SERVICE, there, resource_arn=resource, service_context=context)
        if denied:
            return iam_actions.access_denied_response(
                _SERVICE,
                action,
                denied.principal_arn,
                "",
                headers=headers,
                resource_arn=resource,
                explicit_deny=denied.decision == "Deny",
            )
    return None


def _further_rights(
    target: Target, body: bytes, region: str, account: str
) -> Iterator[tuple[str, str, str, Mapping[str, str]]]:
    """Action, resource, requested region and conditions of each right that the request needs beside the first one.

    A statement about a model may allow it through a certain profile only, by the condition bedrock:InferenceProfileArn.
    """
    through_profile = {"bedrock:InferenceProfileArn": target.arn}
    for model in target.models:
        yield INVOKE_MODEL, model.arn, model.requested_region, through_profile
    if guardrail := _guardrail(body):
        arn = guardrail if guardrail.startswith("arn:") else f"arn:aws:bedrock:{region}:{account}:guardrail/{guardrail}"
        yield "bedrock:ApplyGuardrail", arn, region, {}


def _guardrail(body: bytes) -> str:
    try:
        config = json.loads(body)["guardrailConfig"]
        return str(config["guardrailIdentifier"])
    except (ValueError, KeyError, TypeError):
        return ""


def _with_small_names(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_small_names(entry) for entry in value]
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _with_small_names(member) for name, member in value.items()}
    return value


def _stand_in_at(url: str) -> Ask:
    def ask(model_id: str, query: Mapping[str, str], body: bytes) -> ModelAnswer:
        address = f"{url.rstrip('/')}/bedrock/model/{quote(model_id, safe='')}/converse"
        headers = {"Content-Type": "application/json"}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(address, params=dict(query), data=body, headers=headers, timeout=_ANSWER_SECONDS)
        return ModelAnswer(answer.status_code, answer.content)

    return ask


def _error(status: int, code: str, message: str) -> Any:
    from ministack.services import bedrock_runtime

    return bedrock_runtime._error(code, message, status)
