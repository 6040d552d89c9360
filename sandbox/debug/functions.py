"""The deployed functions of a local stack, by the names of their modules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.local_stack import LocalStack


@dataclass(frozen=True)
class DeployedFunction:
    """A function of the stack.

    `name` is the last part of its module, such as `submit_recording`, and `module` the whole, such as
    `states.submit_recording`. `deployed_name` is Lambda's name for it. `role` is an ARN.
    """

    name: str
    module: str
    deployed_name: str
    role: str
    log_group: str
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_mb: int

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> "DeployedFunction":
        """Read what ListFunctions and GetFunctionConfiguration return."""
        module = str(configuration["Handler"]).rpartition(".")[0]
        return cls(
            name=module.rpartition(".")[2],
            module=module,
            deployed_name=configuration["FunctionName"],
            role=configuration["Role"],
            log_group=configuration["LoggingConfig"]["LogGroup"],
            environment=configuration.get("Environment", {}).get("Variables", {}),
            timeout_seconds=configuration["Timeout"],
            memory_mb=configuration["MemorySize"],
        )


def deployed_functions(stack: LocalStack) -> dict[str, DeployedFunction]:
    """Return all functions of the stack by name."""
    pages = stack.client("lambda").get_paginator("list_functions").paginate()
    # CDK's own functions, if there are any, have no module in a folder.
    found = [configuration for page in pages for configuration in page["Functions"]]
    functions = [
        DeployedFunction.of(configuration) for configuration in found if configuration["Handler"].count(".") == 2
    ]
    return {function.name: function for function in sorted(functions, key=lambda function: function.name)}
