"""The place of a local stack: its ports, and the folder of its files."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

PROJECT = Path(__file__).parent.parent.parent
TESTS_DIRECTORY = PROJECT / ".local" / "test"
"""The folder of the stack that the deployed tests use."""
REGION = "us-east-1"


class LocationError(Exception):
    """The place cannot be used. The text says why, and what to do."""


@dataclass(frozen=True)
class Location:
    """Ports and folder of one local stack. A second stack needs its own.

    `directory` holds `stack.json`, the logs and the scratch files of the local cloud.
    """

    directory: Path = PROJECT / ".local"
    cloud_port: int = 4566
    sandbox_port: int = 9000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], directory: Path | None = None) -> Self:
        """Read LOCAL_CLOUD_PORT and SANDBOX_PORT; without them the defaults count. Raises LocationError."""
        return cls(directory or cls.directory)._with_ports_of(environment)

    @classmethod
    def of_tests(cls, environment: Mapping[str, str], directory: Path | None = None) -> Self:
        """Return the place of the deployed tests' stack: the ports of the environment, otherwise free ones.

        Raises LocationError if the environment has a port that is none.
        """
        return cls.free(directory or TESTS_DIRECTORY)._with_ports_of(environment)

    @classmethod
    def free(cls, directory: Path) -> Self:
        """Return a place with two ports on which nobody listens. They are free, not reserved: use them at once."""
        with socket.socket() as cloud, socket.socket() as sandbox:
            for probe in (cloud, sandbox):  # both are open at the same time, so the ports differ
                probe.bind(("127.0.0.1", 0))
            return cls(directory.resolve(), cloud.getsockname()[1], sandbox.getsockname()[1])

    def _with_ports_of(self, environment: Mapping[str, str]) -> Self:
        return replace(
            self,
            directory=self.directory.resolve(),
            cloud_port=_port(environment, "LOCAL_CLOUD_PORT", self.cloud_port),
            sandbox_port=_port(environment, "SANDBOX_PORT", self.sandbox_port),
        )

    @property
    def endpoint_url(self) -> str:
        return f"http://localhost:{self.cloud_port}"

    @property
    def api_url(self) -> str:
        """Base URL of the deployed API: the stack asks the local cloud for the id `recordings`."""
        return f"{self.endpoint_url}/_aws/execute-api/recordings/$default"

    @property
    def sandbox_url(self) -> str:
        return f"http://localhost:{self.sandbox_port}"

    @property
    def stack_file(self) -> Path:
        return self.directory / "stack.json"

    @property
    def journal(self) -> Path:
        """The list of processes while the stack starts. Afterwards stack.json has it."""
        return self.directory / "starting.json"

    @property
    def scratch(self) -> Path:
        """The folder in which the local cloud unpacks functions. `make down` deletes it."""
        return self.directory / "scratch"

    @property
    def state(self) -> Path:
        """The folder in which the local cloud saves its state when it ends."""
        return self.directory / "state"

    @property
    def saved_services(self) -> Path:
        """The part of the state that is there only after the local cloud has saved all of it."""
        return self.state / "services"

    @property
    def kept_file(self) -> Path:
        """What stack.json was before `make down`, for the next `make up`."""
        return self.directory / "kept.json"

    def log(self, name: str) -> Path:
        return self.directory / "logs" / f"{name}.log"

    def check_ports(self, *, stand_ins: bool = True) -> None:
        """Raises LocationError if another program listens on one of the ports, that of the stand-ins only if asked."""
        if self.cloud_port == self.sandbox_port:
            raise LocationError(
                f"LOCAL_CLOUD_PORT and SANDBOX_PORT are both {self.cloud_port}: give two numbers that differ."
            )
        for port, variable, user, asked in (
            (self.cloud_port, "LOCAL_CLOUD_PORT", "the local cloud", True),
            (self.sandbox_port, "SANDBOX_PORT", "the stand-ins", stand_ins),
        ):
            if asked and not _is_free(port):
                raise LocationError(
                    f"Port {port}, meant for {user}, is taken by another program. "
                    f"End that program, or choose another port, for example: {variable}={port + 100} make up"
                )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Otherwise a port whose last connections are still closing would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _port(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise LocationError(f"{variable}={text!r} is not a port: give a number from 1 to 65535.")
    return int(text)
