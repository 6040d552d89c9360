"""The file of a stage, `stages/<stage>.toml`: its account, its region, and its settings in TOML's own types."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.settings import LOCAL, SETTINGS, ContextError, shown, unknown_key
from recording_insights.bounded import parse_bounded
from recording_insights.errors import InvalidRequest

STAGES = Path(__file__).parents[1] / "stages"
_KEYS = ("account", "region", "settings")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_KINDS: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "boolean": ("true or false without quotes", (bool,)),
    "integer": ("a whole number without quotes", (int,)),
    "number": ("a number without quotes", (int, float)),
    "array": ("a list such as [1, 2]", (list,)),
    "object": ("a table such as {a = 1}", (dict,)),
    "string": ("a text in quotes", (str,)),
}
"""TOML's types by those of JSON Schema: in words, and as `tomllib` returns them."""
_PARSERS: Mapping[str, Callable[[str], Any]] = {"integer": int, "number": float, "string": str}


@dataclass(frozen=True)
class StageFile:
    """What the file of a stage says. `settings` have the keys of `SETTINGS` but `stage`, and values of TOML's types."""

    stage: str
    account: str
    region: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file, as messages name it."""
        return name_of(self.stage)


def name_of(stage: str) -> str:
    """Return the name of a stage's file within the project."""
    return f"stages/{stage}.toml"


def read_stage_file(folder: Path, stage: str) -> StageFile | None:
    """Read the file of a stage; None if the folder has none.

    Raises:
        ContextError: the file is no TOML, or a key is unknown, missing or wrong. Each line names the file and the key.
    """
    path = folder / f"{stage}.toml"
    if not SETTINGS["stage"].read.accepts(stage) or not path.is_file():
        return None
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, or no UTF-8
        raise ContextError(f"{name_of(stage)}: is no TOML: {error}") from None
    faults = list(_faults(stage, content))
    if faults:
        raise ContextError("\n".join(f"{name_of(stage)}: {fault}" for fault in faults))
    return StageFile(stage, content["account"], content["region"], content.get("settings", {}))


def merged_context(context: Mapping[str, Any], file: StageFile | None, cdk_json: Mapping[str, Any]) -> dict[str, Any]:
    """Put a stage's file between CDK's context and that of cdk.json, which CDK has put together.

    The file counts before cdk.json, and what was typed with `-c` counts before the file. What cdk.json has just so was
    not typed.
    """
    if file is None:
        return dict(context)
    typed = {key: value for key, value in context.items() if key not in cdk_json or cdk_json[key] != value}
    return {**context, **file.settings, **typed}


def context_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings as CDK's `-c` carries them, each in one form, however it was given.

    Flags become true or false, lists are joined by commas, tables are JSON with sorted keys.
    """
    return {key: _as_text(as_toml(key, value)) for key, value in settings.items()}


def as_toml(key: str, value: Any) -> Any:
    """Return the value of a setting in TOML's own type. A text that has no such form is returned as it is."""
    if isinstance(value, str):
        for kind in _kinds(key):
            with suppress(ValueError):
                value = _parsed(kind, value, SETTINGS[key].read.schema)
                break
    return [_plain_number(each) for each in value] if isinstance(value, list) else _plain_number(value)


def _faults(stage: str, content: Mapping[str, Any]) -> Iterator[str]:
    if stage == LOCAL:
        yield f'the stage {LOCAL} has no file: give its settings as `make up CONTEXT="key=value"`, and delete the file'
        return
    for key in content:
        if key not in _KEYS:
            where = "put it below [settings]" if key in SETTINGS else f"the keys are {', '.join(_KEYS)}"
            yield f"{key}: unknown here; {where}"
    account, region, settings = (content.get(key) for key in _KEYS)
    if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        yield f'account: {account!r} is not allowed; 12 digits in quotes, such as "111122223333"'
    if not (isinstance(region, str) and _REGION.fullmatch(region)):
        yield f'region: {region!r} is not allowed; a region of AWS in quotes, such as "eu-central-1"'
    if not isinstance(settings, dict | None):
        yield "settings: must be a table, [settings]"
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if fault := _fault(key, value):
            yield fault


def _fault(key: str, value: Any) -> str | None:
    if key == "stage":
        return "stage: the name of the file says it; leave it out"
    if key not in SETTINGS:
        return unknown_key(key)
    kinds = [_KINDS[kind] for kind in _kinds(key)]
    if not any(type(value) in types for _, types in kinds):
        return f"{key}: {shown(key, value)!r} has the wrong type; write {' or '.join(words for words, _ in kinds)}"
    try:
        SETTINGS[key].read(key, value)
    except InvalidRequest:
        return f"{key}: {shown(key, value)!r} is not allowed; {SETTINGS[key].allowed}"
    return None


def _kinds(key: str) -> list[str]:
    """The types of JSON Schema that a setting may have."""
    schema = SETTINGS[key].read.schema
    return [str(each["type"]) for each in schema.get("anyOf", [schema])]


def _parsed(kind: str, text: str, schema: Mapping[str, Any]) -> Any:
    """Parse a text of the command line. Raises ValueError."""
    if kind == "array":
        parts = [part.strip() for part in text.split(",")]
        return [float(part) for part in parts] if schema["items"].get("type") == "number" else parts
    if kind == "object":
        value = parse_bounded(text)
    elif kind == "boolean":
        value = {"true": True, "false": False}.get(text.lower())
    else:
        value = _PARSERS[kind](text)
    if type(value) not in _KINDS[kind][1]:
        raise ValueError(text)
    return value


def _plain_number(value: Any) -> Any:
    """Return 5 for 5.0, so that both have one form."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(_as_text(each) for each in value)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)
