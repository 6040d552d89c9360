"""Executions that are aborted, deleted or have another definition, and clocks that are wrong."""

from collections.abc import Sequence
from functools import partial

from tests.conformance.journey import FUNCTIONS
from tests.faults import scenes
from tests.faults.bench import Bench
from tests.faults.row import Room, Run
from tests.faults.world import HOUR, OTHERS, World

ROOM = Room("Executions and clocks")
MOMENTS = (0, 1, 30, 300)
"""Seconds after the arrival of a file: it is submitted at once, and its job takes 90 seconds."""


@ROOM.rows_of(
    "aborted",
    "somebody aborts all executions at the console, and retries what has failed",
    [
        "test_faults.py::test_an_execution_aborted_at_the_console_leaves_its_reason",
        "test_retries.py::test_a_job_that_has_finished_since_is_fetched_and_not_paid_for_again",
    ],
)
def aborted(bench: Bench, provider: str) -> Sequence[Run]:
    def play(after: float, world: World) -> None:
        scenes.several(4, 5)(world)
        world.later(after, world.abort)
        world.settle()
        world.retry()

    return [Run(f"after {after} s", partial(play, after)) for after in MOMENTS]


@ROOM.rows_of(
    "deleted",
    "all executions vanish without an event, as with their state machine; the sweep starts successors",
    ["test_sweep.py::test_an_execution_that_vanished_has_a_successor"],
)
def vanished(bench: Bench, provider: str) -> Sequence[Run]:
    def play(after: float, world: World) -> None:
        scenes.several(4, 5)(world)
        world.later(after, partial(world.abort, leaves_event=False))

    return [Run(f"after {after} s", partial(play, after)) for after in MOMENTS]


@ROOM.rows_of(
    "redeployed",
    "the state machine gets another definition, and the functions another version, under running executions",
    ["test_restart.py::test_twenty_recordings_in_flight_go_on_after_down_and_up"],
)
def redeployed(bench: Bench, provider: str) -> Sequence[Run]:
    def play(after: float, world: World) -> None:
        scenes.several(4, 20)(world)
        world.later(after, world.redeploy)

    return [Run(f"after {after} s", partial(play, after)) for after in MOMENTS]


@ROOM.row(
    "a report gets lost",
    "nobody hears for an hour of executions that were aborted: their events lie with the dead letters",
    ["test_sweep.py::test_a_dead_letter_of_a_function_is_handled"],
)
def unreported(world: World) -> None:
    until = world.clock.elapsed + HOUR

    def refuse() -> None:
        if world.clock.elapsed < until:
            world.before("report_stopped_execution", refuse)
            raise RuntimeError("no report")

    world.before("report_stopped_execution", refuse)
    scenes.several(4, 5)(world)
    world.later(30, world.abort)
    world.settle()
    world.retry()


@ROOM.rows_of(
    "an hour off: our clocks",
    "the clock of all functions, or of those that submit, is an hour ahead or behind, from a minute on",
)
def our_clocks(bench: Bench, provider: str) -> Sequence[Run]:
    everybody = [module.__name__.rpartition(".")[2] for module in (*FUNCTIONS, *OTHERS)]

    def play(functions: Sequence[str], seconds: float, world: World) -> None:
        scenes.several(4, 30)(world)
        wrong = dict.fromkeys(functions, seconds)
        world.later(60, lambda: setattr(world.clock, "skew", wrong))

    return [
        Run(f"{name} {seconds:+} s", partial(play, functions, seconds))
        for name, functions in (("all", everybody), ("submit_recording", ["submit_recording"]))
        for seconds in (HOUR, -HOUR)
    ]


@ROOM.rows_of(
    "an hour off: the vendor's clock",
    "the vendor's clock is an hour ahead or behind",
)
def vendors_clock(bench: Bench, provider: str) -> Sequence[Run]:
    def play(seconds: float, world: World) -> None:
        ours = world.world.clock
        world.world.clock = lambda: ours() + seconds
        scenes.several(4, 30)(world)

    return [Run(f"{seconds:+} s", partial(play, seconds)) for seconds in (HOUR, -HOUR)]
