"""A row of the fault table: one kind of fault, how it is brought about, and what may come of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict, Unpack

from tests.faults.audit import Counts
from tests.faults.bench import Bench
from tests.faults.world import World

Play = Callable[[World], None]
"""Brings objects into a world and damages it. What follows is done until nothing changes any more."""
NONE = Counts()
ONE_SECOND_JOB = Counts(paid_twice=1, leaked=1)
"""A second job is paid for, and nobody knows of the first."""


class Run(NamedTuple):
    """One of the runs of a row: its label, such as the call that fails, and what happens in it."""

    label: str
    play: Play


Runs = Callable[[Bench, str], Sequence[Run]]
"""Makes the runs with a provider."""


@dataclass(frozen=True)
class Exempt:
    """What a row may leave behind in each run, and why; `providers` are those it may be with, all without a name."""

    why: str
    bound: Counts
    providers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """`breaks` says in one line what breaks. `deployed` are the tests of the deployed stack that show the same fault.

    `runs` returns the runs with a provider, `fits` whether the row has any with it. A row that is `slow` has hours or
    days of the clock in it: the short form makes it with one provider.
    """

    room: str
    name: str
    breaks: str
    deployed: Sequence[str]
    runs: Runs
    fits: Callable[[str], bool] = lambda provider: True
    exempt: Sequence[Exempt] = ()
    slow: bool = False

    def bound(self, provider: str) -> Counts:
        """What one run with the provider may leave behind."""
        fitting = (exempt.bound for exempt in self.exempt if provider in (exempt.providers or (provider,)))
        return next(fitting, NONE)


class Limits(TypedDict, total=False):
    """Which providers a row fits, what it may leave behind, and whether it is slow: the fields of `Row`."""

    fits: Callable[[str], bool]
    exempt: Sequence[Exempt]
    slow: bool


@dataclass(frozen=True)
class Room:
    """The rows of one kind of fault, in their order."""

    name: str
    rows: list[Row] = field(default_factory=list)

    def row(
        self, name: str, breaks: str, deployed: Iterable[str] = (), **limits: Unpack[Limits]
    ) -> Callable[[Play], Play]:
        """Make a row of what happens in its only run."""

        def make(play: Play) -> Play:
            self.rows_of(name, breaks, deployed, **limits)(lambda bench, provider: [Run("", play)])
            return play

        return make

    def rows_of(
        self, name: str, breaks: str, deployed: Iterable[str] = (), **limits: Unpack[Limits]
    ) -> Callable[[Runs], Runs]:
        """Make a row of several runs, which may depend on the provider."""

        def make(runs: Runs) -> Runs:
            self.rows.append(Row(self.name, name, breaks, [*deployed], runs, **limits))
            return runs

        return make
