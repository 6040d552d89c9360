"""Events of objects that repeat, come out of order or get lost, and objects that are changed meanwhile."""

from collections.abc import Sequence
from functools import partial

from tests.conformance.scene import RECORDINGS
from tests.faults import scenes
from tests.faults.audit import Counts
from tests.faults.bench import Bench
from tests.faults.row import Exempt, Room, Run
from tests.faults.world import HOUR, MINUTE, World, mp4
from tests.ways_of_waiting import representatives

ROOM = Room("Events and objects")
KEY = "talk.mp4"


@ROOM.row(
    "five times, out of order",
    "the event of each of three objects comes five times: at once, while the job runs, and afterwards",
    [
        "test_arrival.py::test_events_come_five_times_out_of_order_and_for_what_is_gone",
        "test_recording.py::test_five_deliveries_of_an_object_are_one_execution_and_one_paid_job",
    ],
)
def five_times(world: World) -> None:
    for place in (2, 0, 1):
        world.put(f"{place}.mp4", mp4(place))
    for after in (0, 1, MINUTE, HOUR):
        for place in (1, 2, 0):
            world.later(after, partial(world.announce, f"{place}.mp4", mp4(place), sequencer=f"00{after % 7}"))


@ROOM.row(
    "lost: an arrival",
    "the event of an object never comes; the sweep admits the object",
    ["test_sweep.py::test_an_object_whose_event_was_lost_is_admitted_once"],
)
def lost_arrival(world: World) -> None:
    world.loses = {"arrivals"}
    scenes.file(world)


@ROOM.row(
    "lost: the end of a job",
    "the event of a delivered result, or of a job at AWS, never comes",
    ["test_sweep.py::test_a_result_whose_event_was_lost_ends_the_wait"],
)
def lost_result(world: World) -> None:
    world.loses = {"results"}
    scenes.file(world)


@ROOM.row(
    "not admitted for eleven hours",
    "the intake fails so long that the message of the object is a dead letter; the sweep moves it back",
    [
        "test_arrival.py::test_an_object_that_could_not_be_admitted_is_admitted_by_a_later_delivery",
        "test_sweep.py::test_dead_letters_of_arrivals_come_back",
    ],
)
def dead_letter(world: World) -> None:
    until = world.clock.elapsed + 11 * HOUR

    def refuse() -> None:
        if world.clock.elapsed < until:
            world.before("admit_media", refuse)
            raise RuntimeError("the intake is broken")

    world.before("admit_media", refuse)
    scenes.file(world)


@ROOM.rows_of(
    "overwritten",
    "another content comes under the same key: before the job, while it runs, and afterwards; each is paid for",
    ["test_same_content.py::test_a_newer_version_that_fails_hides_no_insights"],
)
def overwritten(bench: Bench, provider: str) -> Sequence[Run]:
    def play(after: float, world: World) -> None:
        # Before the job, the vendor may find the newer content under the link of the older one.
        world.put(KEY, mp4(1))
        world.later(after, lambda: world.put(KEY, mp4(2)))

    return [Run(f"after {after} s", partial(play, after)) for after in (0, 30, HOUR)]


@ROOM.row(
    "copied in place",
    "an object is copied onto itself while its job runs, and afterwards: the same content under the same key",
    ["test_same_content.py::test_a_copy_in_place_with_another_etag_is_not_paid_again"],
)
def copied_in_place(world: World) -> None:
    scenes.file(world)
    for after in (30, HOUR):
        world.later(after, lambda: world.arrive(KEY, mp4()))


@ROOM.rows_of(
    "deleted",
    "an object is deleted before its event, while it waits for its turn, while its job runs, and afterwards",
    ["test_arrival.py::test_events_come_five_times_out_of_order_and_for_what_is_gone"],
    exempt=[
        Exempt(
            "the vendor says no more than that the link does not work, so it gets two new links, each with a job",
            Counts(paid_twice=2),
        )
    ],
)
def deleted(bench: Bench, provider: str) -> Sequence[Run]:
    def delete(world: World) -> None:
        world.buckets.delete(RECORDINGS, KEY)

    def before_event(world: World) -> None:
        world.put(KEY, announced=False, ends="none")
        delete(world)
        world.pays = 0
        world.announce(KEY, mp4())

    def meanwhile(after: float, world: World) -> None:
        world.put(KEY, ends="done media_gone provider_rejected job_failed link_expired")
        world.later(after, lambda: delete(world))

    return [
        Run("before the event", before_event),
        *(Run(f"after {after} s", partial(meanwhile, after)) for after in (0, 30, HOUR)),
    ]


def is_representative(provider: str) -> bool:
    """One provider for each way of waiting."""
    return provider in representatives()


@ROOM.row(
    "thirty at once",
    "thirty objects come in one second to a provider with two slots",
    ["test_turns.py::test_who_cancels_gives_the_slot_to_the_next_and_what_was_cancelled_can_be_retried"],
    fits=is_representative,
)
def many(world: World) -> None:
    scenes.several(30, 0.03)(world)
