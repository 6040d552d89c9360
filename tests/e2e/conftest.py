"""The deployed stack in a known state before each test."""

from collections.abc import Iterator

import pytest

from sandbox.cloud.local_stack import LocalStack


@pytest.fixture(autouse=True)
def fresh_stand_ins(stack: LocalStack) -> Iterator[None]:
    stack.reset_dials()
    stack.reset_ledger()
    yield
    stack.set_wait_scale(0.01)
