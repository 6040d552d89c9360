"""Lambda functions of the local cloud, for the tests of the emulator."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.machines import create_role


def create_function(emulator: LocalStack, source: str, *rights: Mapping[str, Any], **fields: Any) -> str:
    """Create a function of one Python file, which defines `handler`. Return its name. `fields` go to CreateFunction."""
    package, name = io.BytesIO(), f"function-{uuid4().hex[:8]}"
    with zipfile.ZipFile(package, "w") as target:
        target.writestr(zipfile.ZipInfo("index.py"), source)  # the same zip for the same source
    emulator.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=create_role(emulator, "lambda", *rights),
        Code={"ZipFile": package.getvalue()},
        Timeout=30,
        **fields,
    )
    return name


def task(function: str, **fields: Any) -> Mapping[str, Any]:
    """A state that calls a function and returns its result. It is the last one unless `fields` name the `Next`."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
        **({} if "Next" in fields else {"End": True}),
        **fields,
    }
