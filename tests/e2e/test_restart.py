"""`make down` and `make up` under recordings in flight: nothing is lost, and nothing is paid twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.terminal.phases import Phases
from sandbox.cloud import context
from sandbox.cloud.lifecycle import bring_down, bring_up
from sandbox.cloud.lifecycle import drop as drop_stack
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import Location
from sandbox.stand_ins.vendors.registry import vendors
from tests.deployed import HELD, drop, jobs_paid, recording_of, start_afresh, until, until_ended

pytestmark = pytest.mark.matrix

BY_CALLBACK, POLLED = "symbl", "marsview"


@pytest.fixture(autouse=True)
def fresh_stand_ins() -> None:
    """These tests bring a stack of their own."""


@pytest.fixture
def location(tmp_path: Path) -> Iterator[Location]:
    location = Location.free(tmp_path / "local")
    yield location
    drop_stack(location)


def media(clip: Path, number: int) -> bytes:
    """The clip with a box that is to be skipped, so that no two have the same content."""
    return clip.read_bytes() + (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")


def paid(stack: LocalStack) -> int:
    jobs = jobs_paid(stack)
    return sum(int(jobs.get(vendor.paid, 0)) for vendor in vendors().values())


def test_twenty_recordings_in_flight_go_on_after_down_and_up(location: Location, clip: Path) -> None:
    """Some wait for a callback, some for their next poll, and some have just arrived: their functions are at work."""
    stack = bring_up(location, context.tests_context(), Phases())
    start_afresh(stack)
    stack.set_wait_scale(HELD)
    stack.dials(**{name: {"job_seconds": 5.0, "look_waits": True} for name in (BY_CALLBACK, POLLED)})
    keys = [drop(stack, media(clip, n), f"via/{(BY_CALLBACK, POLLED)[n % 2]}/{n}.mp4") for n in range(12)]
    waiting = [recording_of(stack, key) for key in keys]
    until(lambda: paid(stack) == len(waiting), "a paid job of each")
    keys = [drop(stack, media(clip, n), f"via/{(BY_CALLBACK, POLLED)[n % 2]}/{n}.mp4") for n in range(12, 20)]
    busy = [recording_of(stack, key) for key in keys]

    bring_down(location)
    again = bring_up(location, context.tests_context(), Phases())

    assert (again.access_key_id, again.api_url, again.sandbox_url) == (
        stack.access_key_id,
        stack.api_url,
        stack.sandbox_url,
    )
    again.set_wait_scale(0.002)
    again.set_token_scale(0.05)
    ended = [until_ended(again, recording_id) for recording_id in (*waiting, *busy)]
    assert [recording["status"] for recording in ended] == ["done"] * 20
    assert paid(again) == 20
