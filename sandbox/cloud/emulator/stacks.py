"""Corrections of CloudFormation: what its template says of a function or a table is kept.

ministack drops the dead-letter queue and the reserved concurrency of a function, and the time to live, the
point-in-time recovery and the deletion protection of a table. It keeps the CORS configuration of an HTTP API under
names that it does not read. By their own APIs it keeps all of them. It replaces a table by an empty one at any update
if the template does not name it.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source

_FUNCTION = "AWS::Lambda::Function"
_API = "AWS::ApiGatewayV2::Api"
_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")


def keep_what_stacks_say() -> None:
    """Keep these properties when a stack creates or updates one of these, and protect a table from deletion.

    Raises:
        RuntimeError: the installed ministack creates or updates functions, tables or HTTP APIs in another way.
    """
    from ministack.services import apigateway, dynamodb, lambda_svc  # type: ignore[import-untyped]
    from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

    for create in (provisioners._lambda_create, provisioners._ddb_create, provisioners._ddb_global_table_create):
        require_parameters(create, "logical_id", "props", "stack_name")
    for update in (provisioners._lambda_update, provisioners._ddb_update, provisioners._ddb_global_table_update):
        require_parameters(update, "physical_id", "old_props", "new_props", "stack_name")
    require_source(provisioners._ddb_delete, "_dynamodb._tables.pop(physical_id, None)")
    require_source(lambda_svc._put_function_concurrency, '_functions[func_name]["concurrency"] = value')
    require_source(dynamodb._update_ttl, "_ttl_settings[name] = {")
    require_source(dynamodb._update_continuous_backups, "_pitr_settings[name] = enabled")
    require_source(provisioners._apigw_v2_api_create, 'api["corsConfiguration"] = props["CorsConfiguration"]')
    require_source(provisioners._apigw_v2_api_update, 'payload["corsConfiguration"] = new_props["CorsConfiguration"]')
    require_source(apigateway._cors_response_headers, 'cors_cfg.get("allowOrigins", [])')

    for kind, settle in [
        (_FUNCTION, _settle_function),
        (_API, _settle_api),
        *((table, _settle_table) for table in _TABLES),
    ]:
        handlers = provisioners._RESOURCE_HANDLERS[kind]
        handlers["create"] = _and_settle(handlers["create"], settle, properties=1)
        handlers["update"] = _and_settle(handlers["update"], settle, properties=2)
    for kind in _TABLES:
        handlers = provisioners._RESOURCE_HANDLERS[kind]
        handlers["delete"] = _unless_protected(handlers["delete"])


def update_tables_in_place() -> None:
    """Update a global table that the template does not name in place, unless its key changes.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html

    Raises:
        RuntimeError: the installed ministack updates tables in another way.
    """
    from ministack.services.cloudformation import provisioners

    require_source(
        provisioners._ddb_global_table_update, "return _ddb_update(physical_id, old_props, translated, stack_name)"
    )
    require_source(provisioners._ddb_update, "logical_id or physical_id", '"KeySchema"')
    handlers = provisioners._RESOURCE_HANDLERS[_TABLES[1]]
    update = handlers["update"]

    @wraps(update)
    def update_in_place(name: str, old: Mapping[str, Any], new: Mapping[str, Any], *rest: Any, **named: Any) -> Any:
        if "TableName" not in new and old.get("KeySchema") == new.get("KeySchema"):
            old, new = {**old, "TableName": name}, {**new, "TableName": name}
        return update(name, old, new, *rest, **named)

    handlers["update"] = update_in_place


def _settle_function(name: str, properties: Mapping[str, Any]) -> None:
    from ministack.services import lambda_svc

    function, reserved = lambda_svc._functions[name], properties.get("ReservedConcurrentExecutions")
    function["concurrency"] = None if reserved is None else int(reserved)
    function["config"].pop("DeadLetterConfig", None)
    if letters := properties.get("DeadLetterConfig"):
        function["config"]["DeadLetterConfig"] = letters


def _settle_api(api_id: str, properties: Mapping[str, Any]) -> None:
    from ministack.services import apigateway

    if pages := properties.get("CorsConfiguration"):
        apigateway._apis[api_id]["corsConfiguration"] = {name[0].lower() + name[1:]: pages[name] for name in pages}


def _settle_table(name: str, properties: Mapping[str, Any]) -> None:
    from ministack.services import dynamodb

    replica = next(iter(properties.get("Replicas", [])), properties)
    recovery = replica.get("PointInTimeRecoverySpecification", {})
    expiry = properties.get("TimeToLiveSpecification", {})
    dynamodb._tables[name]["DeletionProtectionEnabled"] = _is_true(replica.get("DeletionProtectionEnabled"))
    dynamodb._pitr_settings[name] = _is_true(recovery.get("PointInTimeRecoveryEnabled"))
    dynamodb._ttl_settings.pop(name, None)
    if _is_true(expiry.get("Enabled")):
        dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": {**expiry, "Enabled": True}})


def _unless_protected(delete: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handler that deletes a table unless it is protected from deletion."""
    from ministack.services import dynamodb

    @wraps(delete)
    def delete_unprotected(name: str, *rest: Any) -> Any:
        if dynamodb._tables.get(name, {}).get("DeletionProtectionEnabled"):
            raise ValueError(f"Resource cannot be deleted as it is currently protected against deletion: {name}")
        return delete(name, *rest)

    return delete_unprotected


def _and_settle(
    handler: Callable[..., Any], settle: Callable[[str, Mapping[str, Any]], None], *, properties: int
) -> Callable[..., Any]:
    """Return a handler that also settles what its argument at the place `properties` says."""

    @wraps(handler)
    def handle(*given: Any, **named: Any) -> Any:
        name, *rest = handler(*given, **named)
        settle(name, given[properties])
        return (name, *rest)

    return handle


def _is_true(value: Any) -> bool:
    """Tell whether a boolean of a template, which may be a string, is true."""
    return str(value).lower() == "true"
