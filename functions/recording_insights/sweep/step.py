"""What one step of a sweep did."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TypeVarTuple

RESERVE_SECONDS = 20.0
"""Time that a step leaves: for the item that it works on, and for the row of the sweep."""

Given = TypeVarTuple("Given")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ages:
    """How long something has been so before the sweep looks at it: by then others had the time to do their part."""

    letters: timedelta = timedelta(hours=1)
    """Dead letters."""
    rows: timedelta = timedelta(minutes=10)
    """Rows of recordings that have not changed."""
    jobs: timedelta = timedelta(days=1)
    """Media objects that failed because nobody could fetch the result of their job."""
    erases: timedelta = timedelta(minutes=30)
    """Recordings that are being erased, and whose row has not changed."""
    retention: timedelta = timedelta(days=1)
    """The last look at all recordings whether they are too old."""


AT_ONCE = Ages(*[timedelta(0)] * len(fields(Ages)))


@dataclass
class Step:
    """`counts` are numbers by what was done. `cursor` is where the next sweep goes on; None if everything was seen."""

    counts: Counter[str] = field(default_factory=Counter)
    cursor: str | None = None

    def attempt(self, work: Callable[[*Given], str | None], *given: *Given) -> None:
        """Do the work for one item, with what is given for it, and count what it returns, unless that is None.

        An exception is logged and counted as `faults`: one bad item must not keep the sweep from those behind it.
        """
        try:
            outcome = work(*given)
        except Exception:
            _logger.exception("the sweep could not do this now, and will try again")
            outcome = "faults"
        if outcome:
            self.counts[outcome] += 1
