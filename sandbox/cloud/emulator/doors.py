"""Corrections of who gets in: requests of web pages and with well-known keys are refused.

ministack takes no credentials, the key `test` and any 12 digits for the root of an account, and checks no signature of
theirs. It derives the keys of functions from their ARNs. It configures itself for everybody, and lets every web page
call it and read the answers. Signatures with all other keys it does verify. A page gets in only where the CORS
configuration of an API or a bucket names its origin: AWS would call the API, and not let the page read the answer.
"""

import json
import secrets
from collections.abc import Mapping
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import Replacements, require_parameters, require_source, rewrite
from sandbox.doors import CONTROL_KEY_HEADER, opens, refusal

ROOT_KEY_VARIABLE = "SANDBOX_ROOT_KEY"
"""The variable with the root's key of a first start: its id, a colon, its secret."""
_ACCOUNT = "000000000000"
_CONFIGURED = ("/_ministack/", "/_localstack/")
# They tell no secret and change nothing. A response URL ends in a token that only the called function knows.
_OPEN = ("/_ministack/ready", "/_ministack/health", "/_localstack/health")
_OF_TOKEN = "/_ministack/cfn-response/"  # noqa: S105 - a path
# ministack asks the policy of the bucket whether anybody may: these calls are about no bucket that is there.
_OF_NO_BUCKET = ("s3:ListAllMyBuckets", "s3:CreateBucket")
_ROLE_KEYS: Replacements = [('f"{function_arn}:{role_arn}".encode()', 'f"{_START}:{function_arn}:{role_arn}".encode()')]


def new_root_key() -> str:
    """Return a key for ROOT_KEY_VARIABLE."""
    return f"ASIA{secrets.token_hex(8).upper()}:{secrets.token_hex(20)}"


def accept_only_keys_of_this_cloud(root_key: str) -> None:
    """Know no root but the one with this key, whose signatures are verified. Without a key ("") there is no root.

    Requests without credentials go on to the services that AWS lets anybody call: they decide themselves, such as a
    route of API Gateway without an authorizer, or a bucket with a public policy.

    Raises:
        RuntimeError: the installed ministack resolves keys in another way.
    """
    from ministack.core import iam_evaluator  # type: ignore[import-untyped]
    from ministack.services import sts  # type: ignore[import-untyped]

    require_parameters(iam_evaluator.is_root_access_key, "access_key_id")
    require_source(iam_evaluator.is_root_access_key, "not access_key_id", 'access_key_id == "test"', "_ACCOUNT_ID_RE")
    require_source(iam_evaluator._is_root_key, "return is_root_access_key(access_key_id)")
    require_source(iam_evaluator.resolve_credential, "if is_root_access_key(access_key_id):", "sts_svc._sessions.get(")
    require_parameters(iam_evaluator.check_credentials, "access_key_id", "service")
    require_source(iam_evaluator.enforce, "if _anonymous.get() and not anonymous_ok", "authenticate(access_key_id")
    require_source(iam_evaluator.authenticate, "header_signature_failure(", "request.unverifiable")
    require_parameters(iam_evaluator.enforce, "access_key_id", "iam_action", "service")
    require_parameters(sts.register_session, "access_key", "session")
    check, enforce = iam_evaluator.check_credentials, iam_evaluator.enforce

    @wraps(iam_evaluator.is_root_access_key)
    def names_nobody(access_key_id: str) -> bool:
        return not access_key_id

    @wraps(check)
    def check_that_there_are_some(access_key_id: str, service: str | None = None) -> Any:
        if not access_key_id:
            return iam_evaluator.AuthError("MissingAuthenticationToken", "Missing Authentication Token")
        return check(access_key_id, service)

    @wraps(enforce)
    def enforce_also_for_nobody(access_key_id: str, iam_action: str, *given: Any, **named: Any) -> Any:
        if not access_key_id and iam_action in _OF_NO_BUCKET:
            return iam_evaluator.AuthError("AccessDenied", "Access Denied")
        return enforce(access_key_id, iam_action, *given, **named)

    iam_evaluator.is_root_access_key = sts.is_root_access_key = names_nobody
    iam_evaluator.check_credentials = check_that_there_are_some
    iam_evaluator.enforce = enforce_also_for_nobody
    if root_key:
        key_id, _, secret = root_key.partition(":")
        sts.register_session(
            key_id,
            {
                "Arn": f"arn:aws:iam::{_ACCOUNT}:root",
                "UserId": _ACCOUNT,
                "AccountId": _ACCOUNT,
                "PrincipalType": "Root",
                "SecretAccessKey": secret,
            },
        )


