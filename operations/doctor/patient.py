"""A deployed stage as the doctor reaches it: outputs, clients of AWS, the API, and plain HTTP."""

import shlex
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from botocore.config import Config

from operations.deployed_stack import Clients

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LOCAL = "local"
AT_ONCE = 8
"""Checks, or calls of one check, that run side by side."""
IMPATIENT = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
"""Limits of the clients: a service that does not answer delays its checks, not the whole examination."""

T = TypeVar("T")
R = TypeVar("R")


class Answer(Protocol):
    """An answer of HTTP; `requests.Response` is one."""

    @property
    def status_code(self) -> int: ...

    @property
    def text(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError."""


class Access(Protocol):
    """Whether a vendor accepts credentials. `what` is a sentence without a secret.

    `verdict` is `accepted`, `refused`, `no_credit`, `unreachable` or `unknown`.
    """

    @property
    def verdict(self) -> str: ...

    @property
    def what(self) -> str: ...


@dataclass(frozen=True)
class Patient:
    """A stage, and all that the doctor may use to examine it. Every collaborator may be called from several threads.

    - `client(service, config=…)` makes clients of boto3, one at a time. `table_of` makes boto3's resource of a table.
    - `call_api(method, path)` calls the stage's API as the operator. `http(method, url)` makes a plain request without
      credentials and follows no redirect. Both return an answer of any status, and raise OSError if there is none.
    - `check_access(vendor, secret)` makes a free call to a vendor: `agora`, or a provider by its name.
    - `missing_keys(name, secret)` returns the keys that a secret lacks, by the last part of the secret's name.
    - `settings` are those of the stage's file and `deployed` those of the deployed template, both as texts by key;
      None if there is no such file, or if an earlier version deployed the stage. The versions are those of the code
      that runs now and of the code that was deployed; None if unknown.
    """

    stage: str
    outputs: Mapping[str, str]
    client: Clients
    table_of: Callable[[str], "Table"]
    call_api: Callable[[str, str], Answer]
    http: Callable[[str, str], Answer]
    check_access: Callable[[str, Mapping[str, Any]], Access]
    missing_keys: Callable[[str, Mapping[str, Any]], Sequence[str]]
    now: Callable[[], datetime]
    settings: Mapping[str, str] | None = None
    deployed: Mapping[str, str] | None = None
    version: str | None = None
    deployed_version: str | None = None
    _making: Any = field(default_factory=threading.Lock, repr=False, compare=False)
    _kept: "_Kept" = field(default_factory=lambda: _Kept(), repr=False, compare=False)

    def anew(self) -> "Patient":
        """Return the same stage, of which nothing was read yet."""
        return replace(self, _kept=_Kept())

    @property
    def is_local(self) -> bool:
        """Whether this is the stage on a laptop, in whose cloud some things do not exist."""
        return self.stage == LOCAL

    @property
    def stack_name(self) -> str:
        return f"RecordingInsights-{self.stage}"

    @property
    def region(self) -> str:
        """The region of the clients."""
        return str(self.aws("sts").meta.region_name)

    @property
    def partition(self) -> str:
        """The partition of AWS, such as `aws` or `aws-cn`."""
        return self.outputs["WorkflowArn"].split(":")[1]

    def aws(self, service: str) -> Any:
        """Return the one client of a service. boto3's clients may be used by several threads, but not made by them."""
        return self._kept.once(service, lambda: self.new_client(service))

    def new_client(self, service: str, config: Config | None = None) -> Any:
        """Make another client of a service, with a configuration of its own."""
        with self._making:
            return self.client(service, config=IMPATIENT.merge(config or Config()))

    def table(self) -> "Table":
        """Return boto3's resource of the insights table. Each check makes its own: resources belong to one thread."""
        with self._making:
            return self.table_of(self.outputs["InsightsTableName"])

    def physical_ids(self, resource_type: str) -> Sequence[str]:
        """Return the physical ids of the stack's resources of a type, such as `AWS::Events::Rule`."""
        return [each["PhysicalResourceId"] for each in self._resources() if each["ResourceType"] == resource_type]

    def read(self, path: str) -> Answer:
        """Return the API's answer to a GET, which is made once."""
        return self._kept.once(f"GET {path}", lambda: self.call_api("GET", path))

    def created_at(self) -> datetime:
        """Return when the stack was created."""
        [stack] = self.aws("cloudformation").describe_stacks(StackName=self.stack_name)["Stacks"]
        created: datetime = stack["CreationTime"]
        return created

    def setting(self, key: str) -> str | None:
        """Return the text of a setting as it is deployed, or as the stage's file has it; None if neither is known."""
        known = self.deployed if self.deployed is not None else self.settings
        return known.get(key) if known is not None else None

    @property
    def knows_settings(self) -> bool:
        return self.deployed is not None or self.settings is not None

    def _resources(self) -> Sequence[Mapping[str, Any]]:
        def read() -> Sequence[Mapping[str, Any]]:
            pages = self.aws("cloudformation").get_paginator("list_stack_resources")
            found = pages.paginate(StackName=self.stack_name)
            return [each for page in found for each in page["StackResourceSummaries"] if "PhysicalResourceId" in each]

        return self._kept.once("resources of the stack", read)


class _Kept:
    """Makes each thing once, at its first use. What fails is tried again at the next use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._values: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made under this name. Whoever wants it meanwhile waits; other names go on."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._values:
                self._values[name] = make()
            kept: T = self._values[name]
            return kept


def side_by_side(call: Callable[[T], R], values: Iterable[T]) -> list[R]:
    """Return what the calls return, in the order of the values. Raises what the first call that fails raises."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(call, values))


def command(*words: str) -> str:
    """Return a command as a shell takes it."""
    return shlex.join(words)


def recordings(patient: Patient, *words: str) -> str:
    """Return a command of the command line for this stage, as a shell takes it."""
    return command("recordings", *words, "--stage", patient.stage)
