"""Compares a queue on the deployed stack with the ideal one: `make bench BENCH=deployed_queue`.

Files by hand arrive within half a minute and wait for the slots of a provider that calls back. The stack is a local one
of its own, whose functions share 16 workers. Waits take their time. The ideal queue hands a slot on in the moment in
which a job ends, and needs no time for anything else.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

from rich.console import Console

from sandbox.cloud.context import tests_context
from sandbox.cloud.lifecycle import running_stack
from sandbox.cloud.local_cloud import WORKERS_VARIABLE
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import Location
from tests.deployed import BY_CALLS, HELD, cut_sample, drop

PROVIDER = "assemblyai"
WORKERS = 16
ARRIVE_WITHIN = 30.0
PATIENCE = 6
"""Times the ideal makespan after which the benchmark gives up."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What came of it. Times are seconds; `displaced` is by how many places anybody was submitted out of order."""

    media: int
    done: int
    most_at_once: int
    displaced: int
    makespan: float
    ideal: float
    ratio: float


def measure(media: int, slots: int, job_seconds: float) -> Result:
    """Bring a stack up, let so many files arrive, and wait until all have ended."""
    os.environ[WORKERS_VARIABLE] = str(WORKERS)
    context = {**tests_context(), f"{PROVIDER}Slots": str(slots)}
    with tempfile.TemporaryDirectory() as folder, running_stack(context, Location.free(Path(folder))) as stack:
        stack.dials(**{**BY_CALLS, PROVIDER: {"job_seconds": job_seconds}})
        stack.set_wait_scale(HELD)
        clip = cut_sample(Path(folder) / "clip.mp4", seconds=6.0)
        for number in range(media):
            # The same content twice would be one job.
            drop(stack, clip.read_bytes() + _free_box(number), f"via/{PROVIDER}/{number:03d}.mp4")
            time.sleep(ARRIVE_WITHIN / media)
        ideal = ceil(media / slots) * job_seconds
        return _result(_ended(stack, media, ideal * PATIENCE), media, ideal)


def _free_box(number: int) -> bytes:
    """A box of an MP4 that players skip."""
    return (12).to_bytes(4) + b"free" + number.to_bytes(4)


def _ended(stack: LocalStack, media: int, seconds: float) -> Sequence[Row]:
    deadline = time.monotonic() + seconds
    while True:
        time.sleep(5)
        rows = _media_rows(stack)
        if sum(row["status"] in ("done", "failed") for row in rows) == media or time.monotonic() > deadline:
            return rows


def _media_rows(stack: LocalStack) -> Sequence[Row]:
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["InsightsTableName"])
    items = [item for page in pages for item in page["Items"] if item["sk"]["S"].startswith("MEDIA#")]
    return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]


def _result(rows: Sequence[Row], media: int, ideal: float) -> Result:
    done = [row for row in rows if row["status"] == "done"]
    jobs = sorted((_seconds(row["submitted_at"]), _seconds(row["callback_at"])) for row in done)
    makespan = max(_seconds(row["finished_at"]) for row in done) - min(_seconds(row["waiting_since"]) for row in rows)
    arrived = sorted(done, key=lambda row: row["waiting_since"])
    began = sorted(done, key=lambda row: row["submitted_at"])
    return Result(
        media=media,
        done=len(done),
        most_at_once=max(sum(begins <= moment < ends for begins, ends in jobs) for moment, _ in jobs),
        displaced=max(abs(began.index(row) - place) for place, row in enumerate(arrived)),
        makespan=round(makespan, 1),
        ideal=ideal,
        ratio=round(makespan / ideal, 3),
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def main() -> None:
    """Print the result as a line, or as JSON."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=deployed_queue", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--media", type=int, default=60)
    parser.add_argument("--slots", type=int, default=6)
    parser.add_argument("--job-seconds", type=float, default=30.0)
    options = parser.parse_args()
    result = measure(options.media, options.slots, options.job_seconds)
    if options.json:
        print(json.dumps(asdict(result), indent=2))
    else:
        Console().print(*(f"{name.replace('_', ' ')}: {value}" for name, value in asdict(result).items()), sep="\n")


if __name__ == "__main__":
    main()
