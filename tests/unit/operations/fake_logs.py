"""CloudWatch Logs and the stack's resources without a network: FilterLogEvents for ids and for everything."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from operations.stage_logs import GROUP


class FakeLogs:
    """`write` puts an event into a log group. Each page has one event that was looked at, so some are empty."""

    class exceptions:
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.patterns: list[str] = []
        self.resources: list[dict[str, str]] = []

    def add(self, logical: str, name: str) -> None:
        """Add a log group to the stack."""
        found = {"ResourceType": GROUP, "LogicalResourceId": logical, "PhysicalResourceId": name}
        self.resources.append(found)
        self.events[name] = []

    def write(self, group: str, timestamp: int, message: str) -> None:
        name = f"{group}-{len(self.events[group])}"
        self.events[group].append({"eventId": name, "timestamp": timestamp, "message": message})

    def __call__(self, service: str, **options: Any) -> "FakeLogs":
        return self

    def get_paginator(self, name: str) -> "_Pages":
        return _Pages(self, name)


class _Pages:
    def __init__(self, logs: FakeLogs, name: str) -> None:
        self._logs, self._name = logs, name

    def paginate(self, **given: Any) -> Iterator[dict[str, Any]]:
        if self._name == "list_stack_resources":
            assert given == {"StackName": "RecordingInsights-local"}
            yield {"StackResourceSummaries": self._logs.resources}
            return
        assert self._name == "filter_log_events"
        group, pattern = given["logGroupName"], given.get("filterPattern", "")
        if group not in self._logs.events:
            raise self._logs.exceptions.ResourceNotFoundException
        self._logs.patterns.append(pattern)
        expression = re.compile(pattern.strip("%"))
        for event in sorted(self._logs.events[group], key=lambda event: event["timestamp"]):
            within = given["startTime"] <= event["timestamp"] <= given.get("endTime", 2**60)
            yield {"events": [event] if within and expression.search(event["message"]) else []}
