"""How fast the machine is while a run goes on: the CPU time of a piece of work that is always the same.

The same run may need 680 CPU seconds today and 1,000 tomorrow on one virtual machine, since neighbours share its cores.
"""

import json
import time
from collections.abc import Iterable
from statistics import median

REFERENCE_SECONDS = 0.010
"""CPU time of the reference work on the machine for which the budget is given."""
PAUSE_SECONDS = 5.0
"""Between two measurements. They may need 0.2 % of the time of a run."""

_DOCUMENT = {"rows": [{"id": f"recording-{n}", "numbers": [n, n / 3, None], "text": "word " * n} for n in range(12)]}


def reference_work() -> None:
    """Work as tests do: with objects, texts and JSON."""
    for _ in range(200):
        rows = json.loads(json.dumps(_DOCUMENT))["rows"]
        {row["id"]: sorted(row["text"].split()) for row in rows}


class MachinePace:
    """Measures the pace again and again, between tests. `samples` are CPU seconds of the reference work."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._next = 0.0

    def measure(self) -> None:
        """Measure if it is time."""
        if time.monotonic() < self._next:
            return
        began = time.process_time()
        reference_work()
        self.samples.append(time.process_time() - began)
        self._next = time.monotonic() + PAUSE_SECONDS


def slowness(samples: Iterable[float]) -> float:
    """Return how many CPU seconds of this machine are one of the budget's; 1 without a sample."""
    known = sorted(samples)
    return median(known) / REFERENCE_SECONDS if known else 1.0
