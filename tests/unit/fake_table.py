"""A DynamoDB table in memory, for tests that are not about DynamoDB: moto takes milliseconds per call.

It knows the operations and the forms of expressions that the stores use, and refuses every other; that these
expressions mean on DynamoDB what they mean here is what the tests of the stores show, with moto.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.conditions import And, ConditionBase
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

WireItem = Mapping[str, Any]

_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD)\b")
_CONDITION = re.compile(
    r"(?P<function>attribute_exists|attribute_not_exists)\((?P<checked>\S+)\)"
    r"|(?P<name>\S+) = (?P<value>\S+)"
    r"|NOT (?P<excluded>\S+) IN \((?P<values>[^)]+)\)"
)


@dataclass
class FakeTable:
    """Items are kept as they go over the wire; a query answers in pages of 1 MB."""

    items: dict[tuple[str, str], WireItem] = field(default_factory=dict)
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    queries: int = 0

    def get_item(self, *, Key: Mapping[str, str], **_: Any) -> dict[str, Any]:
        item = self.items.get((Key["pk"], Key["sk"]))
        return {} if item is None else {"Item": _from_wire(item)}

    def put_item(self, *, Item: Mapping[str, Any], ConditionExpression: str = "") -> None:
        key = Item["pk"], Item["sk"]
        self._check(key, ConditionExpression, {}, {})
        self._store(key, Item)

    def update_item(
        self,
        *,
        Key: Mapping[str, str],
        UpdateExpression: str,
        ConditionExpression: str,
        ExpressionAttributeNames: Mapping[str, str],
        ExpressionAttributeValues: Mapping[str, Any],
    ) -> None:
        names, values = ExpressionAttributeNames, ExpressionAttributeValues
        key = Key["pk"], Key["sk"]
        self._check(key, ConditionExpression, names, values)
        item = {**_from_wire(self.items.get(key, {})), **Key}
        _, *clauses = _CLAUSE.split(UpdateExpression)
        for word, clause in zip(clauses[::2], clauses[1::2], strict=True):
            for action in clause.split(","):
                match word, action.split():
                    case "SET", [name, "=", value]:
                        item[names[name]] = values[value]
                    case "REMOVE", [name]:
                        item.pop(names[name], None)
                    case "ADD", [name, value]:
                        item[name] = item.get(name, 0) + values[value]
                    case other:
                        raise AssertionError(f"no such update: {other}")
        self._store(key, item)

    @contextmanager
    def batch_writer(self) -> Iterator["FakeTable"]:
        yield self

    def query(
        self, *, KeyConditionExpression: ConditionBase, ExclusiveStartKey: Any = None, ConsistentRead: bool = False
    ) -> dict[str, Any]:
        self.queries += 1
        partition, prefix = KeyConditionExpression, ""
        if isinstance(KeyConditionExpression, And):
            partition, begins_with = KeyConditionExpression.get_expression()["values"]
            prefix = begins_with.get_expression()["values"][1]
        hash_key = partition.get_expression()["values"][1]
        after = ExclusiveStartKey["sk"] if ExclusiveStartKey else ""
        page: dict[str, Any] = {"Items": []}
        size = 0
        for pk, sk in sorted(self.items):
            if pk != hash_key or not sk.startswith(prefix) or sk <= after:
                continue
            size += self.sizes[pk, sk]
            page["Items"].append(_from_wire(self.items[pk, sk]))
            if size > 1 << 20:
                page["LastEvaluatedKey"] = {"pk": pk, "sk": sk}
                break
        return page

    def scan(self) -> dict[str, Any]:
        return {"Items": [_from_wire(self.items[key]) for key in sorted(self.items)]}

    def _store(self, key: tuple[str, str], item: Mapping[str, Any]) -> None:
        self.items[key] = _to_wire(item)
        self.sizes[key] = wire_bytes(self.items[key])

    def _check(self, key: tuple[str, str], condition: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        item = _from_wire(self.items.get(key, {}))
        for part in filter(None, condition.split(" AND ")):
            match = _CONDITION.fullmatch(part)
            assert match, f"no such condition: {part}"
            if match["function"]:
                holds = (match["checked"] in item) == (match["function"] == "attribute_exists")
            elif match["name"]:
                holds = item.get(match["name"]) == values[match["value"]]
            else:
                holds = item.get(names[match["excluded"]]) not in [values[v] for v in match["values"].split(", ")]
            if not holds:
                raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": part}}, "Write")


def _to_wire(item: Mapping[str, Any]) -> WireItem:
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in item.items()}


def _from_wire(item: WireItem) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}


def wire_bytes(item: Mapping[str, Any]) -> int:
    """An item's size by DynamoDB's rule, counted from the form that goes over the wire.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            digits = content.lstrip("-").replace(".", "").strip("0")
            return (len(digits) + 1) // 2 + 1 + content.startswith("-")
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_bytes(part) for part in content)
        case "M":
            return 3 + len(content) + wire_bytes(content)
    raise AssertionError(f"no rule for {kind}")
