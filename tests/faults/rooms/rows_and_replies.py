"""Rows and replies that somebody edits or deletes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tests.conformance.scene import REPLIES
from tests.faults import scenes
from tests.faults.bench import Bench
from tests.faults.row import ONE_SECOND_JOB, Exempt, Room, Run
from tests.faults.world import World, mp4

ROOM = Room("Rows and replies")
EDITS: Mapping[str, Mapping[str, Any]] = {
    "a provider that nobody knows": {"provider": {"S": "nobody"}},
    "a status that nobody knows": {"status": {"S": "banana"}},
    "no status": {"status": None},
    "a job that is a text": {"job": {"S": "a job"}},
    "a moment that is none": {"submitted_at": {"S": "soon"}},
    "no bucket": {"bucket": None},
}


def edited(world: World, changes: Mapping[str, Any]) -> Callable[[], None]:
    """Return what edits the row of the only media object, and what puts it right again."""

    def edit() -> None:
        key = media_key(world)
        item = dict(world.rows.items[key])
        # Nobody gives a row that has failed its earlier status back: a retry does that.
        before = {name: item.get(name) for name in changes if name != "status"}
        world.rows.items[key] = merged(item, changes)

        def mend() -> None:
            world.rows.items[key] = merged(dict(world.rows.items[key]), before)

        world.later(10 * 60, mend)

    return edit


def merged(item: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """An item with other attributes; None removes one."""
    return {name: value for name, value in {**item, **changes}.items() if value is not None}


def media_key(world: World) -> tuple[str, str]:
    """The key of the only media object."""
    keys: list[tuple[str, str]] = [key for key in world.rows.items if key[1].startswith("MEDIA#")]
    [key] = keys
    return key


@ROOM.rows_of(
    "a row edited",
    "an operator edits the row of a media object while its job runs, mends it ten minutes later, and retries",
)
def edit(bench: Bench, provider: str) -> Sequence[Run]:
    def play(changes: Mapping[str, Any], world: World) -> None:
        scenes.file(world)
        world.later(30, edited(world, changes))
        world.settle()
        world.retry()

    return [Run(name, partial(play, changes)) for name, changes in EDITS.items()]


@ROOM.row(
    "a row deleted",
    "an operator deletes all rows of a recording while its job runs, and the object's event comes again",
    [
        "test_arrival.py::test_an_execution_that_is_gone_has_a_successor",
        "test_retries.py::test_an_object_whose_rows_are_gone_is_taken_by_its_key",
    ],
    exempt=[Exempt("only the row named the job; Transcribe's jobs have our name and are found", ONE_SECOND_JOB)],
)
def delete(world: World) -> None:
    def delete_rows() -> None:
        recording_id = media_key(world)[0]
        for key in [key for key in world.rows.items if key[0] == recording_id]:
            del world.rows.items[key]

    scenes.file(world)
    world.later(30, delete_rows)
    world.later(60, partial(world.announce, "talk.mp4", mp4()))


@ROOM.row(
    "a reply deleted",
    "the raw reply, and the result that the vendor sent, are gone before the insights are read from it",
    ["test_retries.py::test_a_reply_that_was_deleted_is_fetched_again"],
)
def reply(world: World) -> None:
    def delete_replies() -> None:
        for bucket, key in [place for place in world.buckets.objects if place[0] == REPLIES]:
            if not key.startswith(("callbacks/", "deliveries/")):
                world.buckets.delete(bucket, key)

    world.before("save_insights", delete_replies)
    scenes.file(world)
