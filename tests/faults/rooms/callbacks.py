"""Callbacks: early, late, repeated, lost, forged, and refused by us."""

from collections.abc import Mapping, Sequence
from functools import partial

from recording_insights.providers.registry import capabilities_of, receives_webhooks
from tests.faults import scenes
from tests.faults.bench import Bench
from tests.faults.row import Room, Run
from tests.faults.world import HOUR, World

ROOM = Room("Callbacks")


def calls_back(provider: str) -> bool:
    """Whether anything but polls tells of the end of a job."""
    return capabilities_of(provider).callback != "none"


def only_result(provider: str) -> bool:
    """Whether the result comes by the callback alone, so that nobody can ask for it."""
    return capabilities_of(provider).callback == "required"


@ROOM.rows_of(
    "early, and double",
    "the callback comes before the answer to the submission, or twice",
    ["test_providers.py::test_early_and_double_callbacks_end_well"],
    fits=calls_back,
)
def early_and_double(bench: Bench, provider: str) -> Sequence[Run]:
    def play(how: str, world: World) -> None:
        world.dials(callback=how)
        scenes.file(world)

    return [Run(how, partial(play, how)) for how in ("early", "double")]


@ROOM.row(
    "late: after the ceiling",
    "a job takes five hours, and its ceiling is four; the result ends what had failed",
    [
        "test_providers.py::test_a_result_that_comes_after_the_ceiling_finishes_the_recording",
        "test_sweep.py::test_a_job_that_finished_after_the_ceiling_is_fetched",
    ],
)
def late(world: World) -> None:
    world.job_seconds = 5 * HOUR
    scenes.file(world)


@ROOM.row(
    "lost",
    "no callback comes; what only a callback can bring fails, and an operator has another job submitted",
    ["test_providers.py::test_lost_callbacks_are_made_good_or_missed_with_a_reason"],
    fits=calls_back,
)
def lost(world: World) -> None:
    world.dials(callback="lost")
    scenes.file(world)
    if only_result(world.name):
        world.settle()
        world.dials(callback="once")
        world.retry(**{"from": "media"})


@ROOM.row(
    "forged",
    "before the vendor's callback, somebody sends the same one with wrong proofs",
    ["test_providers.py::test_a_forged_callback_is_401_and_changes_nothing"],
    fits=receives_webhooks,
)
def forged(world: World) -> None:
    def forge(path: str, body: bytes, headers: Mapping[str, str]) -> None:
        proofs = [name for name in headers if name.lower().startswith("x-")]
        last = "0" if path[-1] != "0" else "1"
        attempts = [(path, body, {**headers, name: "0" * len(headers[name])}) for name in proofs]
        if len(path.split("/")) == 5:
            attempts = [(path[:-1] + last, body, dict(headers))]
        answers = {world.post(*attempt) for attempt in attempts}
        if answers != {401}:
            world.remarks.append(f"forged callbacks are answered {answers}")

    world.tampers.append(forge)
    scenes.file(world)


@ROOM.row(
    "refused by us",
    "our API answers every callback of ten minutes with 429; an operator has another job submitted if that was all",
    ["test_providers.py::test_a_result_that_is_sent_once_needs_nothing_of_other_webhooks"],
    fits=receives_webhooks,
)
def refused(world: World) -> None:
    world.refuses_until = world.clock.elapsed + 600
    scenes.file(world)
    if only_result(world.name):
        world.settle()
        world.retry(**{"from": "media"})
