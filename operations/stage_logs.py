"""Read the logs of a stage: those of all functions, state machines and the API, as one, in the order of their times.

It uses FilterLogEvents, log group by log group. CloudWatch Logs Insights would charge for each byte that it looks at,
show records only minutes after they were written, and return 10,000 of them at most.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Any

from operations.deployed_stack import Clients, stack_name
from operations.log_record import LEVELS, Record, is_for_readers, read_record

GROUP = "AWS::Logs::LogGroup"
AT_ONCE = 4
"""Log groups that are read side by side. AWS allows 10 calls a second in most regions."""
OVERLAP_MS = 30_000
"""Whoever follows reads this much of the time before again: records come late, up to half a minute."""
MOST_OF_ONE = 10_000
"""Records of one recording that are read of a log group."""
IDS_AT_ONCE = 25
"""Ids in one expression, which may have 1,024 characters."""
MOST_IDS = 250
"""Calls of functions whose own lines are looked for."""
_ID = re.compile(r"[\w=-]+", re.ASCII)
"""What an expression takes as it is: ids of API Gateway end in =."""
_HASH = re.compile(r"(Log)?[0-9A-F]{8}$")


@dataclass(frozen=True)
class LogGroup:
    """A log group and what its records are of, as long as they do not name it themselves."""

    name: str
    source: str


@dataclass(frozen=True)
class Wanted:
    """Which records are wanted: those of a time, with a text, such as a recording's id, or all.

    Times are Unix milliseconds, both inclusive. The text has letters, digits, `_`, `-` and `=` alone. At most `limit`
    records of this level and higher ones are returned, the earliest.
    """

    since_ms: int
    until_ms: int | None = None
    containing: str = ""
    limit: int = 1000
    level: str = LEVELS[0]

    def __post_init__(self) -> None:
        if self.containing and not _ID.fullmatch(self.containing):
            raise ValueError(f"{self.containing!r} has other characters than letters, digits, _, - and =")


@dataclass
class Found:
    """Records in the order of their times. `has_more`: there are later ones beyond the limit."""

    records: list[Record]
    has_more: bool = False


@dataclass
class StageLogs:
    """The logs of one stage. `client` is that of CloudWatch Logs. `groups` are those of `log_groups`."""

    client: Any
    groups: Sequence[LogGroup]
    at_once: int = AT_ONCE
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def find(self, wanted: Wanted, report: Callable[[int, int], None] = lambda done, all_of: None) -> Found:
        """Return records. `report` gets how many of the log groups have been read, and of how many.

        With a text, lines of Lambda about the same calls are among them, such as a time-out, and the requests of the
        API's access log: they do not name a recording, but the id of a call.
        """
        found, has_more = self._read([(group, _pattern(group, wanted)) for group in self.groups], wanted, report)
        if wanted.containing:
            about = self._about_calls(found, wanted)
            known = {(group, key) for group, key, _ in found}
            found += [each for each in about if each[:2] not in known and not _is_of_logger(each[2])]
        high = [record for _, _, record in found if record.is_at_least(wanted.level)]
        records = sorted(high, key=lambda record: record.time)
        return Found(records[: wanted.limit], has_more or len(records) > wanted.limit)

    def follow(self, wanted: Wanted, wait: Callable[[], float]) -> Iterator[Record]:
        """Yield records as they come, without end. `wait` waits a moment, and returns the time in Unix seconds."""
        since = wanted.since_ms
        while True:
            yield from self._new(replace(wanted, since_ms=since, until_ms=None))
            since = max(since, int(wait() * 1000) - OVERLAP_MS)

    def _new(self, wanted: Wanted) -> list[Record]:
        tasks = [(group, _pattern(group, wanted)) for group in self.groups]
        found, _ = self._read(tasks, wanted, lambda done, all_of: None)
        new = [(group, key, record) for group, key, record in found if (group, key) not in self._seen]
        self._seen = {(group, key) for group, key, _ in found}
        high = [record for _, _, record in new if record.is_at_least(wanted.level)]
        return sorted(high, key=lambda record: record.time)

    def _about_calls(self, found: Sequence[tuple[str, str, Record]], wanted: Wanted) -> list[tuple[str, str, Record]]:
        """Lines with the ids of calls that wrote records, in the same log groups and those of requests."""
        ids: dict[str, dict[str, None]] = {}
        for group, _, record in found:
            if _ID.fullmatch(record.request_id):
                ids.setdefault(group, {})[record.request_id] = None
        of_all = list(dict.fromkeys(each for named in ids.values() for each in named))[-MOST_IDS:]
        by_group = {group.name: group for group in self.groups}
        tasks = [
            (by_group[name], _any_of(some)) for name, named in ids.items() for some in _batches([*named][-MOST_IDS:])
        ]
        tasks += [(group, _any_of(some)) for group in self.groups if group.source == "api" for some in _batches(of_all)]
        return self._read(tasks, wanted, lambda done, all_of: None)[0]

    def _read(
        self, tasks: Sequence[tuple[LogGroup, str]], wanted: Wanted, report: Callable[[int, int], None]
    ) -> tuple[list[tuple[str, str, Record]], bool]:
        """Return the records of each task, each with its log group and its own name there."""
        found: list[tuple[str, str, Record]] = []
        has_more = False
        with ThreadPoolExecutor(self.at_once) as pool:
            begun = [pool.submit(self._events, group, pattern, wanted) for group, pattern in tasks]
            try:
                for done, future in enumerate(as_completed(begun), start=1):
                    records, more = future.result()
                    found += records
                    has_more = has_more or more
                    report(done, len(begun))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return found, has_more

    def _events(self, group: LogGroup, pattern: str, wanted: Wanted) -> tuple[list[tuple[str, str, Record]], bool]:
        """Return the records of a log group. Those about one recording come in all levels: each may name a call."""
        found: list[tuple[str, str, Record]] = []
        limit = MOST_OF_ONE if wanted.containing else wanted.limit
        for event in self._pages(group, pattern, wanted):
            if not is_for_readers(event["message"]):
                continue
            record = read_record(group.source, event["timestamp"], event["message"])
            if not (wanted.containing or record.is_at_least(wanted.level)):
                continue
            if len(found) == limit:
                return found, True
            found.append((group.name, event["eventId"], record))
        return found, False

    def _pages(self, group: LogGroup, pattern: str, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
        until = {} if wanted.until_ms is None else {"endTime": wanted.until_ms}
        given = {"logGroupName": group.name, "startTime": wanted.since_ms, **until}
        pages = self.client.get_paginator("filter_log_events").paginate(
            **given, **({"filterPattern": pattern} if pattern else {})
        )
        try:
            for page in pages:
                yield from page["events"]
        except self.client.exceptions.ResourceNotFoundException:
            return  # the log group was deleted meanwhile


def log_groups(stage: str, client: Clients) -> list[LogGroup]:
    """Return the log groups of a stage's stack.

    Raises:
        ClientError: AWS refuses the call, which needs `cloudformation:ListStackResources`.
    """
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name(stage))
    resources = [each for page in pages for each in page["StackResourceSummaries"] if each["ResourceType"] == GROUP]
    return [
        LogGroup(each["PhysicalResourceId"], _source_of(stage, each))
        for each in resources
        if "PhysicalResourceId" in each
    ]


def _source_of(stage: str, resource: Mapping[str, Any]) -> str:
    """What a log group is of: the end of a name of ours, else the name in the template without its hash."""
    _, ours, source = str(resource["PhysicalResourceId"]).rpartition(f"recording-insights-{stage}-")
    return source if ours else _HASH.sub("", resource["LogicalResourceId"])


def _is_of_logger(record: Record) -> bool:
    """Whether a logger wrote it: with the id of a call alone it may be about another recording."""
    return "request_id" in record.fields


def _pattern(group: LogGroup, wanted: Wanted) -> str:
    """Return what CloudWatch looks for: an id, or words that records of high levels have among others."""
    if wanted.containing:
        return _any_of([wanted.containing])
    if LEVELS.index(wanted.level) <= LEVELS.index("INFO") or group.source == "api":
        return ""
    return "%ERROR|CRITICAL|WARNING|timed|Runtime|killed|Failed|TimedOut|Aborted|Exhausted%"


def _any_of(ids: Iterable[str]) -> str:
    """Return the expression that finds these ids anywhere in a record."""
    return f"%{'|'.join(ids)}%"


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), IDS_AT_ONCE):
        yield ids[begin : begin + IDS_AT_ONCE]
