"""One record of a log group of a stage, whoever wrote it, in one form for people and programs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from recording_insights.redaction import redact_links

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_OF_LAMBDA = re.compile(r'(START|END|REPORT) RequestId: |INIT_START |EXTENSION\t|\{"_aws":')
_FAULT = re.compile(r"Task timed out|Runtime exited|Runtime\.|\[ERROR\]|signal: killed")
_BAD_END = re.compile(r"(Failed|TimedOut|Aborted|Exhausted)$")
_NOT_SHOWN = {"level", "message", "timestamp", "service", "location", "exception", "exception_name", "stack_trace"}
_STAMP = "%Y-%m-%d %H:%M:%S,%f%z"


@dataclass(frozen=True)
class Record:
    """One record. `time` is in UTC.

    `source` is the module of a function, such as `submit_recording`, or the name of another log group. `level` is one
    of `LEVELS`, or empty for a line that no logger wrote. `fields` has what the logger adds to its message.
    `exception` is a traceback or empty.
    """

    time: datetime
    source: str
    level: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    exception: str = ""

    @property
    def request_id(self) -> str:
        """The id of the request or of the call of the function; empty if the record has none."""
        found = self.fields.get("request_id") or self.fields.get("requestId")
        return found if isinstance(found, str) else ""

    def line(self) -> str:
        """Return the record as one line, and the traceback, if it has one, below it."""
        stamp = self.time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        values = (f"{name}={_shown(value)}" for name, value in self.fields.items())
        line = "  ".join((f"{stamp}  {self.source:<24} {self.level:<8} {self.message}", *values))
        return "\n".join((line.rstrip(), *(f"    {traced}" for traced in self.exception.splitlines())))

    def document(self) -> dict[str, Any]:
        """Return the record for a program, without what is empty. Its time has milliseconds."""
        values = {
            "source": self.source,
            "level": self.level,
            "message": self.message,
            "fields": dict(self.fields),
            "exception": self.exception,
        }
        return {
            "time": self.time.isoformat(timespec="milliseconds"),
            **{key: each for key, each in values.items() if each},
        }

    def is_at_least(self, level: str) -> bool:
        """Whether the record has this level or a higher one. A line of no logger counts as INFO."""
        return LEVELS.index(self.level if self.level in LEVELS else "INFO") >= LEVELS.index(level)


def is_for_readers(text: str) -> bool:
    """Whether a line is neither one of Lambda's own about a call nor a measure."""
    return not _OF_LAMBDA.match(text)


def read_record(source: str, timestamp_ms: int, text: str) -> Record:
    """Read what a logger of Powertools, Step Functions or API Gateway wrote as JSON; other text is the message.

    Queries of links and tokens of webhooks are replaced. `source` is used if the record does not name its function.
    """
    text = redact_links(text)
    received = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if isinstance(given, dict):
        if {"level", "message"} <= given.keys():
            return _of_logger(source, received, given)
        if {"type", "execution_arn"} <= given.keys():
            return _of_machine(source, received, given)
        if {"route", "status"} <= given.keys():
            return _of_request(source, received, given)
    level = "ERROR" if _FAULT.search(text) else ""
    return Record(received, source, level, text.rstrip("\n"))


def _of_logger(source: str, received: datetime, given: Mapping[str, Any]) -> Record:
    return Record(
        _stamp_of(given) or received,
        str(given["service"]).replace("-", "_") if given.get("service") else source,
        str(given["level"]),
        _shown(given["message"]),
        {name: value for name, value in given.items() if name not in _NOT_SHOWN},
        str(given.get("exception") or ""),
    )


def _of_machine(source: str, received: datetime, given: Mapping[str, Any]) -> Record:
    kind, details = str(given["type"]), given.get("details")
    name = details.get("name") if isinstance(details, dict) else None
    execution = str(given["execution_arn"]).rpartition(":")[2]
    level = "ERROR" if _BAD_END.search(kind) else "INFO"
    return Record(received, source, level, f"{kind} {name}" if name else kind, {"execution": execution})


def _of_request(source: str, received: datetime, given: Mapping[str, Any]) -> Record:
    status = str(given["status"])
    level = "ERROR" if status.startswith("5") else "WARNING" if status.startswith("4") else "INFO"
    rest = {
        name: value
        for name, value in given.items()
        if name not in ("route", "status", "time") and value not in ("", "-")
    }
    return Record(received, source, level, f"{given['route']} {status}", rest)


def _stamp_of(given: Mapping[str, Any]) -> datetime | None:
    """The logger's own time: the local cloud stamps all records of a call with its end."""
    try:
        return datetime.strptime(str(given.get("timestamp")), _STAMP).astimezone(UTC)
    except ValueError:
        return None


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
