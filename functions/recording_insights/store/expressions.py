"""DynamoDB's expressions, pages and lost races, once for all stores.

Conditions are those of `boto3.dynamodb.conditions`; here is what that library does not build.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import sleep
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from recording_insights.store.keys import PARTITION, SORT
from recording_insights.store.numbers import decode, encode

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_TRANSACTION_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between the tries. A transaction takes some ten milliseconds."""


def update_of(changes: Mapping[str, Any], *, add: Mapping[str, int | set[str]] | None = None) -> dict[str, Any]:
    """Arguments of `update_item` that set attributes, remove those whose value is None, and add to numbers and sets."""
    sets = {name: value for name, value in changes.items() if value is not None}
    removes = [name for name, value in changes.items() if value is None]
    clauses = {
        "SET": [f"#{name} = :{name}" for name in sets],
        "REMOVE": [f"#{name}" for name in removes],
        "ADD": [f"#{name} :{name}" for name in add or {}],
    }
    names = (*sets, *removes, *(add or {}))
    values = {f":{name}": encode(value) for name, value in (*sets.items(), *(add or {}).items())}
    return {
        "UpdateExpression": " ".join(f"{verb} {', '.join(actions)}" for verb, actions in clauses.items() if actions),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        # DynamoDB refuses an empty map.
        **({"ExpressionAttributeValues": values} if values else {}),
    }


def put_of(
    table: "Table", row: Mapping[str, Any], condition: "ConditionBase | None" = None
) -> "TransactWriteItemTypeDef":
    """Return the write of a transaction that puts a row, on a condition if there is one."""
    put: Any = {"TableName": table.name, "Item": encode(row), **(_as_text(condition, {}) if condition else {})}
    return {"Put": put}


def deletion_of(table: "Table", row: Mapping[str, Any]) -> "TransactWriteItemTypeDef":
    """Return the write of a transaction that deletes a row."""
    delete: Any = {"TableName": table.name, "Key": {name: row[name] for name in (PARTITION, SORT)}}
    return {"Delete": delete}


def change_of(
    table: "Table", key: Mapping[str, str], changes: Mapping[str, Any], condition: "ConditionBase"
) -> "TransactWriteItemTypeDef":
    """Return the write of a transaction that changes a row on a condition, as `update_of` does."""
    update: Any = {"TableName": table.name, "Key": key, **_as_text(condition, update_of(changes))}
    return {"Update": update}


def _as_text(condition: "ConditionBase", arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with the condition as text, since a transaction takes no other form."""
    from boto3.dynamodb.conditions import ConditionExpressionBuilder

    built = ConditionExpressionBuilder().build_expression(condition)
    names = {**arguments.get("ExpressionAttributeNames", {}), **built.attribute_name_placeholders}
    values = {**arguments.get("ExpressionAttributeValues", {}), **built.attribute_value_placeholders}
    whole = {**arguments, "ConditionExpression": built.condition_expression, "ExpressionAttributeNames": names}
    # DynamoDB refuses an empty map.
    return {**whole, "ExpressionAttributeValues": values} if values else whole


def write_all(table: "Table", writes: "Sequence[TransactWriteItemTypeDef]") -> bool:
    """Make all writes or none, and return whether their conditions held.

    Waits up to 1.55 s for another transaction that is writing one of the rows.
    """
    for seconds in (*_TRANSACTION_PAUSES, 0):
        try:
            table.meta.client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if not lost_the_race(error):
                raise
            if not seconds or not _conflicts(error):
                return False
        else:
            return True
        sleep(seconds)
    raise AssertionError("the last round returns")


def _conflicts(error: ClientError) -> bool:
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
    return "TransactionConflict" in reasons and "ConditionalCheckFailed" not in reasons


def read(table: "Table", key: Mapping[str, str]) -> Any:
    """Return a row, read consistently, or None."""
    item = table.get_item(Key=key, ConsistentRead=True).get("Item")
    return None if item is None else decode(item)


def pages(table: "Table", **query: Any) -> Iterator[list[Any]]:
    """Yield the rows of a query page by page; the next page is read only when the caller needs it."""
    start: dict[str, Any] = {}
    while True:
        page = table.query(**query, **start)
        yield [decode(item) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def rows(table: "Table", **query: Any) -> list[Any]:
    """Return all rows of a query, over all of its pages."""
    return [row for page in pages(table, **query) for row in page]


def lost_the_race(error: ClientError) -> bool:
    """Return whether the condition of a write, or of one write of a transaction, did not hold.

    A transaction that conflicts with another write of its rows has lost, too: the rows are about to change.
    """
    if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        return True
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
    return bool(reasons & {"ConditionalCheckFailed", "TransactionConflict"})


def if_it_holds(write: Callable[..., Any], **arguments: Any) -> Any:
    """Return the reply of a conditional write, or None if its condition did not hold.

    Waits up to 1.55 s for a transaction that is writing the same row.
    """
    try:
        return _after_transactions(write, **arguments)
    except ClientError as error:
        if not lost_the_race(error):
            raise
        return None


def _after_transactions(write: Callable[..., Any], **arguments: Any) -> Any:
    """Repeat a write of one row that DynamoDB rejects while a transaction is writing the row; botocore does not."""
    for seconds in _TRANSACTION_PAUSES:
        try:
            return write(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionConflictException":
                raise
        sleep(seconds)
    return write(**arguments)
