"""The parts that all stand-ins of a process share."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.customer.buckets import OpenBucket, s3_at
from sandbox.stand_ins.customer.downloads import Download, download
from sandbox.stand_ins.customer.webhooks import Send, send
from sandbox.stand_ins.hearing.speech import Engine
from sandbox.stand_ins.runtime.calls import Calls
from sandbox.stand_ins.runtime.dials import Dials
from sandbox.stand_ins.runtime.jobs import Jobs
from sandbox.stand_ins.runtime.ledger import Ledger


@dataclass
class Runtime:
    """Speech engine, dials, ledger, jobs, and the ways to the customer. Tests replace parts by fakes.

    `clock` returns unix seconds; rules such as "valid for 5 minutes" follow it. `monotonic` returns monotonic seconds:
    recordings that start from now on play their media by it, and jobs measure their duration. `webhooks` is the
    customer's base URL, for vendors that call back to one address for all jobs; each calls the path of its name.
    """

    engine: Engine
    dial_groups: Mapping[str, type[Any]]
    open_bucket: OpenBucket = field(default_factory=lambda: s3_at(None))
    download: Download = download
    send: Send = send
    webhooks: str | None = None
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sample: Path = SAMPLE

    def __post_init__(self) -> None:
        self.dials = Dials(self.dial_groups)
        self.ledger = Ledger(self.clock)
        self.calls = Calls(self.dials, self.ledger)
        self.jobs = Jobs()
        self._scratch = tempfile.TemporaryDirectory(prefix="stand-ins-")
        self.scratch = Path(self._scratch.name)

    def close(self) -> None:
        """End all jobs and the engine at once."""
        self.jobs.close()
        self.engine.close()
        self._scratch.cleanup()
