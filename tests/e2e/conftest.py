"""The deployed stack in a known state before each test."""

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import start_afresh


@pytest.fixture(autouse=True)
def fresh_stand_ins(stack: LocalStack) -> None:
    start_afresh(stack)
