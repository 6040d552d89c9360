"""The expressions of DynamoDB that the stores write, and no others: whatever else is in one fails the test."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.conditions import And, ConditionBase

_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD)\b")
_CONDITION = re.compile(
    r"attribute_(?P<absent>not_)?exists\((?P<checked>[^)\s]+)\)|(?P<name>\S+) (?P<operator>=|<=) (?P<value>\S+)"
)


@dataclass
class Placeholders:
    """What stands for the `#names` and `:values` of a call's expressions; DynamoDB wants each one used."""

    names: Mapping[str, str]
    values: Mapping[str, Any]
    used: set[str] = field(default_factory=set)

    def name(self, word: str) -> str:
        """An attribute's name, given as it is or by its placeholder."""
        if word.startswith("#"):
            self.used.add(word)
            return self.names[word]
        assert word.isidentifier(), f"no attribute: {word}"
        return word

    def value(self, word: str) -> Any:
        self.used.add(word)
        return self.values[word]

    def refuse_unused(self) -> None:
        unused = {*self.names, *self.values} - self.used
        assert not unused, f"in no expression: {unused}"


def fulfils(item: Mapping[str, Any], condition: str | ConditionBase, given: Placeholders) -> bool:
    """Whether an item, empty if there is none, meets a condition: one of boto3's, or a text of a transaction."""
    if isinstance(condition, ConditionBase):
        return _meets(item, condition)
    parts = [part for part in condition.removeprefix("(").removesuffix(")").split(" AND ") if part]
    # All are looked at: each placeholder counts as used, also behind one that decides.
    choices = [[_holds(item, choice, given) for choice in part.split(" OR ")] for part in parts]
    return all(any(holds) for holds in choices)


def _meets(item: Mapping[str, Any], condition: ConditionBase) -> bool:
    expression = condition.get_expression()
    operator, (first, *others) = expression["operator"], expression["values"]
    match operator:
        case "AND":
            return _meets(item, first) and _meets(item, others[0])
        case "OR":
            return _meets(item, first) or _meets(item, others[0])
        case "NOT":
            return not _meets(item, first)
    present, value = first.name in item, item.get(first.name)
    tests: dict[str, Callable[[], bool]] = {
        "attribute_exists": lambda: present,
        "attribute_not_exists": lambda: not present,
        "=": lambda: present and value == others[0],
        "<=": lambda: present and value <= others[0],
        ">": lambda: present and value > others[0],
        "IN": lambda: present and value in others[0],
        "contains": lambda: others[0] in (value or ()),
    }
    assert operator in tests, f"no such condition: {expression}"
    return tests[operator]()


def _holds(item: Mapping[str, Any], condition: str, given: Placeholders) -> bool:
    condition = condition if condition.startswith("attribute") else condition.strip("()")
    match = _CONDITION.fullmatch(condition if condition.count("(") == condition.count(")") else f"{condition})")
    assert match, f"no such condition: {condition}"
    if match["checked"]:
        return (given.name(match["checked"]) in item) != bool(match["absent"])
    name, value = given.name(match["name"]), given.value(match["value"])
    return name in item and bool(item[name] == value if match["operator"] == "=" else item[name] <= value)


def updated(item: Mapping[str, Any], update: str, given: Placeholders) -> dict[str, Any]:
    """The item after an update."""
    result = dict(item)
    changed: set[str] = set()
    nothing, *clauses = _CLAUSE.split(update)
    assert not nothing, f"no such update: {update}"
    assert len({*clauses[::2]}) == len(clauses[::2]), f"DynamoDB refuses a clause twice: {update}"
    for clause, actions in zip(clauses[::2], clauses[1::2], strict=True):
        for action in actions.split(","):
            match clause, action.split():
                case "SET", [word, "=", value]:
                    result[name := given.name(word)] = given.value(value)
                case "REMOVE", [word]:
                    result.pop(name := given.name(word), None)
                case "ADD", [word, value]:
                    name = given.name(word)
                    added = given.value(value)
                    if isinstance(added, set):
                        result[name] = result.get(name, set()) | added
                    else:
                        result[name] = result.get(name, 0) + added
                case other:
                    raise AssertionError(f"no such update: {other}")
            assert name not in changed, f"DynamoDB refuses two changes of {name}"
            changed.add(name)
    return result


def key_condition(condition: ConditionBase, hash_key: str, range_key: str) -> Callable[[Mapping[str, str]], bool]:
    """The test of a query's condition: a value of the hash key and, if it says so, a range of the range key."""
    parts = condition.get_expression()["values"] if isinstance(condition, And) else (condition,)
    (hashed, *ranges) = [part.get_expression() for part in parts]
    assert (hashed["operator"], hashed["values"][0].name) == ("=", hash_key), f"no such condition: {hashed}"
    tests: dict[str, Callable[..., bool]] = {
        "<=": lambda value, most: value <= most,
        "BETWEEN": lambda value, least, most: least <= value <= most,
        "begins_with": str.startswith,
    }
    assert all(part["operator"] in tests and part["values"][0].name == range_key for part in ranges)

    def in_range(entry: Mapping[str, str]) -> bool:
        return entry[hash_key] == hashed["values"][1] and all(
            tests[part["operator"]](entry[range_key], *part["values"][1:]) for part in ranges
        )

    return in_range
