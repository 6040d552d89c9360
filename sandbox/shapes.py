"""What a published model of an AWS service says of a request: types, required members, enums, patterns and limits.

The local cloud and the stand-ins share it. A shape is botocore's. The text of a violation is the one that AWS sends.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "float": (int, float),
    "double": (int, float),
}


class WrongType(Exception):
    """A value has another JSON type than its shape. The message names its path."""


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield the constraints of a shape that a value breaks, those of its members first.

    Raises:
        WrongType: a value has another JSON type.
    """
    kind = shape.type_name
    fits = isinstance(value, _TYPES.get(kind, object)) and not (isinstance(value, bool) and kind != "boolean")
    if not fits:
        raise WrongType(f"{path} is no {kind}")
    yield from _violations_inside(shape, value, path)
    if constraint := _broken_constraint(shape, value):
        yield _violation(f"'{value}'", path, constraint)


def unknown_members(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each member that the shapes do not have, and of each union that has not one member.

    The types of the value fit (see `violations`).
    """
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            given = {name: member for name, member in value.items() if member is not None}
            yield from (_step(path, name) for name in given if name not in shape.members)
            if getattr(shape, "is_tagged_union", False) and len(given) != 1:
                yield path
            for name in given.keys() & shape.members.keys():
                yield from unknown_members(shape.members[name], given[name], _step(path, name))
        case "list":
            for i, entry in enumerate(value):
                yield from unknown_members(shape.member, entry, f"{path}.{i}")


def without_nulls(shape: Any, value: Any) -> Any:
    """Return the value without the members that are null, which count as absent. Documents stay as they are.

    The types of the value fit (see `violations`), and it has no unknown members.
    """
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            given = {name: member for name, member in value.items() if member is not None}
            return {name: without_nulls(shape.members[name], member) for name, member in given.items()}
        case "list":
            return [without_nulls(shape.member, entry) for entry in value]
    return value


def _violations_inside(shape: Any, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _violations_of_members(shape, value, path)
        case "list":
            for i, entry in enumerate(value):
                yield from violations(shape.member, entry, f"{path}.{i + 1}.member")
        case "map":
            for entry in value.values():
                yield from violations(shape.value, entry, path)


def _violations_of_members(structure: Any, value: Any, path: str) -> Iterator[str]:
    for name in structure.required_members:
        if value.get(name) is None:
            yield _violation("null", _step(path, name), "Member must not be null")
    for name, member in structure.members.items():
        if value.get(name) is not None:
            yield from violations(member, value[name], _step(path, name))


def _broken_constraint(shape: Any, value: Any) -> str | None:
    limits, enum = shape.metadata, shape.metadata.get("enum")
    if enum and value not in enum:
        return f"Member must satisfy enum value set: [{', '.join(sorted(enum))}]"
    pattern = limits.get("pattern")
    if pattern and not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value):
        return f"Member must satisfy regular expression pattern: {pattern}"
    numeric = shape.type_name in ("integer", "float", "double")
    size, what = (value, "value") if numeric else (_length(value), "length")
    if "min" in limits and size is not None and size < limits["min"]:
        return f"Member must have {what} greater than or equal to {limits['min']}"
    if "max" in limits and size is not None and size > limits["max"]:
        return f"Member must have {what} less than or equal to {limits['max']}"
    return None


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | list | dict) else None


def _violation(value: str, path: str, constraint: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {constraint}"


def _step(path: str, name: str) -> str:
    own = name[:1].lower() + name[1:]
    return f"{path}.{own}" if path else own
