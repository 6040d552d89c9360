"""Dials: settings of the stand-ins that can be changed while they run, with PUT /dials."""

import dataclasses
import threading
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.runtime.quotes import FORMS

Group = TypeVar("Group")


@dataclass(frozen=True)
class Failure:
    """The next `times` calls of this name fail with `status` and `body` (JSON or text), or with a dropped connection.

    With `after` the call does its work first, and only its answer is lost. `quotes` makes the body of a hostile vendor:
    it repeats the request in this form (see `runtime.quotes`) and tries to control a terminal. With `odd_headers` the
    answer, with `after` the call's own, has a line among its headers that is none; this needs a real server.
    """

    call: str
    status: int = 500
    body: dict[str, Any] | list[Any] | str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    times: int = 1
    drop_connection: bool = False
    after: bool = False
    quotes: str | None = None
    odd_headers: bool = False


class BadDial(Exception):
    """A dial does not exist or does not accept this value. The message names it."""


class Dials:
    """One dataclass of dials per vendor, each field a dial with its default, and the list of planned failures."""

    def __init__(self, groups: Mapping[str, type[Any]]) -> None:
        self._types = dict(groups)
        self._calls: set[str] = set()
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Set all dials to their defaults, and drop the planned failures."""
        self._groups: dict[str, Any] = {name: group() for name, group in self._types.items()}
        self._failures: list[Failure] = []

    def know_call(self, call: str) -> None:
        """Allow `fail_next` for this call."""
        self._calls.add(call)

    def of(self, group: type[Group]) -> Group:
        """Return a vendor's present dials. A later change creates a new object."""
        return next(dials for dials in self._groups.values() if isinstance(dials, group))

    def turn(self, group: type[Any], **values: Any) -> None:
        """Set dials from inside the stand-ins, such as one that counts down."""
        with self._lock:
            name = next(name for name, known in self._types.items() if known is group)
            self._groups[name] = dataclasses.replace(self._groups[name], **values)

    def change(self, body: Any) -> None:
        """Apply the JSON body of PUT /dials: all of it or, with BadDial, nothing."""
        changes = _mapping(body, "dials")
        failures = None
        if "fail_next" in changes:
            if not isinstance(changes["fail_next"], list):
                raise BadDial("fail_next must be a list")
            failures = [self._failure(entry, f"fail_next[{i}]") for i, entry in enumerate(changes["fail_next"])]
        with self._lock:
            groups = dict(self._groups)
            for name, values in changes.items():
                if name == "fail_next":
                    continue
                if name not in groups:
                    raise BadDial(f"unknown dial: {name}")
                groups[name] = dataclasses.replace(groups[name], **_checked(self._types[name], values, name))
            self._groups = groups
            if failures is not None:
                self._failures = failures

    def take_failure(self, call: str) -> Failure | None:
        """Return the failure that is planned for this call, and count it down."""
        with self._lock:
            for i, failure in enumerate(self._failures):
                if failure.call == call:
                    left = dataclasses.replace(failure, times=failure.times - 1)
                    self._failures[i : i + 1] = [left] if left.times > 0 else []
                    return failure
        return None

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            groups = {name: dataclasses.asdict(dials) for name, dials in self._groups.items()}
            return {**groups, "fail_next": [dataclasses.asdict(failure) for failure in self._failures]}

    def _failure(self, entry: Any, where: str) -> Failure:
        values = _checked(Failure, entry, where)
        if values.get("quotes") not in (None, *FORMS):
            raise BadDial(f"{where}.quotes must be one of {', '.join(FORMS)}")
        if values.get("call") not in self._calls:
            raise BadDial(f"{where}.call must be one of {', '.join(sorted(self._calls))}")
        return Failure(**values)


def _checked(group: type[Any], values: Any, where: str) -> dict[str, Any]:
    hints = typing.get_type_hints(group)
    checked = _mapping(values, where)
    for name, value in checked.items():
        if name not in hints:
            raise BadDial(f"unknown dial: {where}.{name}")
        if not _fits(value, hints[name]):
            raise BadDial(f"{where}.{name} must be {_named(hints[name])}")
    return checked


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadDial(f"{where} must be an object")
    return value


def _fits(value: Any, hint: Any) -> bool:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, option) for option in args)
    if hint is Any:
        return True
    if origin is dict:
        return isinstance(value, dict) and _all_fit(value.values(), args[1])
    if origin is list:
        return isinstance(value, list) and _all_fit(value, args[0])
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool) and value >= 0
    return isinstance(value, hint)


def _all_fit(values: Iterable[Any], hint: Any) -> bool:
    return all(_fits(value, hint) for value in values)


def _named(hint: Any) -> str:
    return "a number of at least 0" if hint in (int, float) else getattr(hint, "__name__", str(hint))


def dials_blueprint(dials: Dials) -> Blueprint:
    """GET and PUT /dials, POST /dials/reset."""
    blueprint = Blueprint("dials", __name__)

    @blueprint.get("/dials")
    def show() -> ResponseReturnValue:
        return dials.as_json()

    @blueprint.put("/dials")
    def change() -> ResponseReturnValue:
        try:
            dials.change(request.get_json(silent=True))
        except BadDial as bad:
            return {"error": str(bad)}, 400
        return dials.as_json()

    @blueprint.post("/dials/reset")
    def reset() -> ResponseReturnValue:
        dials.reset()
        return dials.as_json()

    return blueprint
