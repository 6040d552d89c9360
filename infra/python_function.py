"""A Lambda function in Python: the shared zip, its own role with exactly the actions given, its own log group."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.log_group import log_group
from infra.settings import StackSettings

FUNCTIONS = Path(__file__).parent.parent / "functions"
RUNTIME = lambda_.Runtime.PYTHON_3_14
# Powertools ships a documentation page for browsers; it is a third of its size.
UNUSED = ("aws_lambda_powertools/event_handler/openapi/swagger_ui", "bin")


class PythonFunction(Construct):
    """One file of functions/ as a Lambda function.

    `statements` are all that its role may do beside writing its own log. `dead_letters` takes the events of an
    asynchronous caller that failed three times.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StackSettings,
        module: str,
        description: str,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        timeout: cdk.Duration,
        memory_mb: int = 512,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.timeout = timeout
        self.log_group = log_group(self, "Log", settings)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {module} may do",
        )
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{module}.handler",
            code=shared_code(),
            description=description,
            environment={**environment, "POWERTOOLS_SERVICE_NAME": module, "POWERTOOLS_LOG_LEVEL": "INFO"},
            role=self.role.without_policy_updates(),
            log_group=self.log_group,
            timeout=timeout,
            memory_size=memory_mb,
            dead_letter_queue=dead_letters,
            retry_attempts=2 if dead_letters else None,
        )
        write_log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
        )
        send = [
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn])
            for queue in (dead_letters,)
            if queue
        ]
        policy = iam.Policy(self, "Policy", statements=[write_log, *send, *statements])
        policy.attach_to_role(self.role)
        self.function.node.add_dependency(policy)


def shared_code() -> lambda_.Code:
    """The shared zip: functions/ with the wheels of its requirements, built without Docker."""
    return lambda_.Code.from_asset(
        str(FUNCTIONS),
        exclude=["**/__pycache__"],
        asset_hash_type=cdk.AssetHashType.SOURCE,
        bundling=cdk.BundlingOptions(image=cdk.DockerImage.from_registry("none"), local=_PipBundling()),
    )


@jsii.implements(cdk.ILocalBundling)
class _PipBundling:
    """Installs pure-Python wheels only, so that one zip runs on arm64 Lambda and on any laptop."""

    def try_bundle(self, output_dir: str, *, image: Any = None, **_: Any) -> bool:
        requirements = FUNCTIONS / "requirements.txt"
        wheels = _wheels_for(requirements)
        shutil.copytree(wheels, output_dir, dirs_exist_ok=True)
        shutil.copytree(
            FUNCTIONS, output_dir, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.txt")
        )
        return True


def _wheels_for(requirements: Path) -> Path:
    """Installed once per content of the requirements file: a synth needs no network after the first."""
    digest = hashlib.sha256(requirements.read_bytes() + RUNTIME.name.encode()).hexdigest()[:16]
    target = FUNCTIONS.parent / ".local" / "wheels" / digest
    if target.exists():
        return target
    building = target.with_suffix(".part")
    shutil.rmtree(building, ignore_errors=True)
    subprocess.run(  # noqa: S603 - fixed arguments
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
            *("--platform", "any", "--implementation", "py", "--abi", "none", "--only-binary=:all:"),
            *("--python-version", RUNTIME.name.removeprefix("python")),
            *("--requirement", str(requirements), "--target", str(building)),
        ],
        check=True,
    )
    for path in UNUSED:
        shutil.rmtree(building / path, ignore_errors=True)
    building.rename(target)
    return target
