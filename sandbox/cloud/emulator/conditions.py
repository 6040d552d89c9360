"""Corrections of what policies of IAM can tell apart: condition keys and patterns that ministack does not know.

ministack supplies no `dynamodb:LeadingKeys`, so that a policy which limits a caller to some partitions lets every
partition pass. It supplies no `s3:signatureAge`, so that no bucket policy can end the life of a link. It takes
`${*}`, `${?}` and `${$}` for themselves, where IAM takes the character within. And it asks for the right to list or to
change where a caller of Lambda reads one mapping or one limit.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source

_TOKEN = re.compile(r"\$\{([*?$])\}|([*?])|(.)", re.DOTALL)
_LAMBDA = {
    re.compile("/event-source-mappings/[^/]+/?$"): {
        "GET": "GetEventSourceMapping",
        "PUT": "UpdateEventSourceMapping",
        "DELETE": "DeleteEventSourceMapping",
    },
    re.compile("/functions/[^/]+/concurrency/?$"): {
        "GET": "GetFunctionConcurrency",
        "PUT": "PutFunctionConcurrency",
        "DELETE": "DeleteFunctionConcurrency",
    },
    re.compile("/account-settings/?$"): {"GET": "GetAccountSettings"},
}
"""Actions of Lambda by the end of the path and by method."""
_EQUALS = re.compile(r"(#?[\w.-]+)\s*=\s*(:\w+)")


def read_escapes_in_patterns() -> None:
    """Let `${*}`, `${?}` and `${$}` in a pattern stand for the one character, and `*` and `?` for line breaks too.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

    Raises:
        RuntimeError: the installed ministack matches patterns in another way.
    """
    from ministack.core import iam_evaluator  # type: ignore[import-untyped]

    require_parameters(iam_evaluator._fnmatch_compile, "pattern", "ignore_case")
    for match in (iam_evaluator.fnmatch_iam, iam_evaluator.fnmatch_iam_cs):
        require_source(match, "_fnmatch_compile(pattern, ", ").match(value) is not None")
    compiled = iam_evaluator._fnmatch_compile

    @wraps(compiled)
    @lru_cache(maxsize=4096)
    def compiled_with_escapes(pattern: str, ignore_case: bool) -> re.Pattern[str]:
        parts = (_expression_of(*token.groups()) for token in _TOKEN.finditer(pattern))
        return re.compile(f"{''.join(parts)}\\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))

    iam_evaluator._fnmatch_compile = compiled_with_escapes


def _expression_of(escaped: str | None, wildcard: str | None, plain: str | None) -> str:
    if wildcard:
        return ".*" if wildcard == "*" else "."
    return re.escape(escaped or plain or "")


def name_reads_of_lambda() -> None:
    """Let IAM decide by the actions that calls about mappings, reserved concurrency and the account have on AWS.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html

    Raises:
        RuntimeError: the installed ministack names the actions of Lambda in another way.
    """
    from ministack.core import iam_actions

    require_parameters(iam_actions._lambda_action, "method", "path")
    require_source(
        iam_actions._lambda_action, '"concurrency": "PutFunctionConcurrency"', 'return "ListEventSourceMappings"'
    )
    require_source(iam_actions.extract_iam_action, "_lambda_action(method, path)")
    action_of = iam_actions._lambda_action

    @wraps(action_of)
    def action_of_call(method: str, path: str) -> str | None:
        actions = next((actions for end, actions in _LAMBDA.items() if end.search(path)), {})
        return actions.get(method) or action_of(method, path)

    iam_actions._lambda_action = action_of_call


def tell_policies_the_leading_keys() -> None:
    """Supply `dynamodb:LeadingKeys`: the partition keys that a request names. A Scan names none.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html

    Raises:
        RuntimeError: the installed ministack reads the requests of DynamoDB in another way.
    """
    from ministack import app  # type: ignore[import-untyped]
    from ministack.core import iam_actions
    from ministack.services import dynamodb  # type: ignore[import-untyped]

    require_parameters(iam_actions.dynamodb_service_context, "body")
    require_source(dynamodb._create_table, '"KeySchema": key_schema,', '"GlobalSecondaryIndexes":')
    require_source(app._dispatch_service_request, "dynamodb_service_context(body) if service ==")
    context_of = iam_actions.dynamodb_service_context

    @wraps(context_of)
    def context_with_leading_keys(body: bytes) -> dict[str, Any]:
        context: dict[str, Any] = context_of(body)
        if keys := list(dict.fromkeys(_leading_keys(body))):
            context["dynamodb:LeadingKeys"] = keys
        return context

    iam_actions.dynamodb_service_context = context_with_leading_keys


def _leading_keys(body: bytes) -> Iterator[str]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return
    if not isinstance(request, dict):
        return
    for part in _parts(request):
        if name := _partition_key(part):
            yield from _keys_of(part, name)


def _parts(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the requests for one table or item that a request consists of."""
    yield request
    for table, of_table in (request.get("RequestItems") or {}).items():
        writes = of_table if isinstance(of_table, list) else []
        keys = of_table.get("Keys", []) if isinstance(of_table, dict) else []
        yield from ({"TableName": table, **part} for write in writes for part in write.values())
        yield from ({"TableName": table, "Key": key} for key in keys)
    for item in request.get("TransactItems") or []:
        yield from item.values()


def _partition_key(part: Mapping[str, Any]) -> str | None:
    """Return the name of the partition key of the table or index; None if there is no such table or index."""
    from ministack.services import dynamodb

    table = dynamodb._tables.get(str(part.get("TableName", "")).rpartition("/")[2])
    if table is None:
        return None
    index, schema = part.get("IndexName"), table["KeySchema"]
    if index:
        indexes = (*(table.get("GlobalSecondaryIndexes") or []), *(table.get("LocalSecondaryIndexes") or []))
        schema = next((each["KeySchema"] for each in indexes if each["IndexName"] == index), [])
    return next((str(key["AttributeName"]) for key in schema if key["KeyType"] == "HASH"), None)


def _keys_of(part: Mapping[str, Any], name: str) -> Iterator[str]:
    for item in (part.get("Key"), part.get("Item")):
        if item and name in item:
            yield _text(item[name])
    names, values = part.get("ExpressionAttributeNames") or {}, part.get("ExpressionAttributeValues") or {}
    for attribute, value in _EQUALS.findall(part.get("KeyConditionExpression") or ""):
        if names.get(attribute, attribute) == name and value in values:
            yield _text(values[value])
    if condition := (part.get("KeyConditions") or {}).get(name):
        yield from map(_text, condition["AttributeValueList"])


def _text(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values())))


def tell_policies_the_age_of_links() -> None:
    """Supply `s3:signatureAge` for presigned links: the milliseconds since they were signed.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html

    Raises:
        RuntimeError: the installed ministack reads the requests of S3 in another way.
    """
    from ministack import app
    from ministack.core import iam_actions

    require_parameters(iam_actions.s3_service_context, "iam_action", "query_params")
    require_source(app._dispatch_service_request, "s3_service_context(iam_action, query_params, path,")
    context_of = iam_actions.s3_service_context

    @wraps(context_of)
    def context_with_age(iam_action: str, query_params: Any, *rest: Any) -> dict[str, Any]:
        context: dict[str, Any] = context_of(iam_action, query_params, *rest)
        if signed_at := iam_actions._query_param(query_params or {}, "X-Amz-Date"):
            moment = datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            context["s3:signatureAge"] = str(int((time.time() - moment.timestamp()) * 1000))
        return context

    iam_actions.s3_service_context = context_with_age
