"""The calls of AWS that the functions make: each has a name, and any of them can fail or be a function's last."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import ClientError, EndpointConnectionError

VENDOR = "vendor"
"""The service in the operation of a call that goes to the vendor, such as "vendor.POST"."""
STATE_MACHINE = "the state machine"
"""Who makes the calls that no function makes."""

_TABLE = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
    "transact_write_items": "TransactWriteItems",
}
_S3 = {
    "get_object": "GetObject",
    "put_object": "PutObject",
    "head_object": "HeadObject",
    "upload_file": "PutObject",
    "list_objects_v2": "ListObjectsV2",
}
_STATES = {
    "start_execution": "StartExecution",
    "describe_execution": "DescribeExecution",
    "send_task_success": "SendTaskSuccess",
}
_SQS = {
    "receive_message": "ReceiveMessage",
    "delete_message": "DeleteMessage",
    "start_message_move_task": "StartMessageMoveTask",
}
OPERATIONS: Mapping[str, Mapping[str, str]] = {"dynamodb": _TABLE, "s3": _S3, "states": _STATES, "sqs": _SQS}
"""The operation of each method, by service."""


class Crash(BaseException):
    """Lambda ends a function without a word."""


class Call(NamedTuple):
    """The `number`-th call of an operation by a function, from 1; `operation` is such as "dynamodb.PutItem"."""

    function: str
    operation: str
    number: int

    def __str__(self) -> str:
        return f"{self.function} {self.operation} {self.number}"

    @property
    def service(self) -> str:
        return self.operation.partition(".")[0]


@dataclass
class Fault:
    """Calls for which `hits` is true fail with `error`, `after` they took effect or before, at most so many `times`.

    `met` tells whether any has failed: a fault that never happens shows nothing.
    """

    hits: Callable[[Call], bool]
    error: Callable[[Call], BaseException]
    after: bool = False
    times: float = float("inf")
    met: bool = False

    def meet(self, call: Call, *, after: bool) -> None:
        """Raise the error if this call is to fail at this moment."""
        if after == self.after and self.times > 0 and self.hits(call):
            self.times -= 1
            self.met = True
            raise self.error(call)


@dataclass
class Aws:
    """Passes calls on, notes them in `seen`, and lets `faults` meet them. `function` names who calls."""

    function: str = ""
    seen: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def call(self, operation: str, do: Callable[..., Any], *args: Any, **given: Any) -> Any:
        """Make a call, unless a fault prevents it."""
        self.counts[self.function, operation] += 1
        call = Call(self.function, operation, self.counts[self.function, operation])
        self.seen.append(call)
        for fault in self.faults:
            fault.meet(call, after=False)
        try:
            return do(*args, **given)
        finally:  # also after a write whose condition does not hold
            for fault in self.faults:
                fault.meet(call, after=True)

    @contextmanager
    def called_by(self, function: str) -> Iterator[None]:
        """Note calls as those of a function."""
        before, self.function = self.function, function
        try:
            yield
        finally:
            self.function = before


class Watched:
    """A client of AWS, or a table, whose calls go through `Aws`."""

    def __init__(self, inner: Any, service: str, aws: Aws) -> None:
        self._inner, self._service, self._aws = inner, service, aws

    def __getattr__(self, name: str) -> Any:
        found, operation = getattr(self._inner, name), OPERATIONS[self._service].get(name)
        if operation is None:
            return found
        return lambda *args, **given: self._aws.call(f"{self._service}.{operation}", found, *args, **given)

    @property
    def meta(self) -> SimpleNamespace:
        """A table is its own client, as `FakeTable` is."""
        return SimpleNamespace(client=self, region_name=self._inner.meta.region_name)

    @contextmanager
    def batch_writer(self) -> Iterator["Watched"]:
        yield self

    def get_paginator(self, operation: str) -> SimpleNamespace:
        pages = self._inner.get_paginator(operation).paginate

        def paginate(**given: Any) -> Iterable[Any]:
            listed: Iterable[Any] = self._aws.call("s3.ListObjectsV2", lambda: list(pages(**given)))
            return listed

        return SimpleNamespace(paginate=paginate)


def throttled(call: Call) -> Exception:
    """What a call gets that AWS throttles, after boto3's own attempts."""
    code = {"s3": "SlowDown", "dynamodb": "ProvisionedThroughputExceededException"}
    return _refused(call, code.get(call.service, "ThrottlingException"))


def denied(call: Call) -> Exception:
    """What a call gets whose right is missing."""
    return _refused(call, "AccessDeniedException")


def away(call: Call) -> Exception:
    """What a call gets that reaches nobody."""
    return _of_secrets(call, EndpointConnectionError(endpoint_url=f"https://{call.service}.test"))


def crashed(call: Call) -> BaseException:
    """The end of the function that makes the call."""
    return Crash(str(call))


def _refused(call: Call, code: str) -> Exception:
    error: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return _of_secrets(call, ClientError(error, call.operation.partition(".")[2]))


def _of_secrets(call: Call, error: Exception) -> Exception:
    """Powertools makes one class of all errors of Secrets Manager."""
    if call.service != "secretsmanager":
        return error
    made = GetParameterError(str(error))
    made.__cause__ = error
    return made
