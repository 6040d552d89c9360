"""What AWS counts for each kind of recording. docs/cost.md shows the same table."""

from collections.abc import Mapping
from typing import NamedTuple


class Counts(NamedTuple):
    """What AWS counts for one thing that happens.

    - `transitions`: state transitions of both state machines. `calls`: calls of Lambda functions.
    - `gets` and `queries`: reads of the table. `writes`: items that a write names, also if its condition does not hold.
      `units`: the write units of these, the indexes included.
    - `s3_gets` (GET and HEAD), `s3_puts`, `s3_lists`: requests of S3.
    - `secrets`: reads of secrets by functions that have just started. `steps`: calls of Step Functions' API.
    """

    transitions: int = 0
    calls: int = 0
    gets: int = 0
    queries: int = 0
    writes: int = 0
    units: int = 0
    s3_gets: int = 0
    s3_puts: int = 0
    s3_lists: int = 0
    secrets: int = 0
    steps: int = 0


EXPECTED: Mapping[str, Counts] = {
    "MP4, polled three times": Counts(13, 6, 14, 5, 23, 44, 3, 1, 0, 2, 1),
    "MP4, polled four times": Counts(16, 7, 15, 5, 24, 46, 3, 1, 0, 2, 1),
    "MP4, callback": Counts(7, 5, 14, 8, 19, 36, 3, 2, 0, 4, 2),
    "MP4, result delivered to S3": Counts(7, 5, 14, 8, 20, 37, 4, 2, 0, 1, 2),
    "MP4, event of AWS (Transcribe)": Counts(7, 5, 14, 8, 16, 33, 4, 2, 0, 0, 2),
    "MP4, result by callback alone (SeaMeet)": Counts(7, 6, 15, 5, 22, 41, 6, 2, 0, 3, 2),
    "three MP4s of a mix, callbacks": Counts(21, 15, 42, 24, 57, 118, 9, 6, 0, 12, 6),
    "two tracks of two minutes, callbacks": Counts(24, 28, 82, 20, 52, 116, 38, 6, 4, 4, 6),
    "file by hand, converted, callback": Counts(11, 7, 20, 10, 23, 50, 5, 3, 0, 4, 2),
    "watch of a recording of one hour": Counts(22, 7, 0, 9, 6, 15, 0, 0, 1, 4, 0),
    "watch of ten minutes, stopped": Counts(10, 3, 0, 5, 3, 12, 0, 0, 1, 1, 0),
    "watch of ten minutes, without a stop": Counts(10, 3, 0, 6, 7, 20, 0, 0, 1, 2, 0),
    "`POST /recordings`": Counts(0, 1, 2, 0, 5, 14, 0, 0, 0, 3, 1),
    "`POST /recordings/{id}/stop`": Counts(0, 1, 1, 0, 2, 7, 0, 0, 0, 1, 0),
    "`GET /recordings/{id}`": Counts(0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0),
    "`GET /recordings/{id}/insights`": Counts(0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0),
    "`GET /recordings`": Counts(0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0),
    "`GET /insights` of one recording": Counts(0, 1, 1, 5, 0, 0, 0, 0, 0, 0, 0),
}
"""In the order of the fields of `Counts`."""


def changes(expected: Counts, counted: Counts) -> str:
    """Return which counts have changed, from what to what."""
    return ", ".join(
        f"{name} from {before} to {after}"
        for name, before, after in zip(Counts._fields, expected, counted, strict=True)
        if before != after
    )


CHANGES_OF_A_RECORDING, EVENTS_OF_A_RECORDING = 9, 6
"""Of a mix in one MP4 that the API started and stopped: changes that pass the filter of the stream, and events."""
