"""The local cloud alone: no stand-ins, no deployed stack."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cloud.local_cloud import start_local_cloud
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import REGION, Location
from sandbox.cloud.processes import Interrupts, Supervisor
from sandbox.doors import new_control_key


@pytest.fixture(autouse=True)
def no_sockets(socket_enabled: None) -> None:
    """The tests of this folder may call the local cloud: its address is loopback."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A local cloud with the project's corrections and nothing in it, for the tests of one module."""
    location = Location(tmp_path_factory.mktemp("cloud"), cloud_port=free_port(), sandbox_port=free_port())
    location.log("local-cloud").parent.mkdir()
    control_key = new_control_key()
    with Interrupts() as interrupts:
        supervisor = Supervisor(location.journal, interrupts)
        try:
            cloud = start_local_cloud(supervisor, location, Path(sys.executable), control_key)
            yield LocalStack(
                endpoint_url=cloud.endpoint_url,
                region=REGION,
                access_key_id=cloud.access_key_id,
                secret_access_key=cloud.secret_access_key,
                api_url=location.api_url,
                sandbox_url=location.sandbox_url,
                outputs={},
                context={},
                processes=tuple(supervisor.processes),
                control_key=control_key,
            )
        finally:
            supervisor.end_all()
