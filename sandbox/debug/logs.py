"""The logs of a local stack: those of all functions and state machines, and the ignored objects, merged by time."""

import json
import re
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from cli.visible import visible
from sandbox.cloud.local_stack import LocalStack
from sandbox.debug.functions import deployed_functions

POLL_SECONDS = 1.0
OVERLAP_MS = 5_000
"""Each poll reads this much of the time before the last one again: the local cloud writes a log after its stamp."""
_NOT_FOR_READERS = re.compile(r'(START|END|REPORT) RequestId: |\{"_aws":')
"""Lines of Lambda itself, and measures."""
_NOT_SHOWN = {"level", "message", "timestamp", "service", "location", "exception", "exception_name", "stack_trace"}
_STAMP = "%Y-%m-%d %H:%M:%S,%f%z"


@dataclass(frozen=True)
class Record:
    """One record of a log.

    `time` is in UTC. `source` is the module of a function, such as `submit_recording`, or the name of another log
    group. `level` is empty for lines that no logger wrote. `fields` has what the logger adds to its message.
    `exception` is a traceback or empty. `text` is the record as it is stored.
    """

    time: datetime
    source: str
    level: str
    message: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    exception: str = ""

    def line(self) -> str:
        """Return the record as one line, and the traceback, if it has one, below it."""
        stamp = self.time.strftime("%H:%M:%S.%f")[:-3]
        values = (f"{name}={_shown(value)}" for name, value in self.fields.items())
        line = "  ".join((f"{stamp}  {self.source:<24} {self.level:<8} {self.message}", *values))
        return "\n".join((line.rstrip(), *(f"    {traced}" for traced in self.exception.splitlines())))

    def document(self) -> str:
        """Return the record as one line of JSON."""
        values = {name: value for name, value in asdict(self).items() if name != "text" and value}
        return json.dumps({**values, "time": self.time.isoformat(timespec="milliseconds")}, ensure_ascii=False)


def read_record(source: str, timestamp_ms: int, text: str) -> Record:
    """Read what a logger of Powertools wrote as JSON; any other text becomes the message as it is."""
    received = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not (isinstance(given, dict) and {"level", "message"} <= given.keys()):
        return Record(received, source, "", text.rstrip("\n"), text)
    return Record(
        _stamp_of(given) or received,
        source,
        str(given["level"]),
        _shown(given["message"]),
        text,
        {name: value for name, value in given.items() if name not in _NOT_SHOWN},
        str(given.get("exception") or ""),
    )


class LogReader:
    """Reads the log groups of a stack. Lambda's own lines (START, END, REPORT) and measures are left out."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._client = stack.client("logs")
        self._sources: dict[str, str] = {}
        self._seen: Collection[tuple[object, ...]] = ()
        self._since_ms = 0

    def new_records(self) -> list[Record]:
        """Return the records that this reader has not returned before, merged by time."""
        began_ms = int(time.time() * 1000)
        found = dict(self._events())
        new = [record for key, record in found.items() if key not in self._seen]
        self._seen, self._since_ms = found.keys(), max(began_ms - OVERLAP_MS, 0)
        return sorted(new, key=lambda record: record.time)

    def _events(self) -> Iterator[tuple[tuple[object, ...], Record]]:
        """Yield each record with a key of its own: alike ones of the same moment are counted."""
        alike: Counter[tuple[object, ...]] = Counter()
        for group in self._groups():
            pages = self._client.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=self._since_ms
            )
            for event in (event for page in pages for event in page["events"]):
                if _NOT_FOR_READERS.match(event["message"]):
                    continue
                key = (group, event["logStreamName"], event["timestamp"], event["message"])
                alike[key] += 1
                yield (*key, alike[key]), read_record(self._source(group), event["timestamp"], event["message"])

    def _groups(self) -> list[str]:
        pages = self._client.get_paginator("describe_log_groups").paginate()
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def _source(self, group: str) -> str:
        if group not in self._sources:
            functions = {function.log_group: name for name, function in deployed_functions(self._stack).items()}
            self._sources[group] = functions.get(group) or _name_of(group)
        return self._sources[group]


def print_logs(stack: LocalStack, *, containing: str = "", as_json: bool = False, follow: bool = False) -> None:
    """Print the records that contain a text, such as a recording's id. `follow` goes on until Ctrl-C."""
    reader = LogReader(stack)
    while True:
        _print(reader.new_records(), containing, as_json)
        if not follow:
            return
        time.sleep(POLL_SECONDS)


def _print(records: Sequence[Record], containing: str, as_json: bool) -> None:
    for record in records:
        if containing in record.text:
            print(visible(record.document() if as_json else record.line()), flush=True)


def _stamp_of(given: Mapping[str, Any]) -> datetime | None:
    """The logger's own time: the local cloud stamps all records of an invocation with its end."""
    try:
        return datetime.strptime(str(given.get("timestamp")), _STAMP).astimezone(UTC)
    except ValueError:
        return None


def _name_of(group: str) -> str:
    """The end of a log group's name, without what CloudFormation and the stage add to it."""
    name = group.rpartition("/")[2].removeprefix("recording-insights-local-")
    return re.sub(r"(Log)?[0-9A-F]{8}$", "", name)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
