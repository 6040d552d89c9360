"""The one look at what is left finds each kind of damage: a table of zeros means something."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.conformance.journey import PROCESSING
from tests.faults.audit import Counts, audit, counted
from tests.faults.aws import Fault, away
from tests.faults.bench import Bench
from tests.faults.rooms.rows_and_replies import media_key
from tests.faults.scenes import file
from tests.faults.world import World
from tests.unit.environment import ENVIRONMENT

PROVIDER = "assemblyai"
LATER = {"N": "99999999999"}


def edit(world: World, **changes: Any) -> None:
    """Change attributes of the row of the media object; None removes one."""
    key = media_key(world)
    item = {**world.rows.items[key], **changes}
    world.rows.items[key] = {name: value for name, value in item.items() if value is not None}


def put(world: World, pk: str, sk: str, **attributes: Mapping[str, str]) -> None:
    """Put an item into the table."""
    world.rows.items[pk, sk] = {"pk": {"S": pk}, "sk": {"S": sk}, **attributes}


def lose_row(world: World) -> None:
    del world.rows.items[media_key(world)]


def fail(code: str | None) -> Callable[[World], None]:
    def do(world: World) -> None:
        edit(world, status={"S": "failed"}, reason_code={"S": code} if code else None)

    return do


def wait_for_ever(world: World) -> None:
    edit(world, status={"S": "submitted"})


def pay_again(world: World) -> None:
    world.world.ledger.pay(world.vendor.paid)


def hold_slot(world: World) -> None:
    put(world, f"PROVIDER#{PROVIDER}", "AT#SLOT#0001", holder={"S": "nobody"}, until=LATER)


def stay_in_queue(world: World) -> None:
    put(world, f"PROVIDER#{PROVIDER}", "QUEUE#0#now#x", key={"S": "x.mp4"})


def stay_closed(world: World) -> None:
    put(world, f"PROVIDER#{PROVIDER}", "AT#HEALTH", reason={"S": "away"})


def keep_claim(world: World) -> None:
    put(world, "CHANNEL#team", "CLAIM", claimed_until=LATER)


def keep_token(world: World) -> None:
    edit(world, task_token={"S": "token"})


def run_on(world: World) -> None:
    world.step_functions.start_execution(stateMachineArn=PROCESSING, name="left", input="{}")


def forget_letter(world: World) -> None:
    world.letters.send(ENVIRONMENT["DEAD_LETTERS_URL"], "{}")


def lose_transcript(world: World) -> None:
    for key in [key for key in world.rows.items if key[1].startswith("TRANSCRIPT#")]:
        del world.rows.items[key]


def plan_in_vain(world: World) -> None:
    world.aws.faults.append(Fault(lambda call: False, away))


PLANTED: Mapping[str, tuple[Callable[[World], None], str]] = {
    "a row is gone": (lose_row, "lost"),
    "it failed without a code": (fail(None), "lost"),
    "it failed with a code that the row does not name": (fail("job_failed"), "wrong_status"),
    "it does not end": (wait_for_ever, "stuck"),
    "a job is paid for twice": (pay_again, "paid_twice"),
    "nobody owns a job": (pay_again, "leaked"),
    "a slot": (hold_slot, "leaked"),
    "a place in the queue": (stay_in_queue, "leaked"),
    "a provider that nobody tries again": (stay_closed, "leaked"),
    "a claim": (keep_claim, "leaked"),
    "a task token": (keep_token, "leaked"),
    "an execution": (run_on, "leaked"),
    "a dead letter": (forget_letter, "stuck"),
    "a fault that never happened": (plan_in_vain, "wrong_status"),
    "done without a transcript": (lose_transcript, "wrong_status"),
}


@pytest.fixture
def settled(bench: Bench, capsys: pytest.CaptureFixture[str]) -> Any:
    """A world in which a file was processed, and nothing broke."""
    with bench.world(PROVIDER) as world:
        file(world)
        world.settle()
        yield world


def test_nothing_is_found_where_nothing_broke(settled: World) -> None:
    assert audit(settled) == []


@pytest.mark.parametrize("name", PLANTED)
def test_planted_damage_is_found(settled: World, name: str) -> None:
    damage, kind = PLANTED[name]
    damage(settled)
    assert getattr(counted(audit(settled)), kind) > 0


def test_counts_are_within_their_bound_or_not() -> None:
    assert Counts(leaked=1).within(Counts(leaked=1))
    assert not Counts(leaked=1, lost=1).within(Counts(leaked=1))
