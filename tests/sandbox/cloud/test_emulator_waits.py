"""The wait scale: it multiplies waits and retry intervals, it acts at once, and it leaves time-outs alone."""

from collections.abc import Iterator

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.machines import create_machine, ended, entered, start

THOUSAND_SECONDS = {"Wait": {"Type": "Wait", "Seconds": 1000, "End": True}}


@pytest.fixture(autouse=True)
def unscaled(emulator: LocalStack) -> Iterator[None]:
    emulator.set_wait_scale(1)
    yield
    emulator.set_wait_scale(0)


@pytest.mark.parametrize("scale", [0.0001, 0])
def test_a_change_of_the_scale_ends_the_waits_under_way(emulator: LocalStack, scale: float) -> None:
    machine = create_machine(emulator, THOUSAND_SECONDS)
    executions = [start(emulator, machine) for _ in range(3)]
    for execution in executions:
        entered(emulator, execution, "Wait")
    emulator.set_wait_scale(scale)
    assert {ended(emulator, execution)["status"] for execution in executions} == {"SUCCEEDED"}


def test_a_negative_scale_is_refused(emulator: LocalStack) -> None:
    with pytest.raises(ValueError, match="cannot be -1"):
        emulator.set_wait_scale(-1)
