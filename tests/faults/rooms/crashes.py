"""Functions that end without a word, between any two of their side effects."""

from collections.abc import Sequence
from functools import partial

from tests.faults.aws import STATE_MACHINE, VENDOR, Call, Fault, crashed
from tests.faults.bench import Bench
from tests.faults.rooms.aws_calls import CHANGES, SENT_ONCE, each_call
from tests.faults.row import Room, Run
from tests.faults.world import World

ROOM = Room("Crashes")


def has_effect(call: Call) -> bool:
    """Whether a function may have ended before or after the call, and it matters."""
    return call.function != STATE_MACHINE and (call.operation in CHANGES or call.service == VENDOR)


def die(world: World, call: Call, *, after: bool) -> None:
    """The function that makes the call dies."""
    world.aws.faults.append(Fault(call.__eq__, crashed, after=after, times=1))


@ROOM.rows_of(
    "a function dies before a side effect",
    "time-out or lack of memory, before any write and any call of the vendor; then the call is repeated",
    ["test_restart.py::test_twenty_recordings_in_flight_go_on_after_down_and_up"],
    exempt=[SENT_ONCE],
)
def before(bench: Bench, provider: str) -> Sequence[Run]:
    return each_call(bench, provider, partial(die, after=False), only=has_effect)


@ROOM.rows_of(
    "a function dies after a side effect",
    "the same, after any write and after any answer of the vendor that nobody has stored yet",
    ["test_restart.py::test_twenty_recordings_in_flight_go_on_after_down_and_up"],
)
def after(bench: Bench, provider: str) -> Sequence[Run]:
    return each_call(bench, provider, partial(die, after=True), only=has_effect)