def give_functions_keys_of_this_start() -> None:
    """Give functions keys that nobody can derive from their names.

    Raises:
        RuntimeError: the installed ministack makes keys of functions in another way.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    require_source(lambda_runtime.execution_credentials, 'f"secret:{digest}"', 'f"token:{digest}"')
    rewrite((lambda_runtime.execution_credentials, _ROLE_KEYS))
    lambda_runtime._START = secrets.token_hex(32)
    lambda_svc.execution_credentials = lambda_runtime.execution_credentials


def close_doors(control_key: str) -> None:
    """Refuse what web pages send, ask for the control key on ministack's own routes, and send no CORS headers.

    A page of an origin that an API or a bucket names is let in there, and may read the answers.

    There are no WebSockets: the stack uses none.

    Raises:
        RuntimeError: the installed ministack serves or configures itself in another way.
    """
    from ministack import app  # type: ignore[import-untyped]
    from ministack.services import s3

    require_parameters(app.app, "scope", "receive", "send")
    require_source(app.app, 'path = scope["path"]')
    require_source(app.main, "hypercorn_serve(app, config)")
    require_source(app._handle_admin_config_request, 'path != "/_ministack/config"')
    require_source(app._handle_ready_request, 'path != "/_ministack/ready"')
    require_parameters(app._parse_execute_api_url, "host", "path")
    require_parameters(app._s3_cors_target, "host", "path")
    require_source(s3._cors_rules, '"CORSRule"')
    serve = app.app

    @wraps(serve)
    async def serve_who_may_enter(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await serve(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif origin := _named_page(scope):
            await serve(scope, receive, _with_cors_of(origin, send))
        elif reason := _refusal(scope, control_key):
            await _refuse(send, reason)
        else:
            await serve(scope, receive, _with_cors_of(None, send))

    app.app = serve_who_may_enter


def _named_page(scope: Mapping[str, Any]) -> str | None:
    """Return the origin of the page that sent a request if the API or the bucket names it; None for any other."""
    from ministack import app
    from ministack.services import apigateway, s3

    headers = _headers(scope)
    origin, host, path = headers.get("origin"), headers.get("host", ""), scope["path"]
    if not origin or refusal({"host": host}):
        return None
    if called := app._parse_execute_api_url(host, path):
        pages = (apigateway._apis.get(called[0]) or {}).get("corsConfiguration") or {}
        return origin if origin in pages.get("allowOrigins", ()) else None
    if not path.startswith("/_") and (target := app._s3_cors_target(host, path)):
        rules = s3._cors_rules(target[0]) or ()
        return origin if any(origin in rule.get("AllowedOrigin", ()) for rule in rules) else None
    return None


def _refusal(scope: Mapping[str, Any], control_key: str) -> str | None:
    headers = _headers(scope)
    if reason := refusal(headers):
        return reason
    path = scope["path"]
    if path.startswith(_CONFIGURED) and path not in _OPEN and not path.startswith(_OF_TOKEN):
        return None if opens(headers, control_key) else f"it lacks the key of this local cloud ({CONTROL_KEY_HEADER})"
    return None


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


async def _refuse(send: Any, reason: str) -> None:
    body = json.dumps({"__type": "AccessDeniedException", "message": f"The local cloud refuses this: {reason}."})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})


def _with_cors_of(origin: str | None, send: Any) -> Any:
    """Return what sends an answer without the headers of CORS, unless they are for this origin."""

    async def send_to_page(message: Mapping[str, Any]) -> None:
        headers = message.get("headers", [])
        allowed = [value.decode("latin-1") for name, value in headers if name.lower() == b"access-control-allow-origin"]
        if headers and (origin is None or allowed != [origin]):
            kept = [(name, value) for name, value in headers if not name.lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return send_to_page
