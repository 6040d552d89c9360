"""A bench for all tests of a process: the definitions are made once."""

from collections.abc import Iterator

import pytest

from tests.faults.bench import Bench


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """Forbid calls to the network."""


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """Makes worlds."""
    bench = Bench()
    yield bench
    bench.close()
