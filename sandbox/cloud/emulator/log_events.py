"""Corrections of CloudWatch Logs: FilterLogEvents reads patterns as documented, and answers page by page."""

import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source

SEARCHED = 2_000
"""Events that one call looks at. AWS returns pages too that have a token and no events."""
LONGEST_PATTERN = 1024
_TERM = re.compile(r'[?-]?"(?:\\.|[^"\\])*"|\S+')
_BARE_TERM = re.compile(r"\w+")
_EXPRESSION = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]+")


def read_patterns_as_documented() -> None:
    """Let a pattern match by case, `?term` be one of several, `"a b"` a phrase, and `%a|b%` a regular expression.

    ministack ignores the case, takes `?term` for a term that has to be there, and looks for the signs of an expression
    in the text. An unquoted term has letters, digits and _ alone.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html

    Raises:
        RuntimeError: the installed ministack reads patterns in another way.
    """
    from ministack.services import cloudwatch_logs  # type: ignore[import-untyped]

    require_parameters(cloudwatch_logs._compile_filter_pattern, "raw")
    require_source(cloudwatch_logs._filter_log_events, "pattern_fn = _compile_filter_pattern(raw_pattern)")
    compile_json = cloudwatch_logs._compile_filter_pattern

    @wraps(compile_json)
    def compile_pattern(raw: str) -> Callable[[str], bool]:
        text = (raw or "").strip()
        # Patterns of JSON and of columns are not corrected: the stack has none.
        return compile_json(raw) if not text or text[0] in "{[" else _matcher(text)

    cloudwatch_logs._compile_filter_pattern = compile_pattern


def filter_events_page_by_page() -> None:
    """Let FilterLogEvents look at so many events in a call, and name every event that it returns.

    ministack looks at all, and loses what is beyond the limit.
    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html

    Raises:
        RuntimeError: the installed ministack filters events in another way.
    """
    from ministack.services import cloudwatch_logs

    require_parameters(cloudwatch_logs._filter_log_events, "data")
    require_source(cloudwatch_logs._filter_log_events, 'streams = _log_groups[group]["streams"]')
    require_source(cloudwatch_logs._put_log_events, '"eventId": ptr')
    original = cloudwatch_logs._filter_log_events

    @wraps(original)
    def filter_one_page(data: Mapping[str, Any]) -> Any:
        group = cloudwatch_logs._resolve_log_group_name(data)
        if group not in cloudwatch_logs._log_groups:
            return original(data)
        try:
            matches = cloudwatch_logs._compile_filter_pattern(data.get("filterPattern", ""))
        except ValueError as error:
            return cloudwatch_logs.error_response_json("InvalidParameterException", str(error), 400)
        start, limit = cloudwatch_logs._decode_token(data.get("nextToken")), min(data.get("limit", 10_000), 10_000)
        found: list[dict[str, Any]] = []
        events, seen = _events_of(cloudwatch_logs, group, data), 0
        for event in events[start : start + SEARCHED]:
            if len(found) == limit:
                break
            seen += 1
            if matches(event.get("message", "")):
                found.append(event)
        page: dict[str, Any] = {"events": found, "searchedLogStreams": []}
        if start + seen < len(events):
            page["nextToken"] = cloudwatch_logs._encode_token(start + seen)
        return cloudwatch_logs.json_response(page)

    cloudwatch_logs._filter_log_events = filter_one_page


def _events_of(logs: Any, group: str, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All events of a group within the times and streams of a request, in the order of their times, with names."""
    since, until = data.get("startTime") or 0, data.get("endTime")
    names = data.get("logStreamNames")
    with logs._log_events_lock:
        streams = logs._log_groups[group]["streams"]
        found = [
            {"eventId": f"{name}-{number}", **event, "logStreamName": name}
            for name, stream in streams.items()
            if not names or name in names
            for number, event in enumerate(stream["events"])
            if since <= event["timestamp"] and (until is None or event["timestamp"] <= until)
        ]
    return sorted(found, key=lambda event: (event["timestamp"], event.get("ingestionTime", 0)))


def _matcher(text: str) -> Callable[[str], bool]:
    """Return whether a message has all terms of a pattern, none with `-`, and one of those with `?`.

    Raises:
        ValueError: AWS refuses the pattern.
    """
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"filterPattern has {len(text)} characters, {LONGEST_PATTERN} are allowed")
    if text.startswith("%") and text.endswith("%") and len(text) > 2:
        if not _EXPRESSION.fullmatch(text[1:-1]):
            raise ValueError("Invalid filter pattern: an expression has a character that is not supported")
        expression = re.compile(text[1:-1])
        return lambda message: expression.search(message) is not None
    signs: dict[str, list[str]] = {"": [], "?": [], "-": []}
    for term in _TERM.findall(text):
        sign = term[0] if term[0] in "?-" else ""
        signs[sign].append(_word_of(term.removeprefix(sign)))
    needed, one_of, refused = signs[""], signs["?"], signs["-"]
    # AWS ignores terms with ? beside others.
    one_of = [] if needed or refused else one_of
    return lambda message: (
        all(word in message for word in needed)
        and not any(word in message for word in refused)
        and (not one_of or any(word in message for word in one_of))
    )


def _word_of(term: str) -> str:
    if term.startswith('"'):
        return str(json.loads(term))
    if not _BARE_TERM.fullmatch(term):
        raise ValueError(f"Invalid character(s) in term {term!r}")
    return term
