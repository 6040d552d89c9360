"""Put the events that follow from changes onto the bus. What fails is named, and the others are not kept waiting."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from recording_insights.bounded import parse_bounded
from recording_insights.notices.changes import Change, FindRecording, events_of, trimmed
from recording_insights.notices.events import Event

MOST_ENTRIES = 10
MOST_BYTES = 256 << 10
"""Bounds of one call of PutEvents.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""
_ENTRY_BYTES = 1 << 10
"""More than the source, the type, the resource and the time of an entry have."""
LARGEST_MESSAGE = 200_000
"""Bytes of a message; SQS takes 256 KB."""

_logger = logging.getLogger(__name__)


class Bus(Protocol):
    """The bus of the stage."""

    def put(self, events: Sequence[Event]) -> Sequence[str | None]:
        """Put events onto the bus, and return for each why it was refused, or None."""


class _Entry(NamedTuple):
    place: int
    event: Event
    size: int


def publish(records: Sequence[Mapping[str, Any]], *, bus: Bus, find: FindRecording) -> list[int]:
    """Put the events that follow from records of the stream onto the bus; return the places of those that failed.

    No record keeps the others from being published.
    """
    failed: set[int] = set()
    entries: list[_Entry] = []
    find_once = cache(find)
    for place, record in enumerate(records):
        try:
            events = events_of(Change.from_record(record), find_once)
        except Exception:
            _logger.exception("the events of a change are not known", extra={"change": record.get("eventID")})
            failed.add(place)
        else:
            entries += (_Entry(place, event, len(json.dumps(event.envelope()).encode())) for event in events)
    for entry, refused in _put_all(bus, entries):
        if refused:
            _logger.error("an event is not on the bus", extra={"event": entry.event.id, "refused": refused})
            failed.add(entry.place)
    return sorted(failed)


def _put_all(bus: Bus, entries: Sequence[_Entry]) -> Iterator[tuple[_Entry, str | None]]:
    """Put entries onto the bus, and yield for each why it is not there, or None."""
    away: str | None = None
    for call in _calls(entries):
        refused: Sequence[str | None] = [away] * len(call)
        if away is None:
            try:
                refused = bus.put([entry.event for entry in call])
            except ClientError as error:
                refused = [str(error)] * len(call)
            except BotoCoreError as error:
                # Each call would wait for an answer, and the time of the function is short.
                away = str(error)
                refused = [away] * len(call)
        yield from zip(call, refused, strict=True)


def _calls(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    """Yield the entries of each call of PutEvents."""
    call: list[_Entry] = []
    size = 0
    for entry in entries:
        taken = entry.size + _ENTRY_BYTES
        if call and (len(call) == MOST_ENTRIES or size + taken > MOST_BYTES):
            yield call
            call, size = [], 0
        call.append(entry)
        size += taken
    if call:
        yield call


def message_of(record: Mapping[str, Any]) -> str:
    """Return a record as a message of the queue: what events follow from, or its keys only if that is too much."""
    small = trimmed(record)
    message = json.dumps(small, default=str)
    if len(message.encode()) <= LARGEST_MESSAGE:
        return message
    keys = {name: small["dynamodb"].get(name) for name in ("ApproximateCreationDateTime", "Keys")}
    return json.dumps({"eventID": small.get("eventID"), "too_large": len(message), "dynamodb": keys}, default=str)


def publish_again(
    bodies: Sequence[str],
    *,
    bus: Bus,
    find: FindRecording,
    lost: Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]],
) -> list[int]:
    """Publish the messages of the queue; return the places of those that failed.

    A message is a record, or what Lambda says of a batch that it gave up: `lost` then reads its records from the
    stream.
    """
    failed = []
    for place, body in enumerate(bodies):
        try:
            message = parse_bounded(body)
            batch = message.get("DDBStreamBatchInfo")
            if "too_large" in message:
                raise ValueError(f"the record had {message['too_large']} bytes")
            if publish(lost(batch) if batch else [message], bus=bus, find=find):
                failed.append(place)
        except Exception:
            _logger.exception("a message cannot be published")
            failed.append(place)
    return failed
