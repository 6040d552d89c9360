"""Values on the command line: ids, pairs, moments and JSON. Each reader raises UsageWrong."""

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.errors import NotFound, UsageWrong

_RECORDING_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[\w-]{1,128}", re.ASCII)
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def recording_id(text: str) -> str:
    """Return the id of a recording."""
    found = text.strip().lower()
    if not _RECORDING_ID.fullmatch(found):
        raise UsageWrong(f"{text!r} is no id of a recording: it has 32 digits and letters a to f.")
    return found


def name(text: str, what: str) -> str:
    """Return a name or an id that becomes part of a path; `what` it is of, for the error."""
    if not _NAME.fullmatch(text):
        raise UsageWrong(f"{text!r} is no {what}: it has letters, digits, - and _.")
    return text


def pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    """Return `key=value` texts by key."""
    found: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageWrong(f"{option} {text!r}: give key=value.")
        if key in found:
            raise UsageWrong(f"{option} {text!r}: {key!r} is given twice.")
        found[key] = value
    return found


def options_of(texts: Sequence[str] | None) -> dict[str, Any]:
    """Return `key=value` texts by key, each value read as JSON if it is JSON: `true`, `5` and `["a"]` are no texts."""
    return {key: _json_or_text(value) for key, value in pairs(texts, "--option").items()}


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def moment(text: str | None, option: str, now: datetime | None = None) -> str | None:
    """Return a moment as the API reads it. `90m`, `24h` and `7d` are so long ago, without a zone it is local time."""
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            at = (now or datetime.now(UTC)) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            return at.isoformat(timespec="seconds")
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise UsageWrong(f"{option} {text!r}: give 24h, 7d or a moment such as 2026-11-21T12:00:00Z.") from None


def request_body(source: str | None) -> dict[str, Any]:
    """Return the JSON object in a file, or of standard input for `-`; empty without a source.

    Raises:
        NotFound: there is no such file.
    """
    if source is None:
        return {}
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text()
    except FileNotFoundError:
        raise NotFound(f"--request {source}: there is no such file.") from None
    except UnicodeDecodeError:
        raise UsageWrong(f"--request {source}: the file is no text in UTF-8.") from None
    try:
        body = json.loads(text)
    except ValueError as error:
        raise UsageWrong(f"--request {source}: this is no JSON ({error}).") from None
    if not isinstance(body, dict):
        raise UsageWrong(f"--request {source}: give a JSON object, as of the body of the request.")
    return body


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that are given."""
    return {key: value for key, value in values.items() if value not in (None, {}, [])}
