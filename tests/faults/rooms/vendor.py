"""Vendors that refuse, are away, are out of credit, or do not know the key any more."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from recording_insights.providers.registry import capabilities_of
from tests.conformance.scene import Scene
from tests.faults import scenes
from tests.faults.audit import Counts
from tests.faults.bench import Bench
from tests.faults.row import Exempt, Play, Room, Run
from tests.faults.world import DAY, HOUR, MINUTE, World

ROOM = Room("The vendor")
ROLES = ("login", "prepares", "submits", "state", "results")
FOREVER = 10_000_000


def calls_of(scene: Scene, *roles: str) -> list[str]:
    """The calls of a vendor that play these roles."""
    found = [getattr(scene.vendor, role) for role in roles]
    return list(
        dict.fromkeys(call for calls in found if calls for call in ([calls] if isinstance(calls, str) else calls))
    )


def reads_by_link(provider: str) -> bool:
    """Whether the provider is no service of AWS: those read the bucket, and are paid with the account."""
    return capabilities_of(provider).aws_service is None


def fails(world: World, fault: Mapping[str, Any], begin: float, end: float, *roles: str) -> None:
    """The calls fail from a moment until another."""
    failing = [{"call": call, "times": FOREVER, **fault} for call in calls_of(world, *(roles or ROLES))]
    world.later(begin, lambda: world.dials(fail_next=failing))
    world.later(end, lambda: world.dials(fail_next=[]))


def outage(fault: Mapping[str, Any], seconds: float, *, number: int, every: float, begin: float = 0) -> Play:
    """Files come before, during and after a time in which the vendor answers every call so."""

    def play(world: World) -> None:
        scenes.several(number, every)(world)
        fails(world, fault, begin, begin + seconds)

    return play


BUSY: Mapping[str, Any] = {"status": 429, "body": {"message": "slow down"}}
BROKEN: Mapping[str, Any] = {"status": 500, "body": {"message": "oops"}}
AWAY: Mapping[str, Any] = {"status": 503, "body": "<html>unavailable</html>"}
REFUSED: Mapping[str, Any] = {"status": 401, "body": {"message": "no"}}
NO_CREDIT: Mapping[str, Any] = {"status": 402, "body": {"message": "pay"}}


def moments(fault: Mapping[str, Any], seconds: float, number: int, every: float) -> list[Run]:
    """An outage that begins before the first file, and one that begins while its job runs."""
    return [
        Run(name, outage(fault, seconds, number=number, every=every, begin=begin))
        for name, begin in (("before the job", 0), ("while a job runs", 30))
    ]


@ROOM.rows_of(
    "429 for an hour",
    "the vendor answers every call with 429",
    ["test_branches.py::test_busy_provider_is_waited_for_and_the_recording_submitted_again"],
)
def busy(bench: Bench, provider: str) -> Sequence[Run]:
    return moments(BUSY, HOUR, 4, 20 * MINUTE)


@ROOM.rows_of(
    "5xx for an hour",
    "the vendor answers every call with 500",
    ["test_branches.py::test_a_passing_fault_of_the_provider_loses_nothing_and_pays_nothing_twice"],
)
def broken(bench: Bench, provider: str) -> Sequence[Run]:
    return moments(BROKEN, HOUR, 4, 20 * MINUTE)


@ROOM.rows_of(
    "away for a day",
    "the vendor answers every call with 503; a job that runs when it begins exceeds its ceiling",
    ["test_branches.py::test_a_passing_fault_of_the_provider_loses_nothing_and_pays_nothing_twice"],
    slow=True,
)
def away_a_day(bench: Bench, provider: str) -> Sequence[Run]:
    return moments(AWAY, DAY, 6, 5 * HOUR)


@ROOM.row(
    "away for four days",
    "the same, longer than `giveUpHours`: what has failed by then is retried by an operator",
    ["test_retries.py::test_many_are_retried_at_once_and_one_retry_is_at_work_at_a_time"],
    slow=True,
)
def away_four_days(world: World) -> None:
    outage(AWAY, 4 * DAY, number=5, every=DAY)(world)
    world.settle()
    if not any(row.get("status") == "failed" for row in world.media_rows()):
        world.remarks.append("nothing has failed")
    world.retry()


@ROOM.rows_of(
    "credentials wrong for a night",
    "the vendor answers every call with 401 for ten hours",
    ["test_branches.py::test_a_wrong_secret_is_waited_for_and_the_row_says_so", "test_secrets.py::test_rotated"],
    slow=True,
)
def refused(bench: Bench, provider: str) -> Sequence[Run]:
    return moments(REFUSED, 10 * HOUR, 5, 3 * HOUR)


@ROOM.rows_of(
    "credit out for a night",
    "the vendor answers every call with 402 for ten hours",
    fits=reads_by_link,
    slow=True,
)
def no_credit(bench: Bench, provider: str) -> Sequence[Run]:
    return moments(NO_CREDIT, 10 * HOUR, 5, 3 * HOUR)


@ROOM.rows_of(
    "a connection drops",
    "a call of the vendor takes effect, and the connection ends before the answer",
    ["test_providers.py::test_a_lost_answer_is_confirmed_by_the_callback_and_not_paid_twice"],
)
def dropped(bench: Bench, provider: str) -> Sequence[Run]:
    def play(role: str, world: World) -> None:
        dropped = {"drop_connection": True, "after": True}
        world.dials(fail_next=[{"call": call, **dropped} for call in calls_of(world, role)])
        scenes.file(world)

    return [Run(role, partial(play, role)) for role in ROLES]


@ROOM.row(
    "a job never ends",
    "the vendor works for ever at a job; at the ceiling it fails, and an operator has another one submitted",
    ["test_branches.py::test_a_job_that_never_ends_reaches_the_ceiling"],
)
def never_ends(world: World) -> None:
    world.dials(job_never_ends=True)
    scenes.file(world)
    world.settle()
    world.dials(job_never_ends=False)
    world.retry(**{"from": "media"})


@ROOM.row(
    "the link expires",
    "the vendor reads the media object later than its link is valid",
    ["test_branches.py::test_expired_link_leads_to_a_new_one_in_a_new_transaction"],
    fits=reads_by_link,
    exempt=[Exempt("a job belongs to its link, and fails with it: another one gets a new link", Counts(paid_twice=1))],
)
def link_expires(world: World) -> None:
    world.dials(link_expired_next=1)
    scenes.file(world)
