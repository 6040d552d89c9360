"""What of a new document would break a client that was written for an older one."""

from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]
_LOWER = ("minimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")


def breaking_changes(old: Document, new: Document) -> list[str]:
    """Return, in words, each change after which a request is refused that was accepted, or an answer surprises.

    An answer surprises with another type, another value where the values were listed, or without a field that was
    always there. More fields and more operations surprise nobody.
    """
    return list(_operations(old, new))


def is_allowed(old: Document, new: Document) -> bool:
    """Whether the version of the new document is high enough for its changes.

    A breaking change needs a higher major version, any other one a higher version.
    """
    before, after = _version(old), _version(new)
    if breaking_changes(old, new):
        return after[0] > before[0]
    return after > before or old == new


def _version(document: Document) -> tuple[int, ...]:
    return tuple(map(int, document["info"]["version"].split(".")))


def _operations(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            where = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                yield f"{where} is gone"
                continue
            yield from _Comparison(old, new, is_request=True).parameters(where, before, after)
            yield from _bodies(old, new, where, before, after)
            yield from _answers(old, new, where, before, after)


def _bodies(old: Document, new: Document, where: str, before: Document, after: Document) -> Iterator[str]:
    former, present = before.get("requestBody"), after.get("requestBody")
    if present and present["required"] and not (former and former["required"]):
        yield f"{where} needs a body"
    if former and present:
        schemas = (_schema_in(former, "application/json"), _schema_in(present, "application/json"))
        yield from _Comparison(old, new, is_request=True).schemas(f"{where} body", *schemas)
    elif former:
        yield f"{where} takes no body"


def _answers(old: Document, new: Document, where: str, before: Document, after: Document) -> Iterator[str]:
    for status, response in before["responses"].items():
        present = after["responses"].get(status)
        if present is None:
            if status.startswith("2"):
                yield f"{where} no longer answers {status}"
            continue
        for kind in response["content"]:
            if kind not in present["content"]:
                yield f"{where} {status} is no longer {kind}"
                continue
            schemas = (_schema_in(response, kind), _schema_in(present, kind))
            yield from _Comparison(old, new, is_request=False).schemas(f"{where} {status}", *schemas)


def _schema_in(holder: Document, kind: str) -> Document:
    schema: Document = holder["content"][kind]["schema"]
    return schema


class _Comparison:
    """Compares schemas of requests, which may only get wider, or of answers, which may only get narrower."""

    def __init__(self, old: Document, new: Document, *, is_request: bool) -> None:
        self.old, self.new, self.is_request = old, new, is_request
        self.seen: set[tuple[str, str]] = set()

    def parameters(self, where: str, before: Document, after: Document) -> Iterator[str]:
        """Compare the parameters of an operation."""
        former = {(each["in"], each["name"]): each for each in before["parameters"]}
        present = {(each["in"], each["name"]): each for each in after["parameters"]}
        for key, parameter in present.items():
            if parameter.get("required") and not former.get(key, {}).get("required"):
                yield f"{where} needs the parameter {key[1]}"
        for key, parameter in former.items():
            if key not in present:
                yield f"{where} has no parameter {key[1]} any more"
            else:
                yield from self.schemas(f"{where} {key[1]}", parameter["schema"], present[key]["schema"])

    def schemas(self, where: str, before: Document, after: Document) -> Iterator[str]:
        """Compare two schemas and what is in them."""
        names = before.get("$ref", ""), after.get("$ref", "")
        if all(names):
            if names in self.seen:
                return
            self.seen.add(names)
        before, after = _resolved(self.old, before), _resolved(self.new, after)
        yield from self._values(where, before, after)
        yield from self._limits(where, before, after)
        yield from self._properties(where, before, after)
        if "items" in before and "items" in after:
            yield from self.schemas(f"{where}[]", before["items"], after["items"])
        for choice in ("oneOf", "anyOf"):
            former, present = before.get(choice, []), after.get(choice, [])
            if len(present) < len(former) if self.is_request else len(present) > len(former):
                yield f"{where} has other variants"
            for number, (each, other) in enumerate(zip(former, present, strict=False)):
                yield from self.schemas(f"{where}({number})", each, other)

    def _values(self, where: str, before: Document, after: Document) -> Iterator[str]:
        for word in ("type", "enum", "const", "pattern", "format"):
            former, present = before.get(word), after.get(word)
            if former == present:
                continue
            if word in ("type", "enum") and former is not None and present is not None:
                wide, narrow = (present, former) if self.is_request else (former, present)
                if _as_set(narrow) <= _as_set(wide):
                    continue
            elif (present if self.is_request else former) is None:
                continue
            yield f"{where}: {word} was {former}, is {present}"

    def _limits(self, where: str, before: Document, after: Document) -> Iterator[str]:
        if not self.is_request:
            return
        for word in (*_LOWER, *_UPPER):
            former, present = before.get(word), after.get(word)
            if present is None or present == former:
                continue
            if former is None or (present > former if word in _LOWER else present < former):
                yield f"{where}: {word} was {former}, is {present}"

    def _properties(self, where: str, before: Document, after: Document) -> Iterator[str]:
        former, present = before.get("properties", {}), after.get("properties", {})
        needed, needed_before = set(after.get("required", ())), set(before.get("required", ()))
        lost = needed - needed_before if self.is_request else needed_before - needed
        for name in sorted(lost):
            yield f"{where}.{name} is {'required' if self.is_request else 'not always there'}"
        for name, schema in former.items():
            if name not in present:
                yield f"{where}.{name} is gone"
            else:
                yield from self.schemas(f"{where}.{name}", schema, present[name])


def _as_set(value: Any) -> set[Any]:
    return set(value) if isinstance(value, list) else {value}


def _resolved(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        found: Document = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        schema = found
    return schema
