"""One change of a recorder at a time, whether a caller or the watch makes it.

Agora requires it. Each change also builds on the row that the change before it has written.
Source: https://docs.agora.io/en/cloud-recording/best-practices/integration-best-practices
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from recording_insights.deadline import Deadline
from recording_insights.errors import Conflict
from recording_insights.recordings.recorder import check_named, may_run
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

LEASE_SECONDS = 30
"""Longer than a function of the API lives: after that time no function can still work under the lease."""
WAITS = (0.5, 1.0, 2.0)
"""Seconds between tries to get the lease."""


@contextmanager
def lease_recorder(recording_id: str, *, store: RecordingStore, deadline: Deadline) -> Iterator[RecordingRow]:
    """Hold the lease on a recorder; yields the recording as it is under the lease.

    Waits 3.5 s at most for a change that is under way.

    Raises:
        Conflict: another change holds the lease.
    """
    waits = iter(WAITS)
    while (leased := store.lease(recording_id, LEASE_SECONDS)) is None:
        wait = next(waits, None)
        if wait is None or not deadline.pause(wait):
            raise Conflict("another change is under way; try again")
    try:
        yield leased
    finally:
        store.end_lease(leased)


def change_recorder(
    call: Literal["update", "updateLayout"],
    leased: RecordingRow,
    client_request: Mapping[str, Any],
    *,
    agora: "AgoraClient",
    deadline: Deadline,
) -> None:
    """Send a change to the recorder; `leased` is the row that `lease_recorder` yielded.

    Raises:
        Conflict: the recorder has left, has no id yet, or is moving to another host.
        SecretUnusable, AgoraError: the recorder may go on unchanged.
    """
    if not may_run(leased):
        raise Conflict("this recording is not under way")
    check_named(leased)
    if not agora.change(call, leased, client_request, deadline):
        raise Conflict("the recorder has left by itself, or is moving to another host")
