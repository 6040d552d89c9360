"""Starts the local cloud with IAM enforced and prepares it for CDK.

The first start makes a key for the account's root, and uses it once: to create an administrator. All programs and
`cdk deploy` use the administrator's key. The local cloud knows no other root, and verifies all signatures.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from sandbox.cloud.emulator.doors import ROOT_KEY_VARIABLE, new_root_key
from sandbox.cloud.emulator.evaluations import FOLDER_VARIABLE
from sandbox.cloud.emulator.restarts import CALLS_VARIABLE
from sandbox.cloud.local_stack import client
from sandbox.cloud.location import PROJECT, REGION, Location
from sandbox.cloud.processes import Process, Supervisor
from sandbox.doors import CONTROL_KEY_VARIABLE

START_SECONDS = 30
WORKERS_VARIABLE = "LAMBDA_ACCOUNT_CONCURRENCY"
"""How many calls of functions run at once; ministack reads it."""
_ADMINISTRATOR = "local-administrator"
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class StartError(Exception):
    """A part of the local stack did not start. The text says which one, why, and where to read more."""


@dataclass(frozen=True)
class LocalCloud:
    """The address of the local cloud, and its administrator's key."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str

    def client(self, service: str, **credentials: str) -> Any:
        """Return a boto3 client, with the administrator's key unless other `credentials` are given."""
        return client(
            service,
            **{
                "endpoint_url": self.endpoint_url,
                "region_name": REGION,
                "aws_access_key_id": self.access_key_id,
                "aws_secret_access_key": self.secret_access_key,
                **credentials,
            },
        )

    def environment(self) -> dict[str, str]:
        """Return the environment of a program that must reach this cloud and no other."""
        return {
            **plain_environment(),
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def plain_environment() -> dict[str, str]:
    """Return the user's environment without its variables for AWS, and without a proxy for loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "POWERTOOLS_"))}
    return {**kept, "NO_PROXY": "localhost,127.0.0.1", "no_proxy": "localhost,127.0.0.1"}


def start_local_cloud(
    supervisor: Supervisor,
    location: Location,
    python: Path,
    control_key: str,
    administrator: LocalCloud | None = None,
) -> LocalCloud:
    """Start the local cloud and wait until it answers. `control_key` opens the routes that configure it.

    It has the state that it saved when it ended, and then this `administrator`. Otherwise create one.

    Raises:
        StartError: the process ended, or does not answer within START_SECONDS.
    """
    for folder in (location.scratch, location.state):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    root_key = "" if administrator else new_root_key()
    of_system = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT")
    inherited = (*of_system, FOLDER_VARIABLE, CALLS_VARIABLE, WORKERS_VARIABLE)
    process = supervisor.start(
        "local cloud",
        [str(python), "-m", "sandbox.cloud.emulator"],
        # Lambda functions inherit this environment: it has what Lambda would have, and what ministack reads.
        env={name: os.environ[name] for name in inherited if name in os.environ}
        | {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(location.cloud_port),
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": location.endpoint_url,
            "SANDBOX_URL": location.sandbox_url,
            CONTROL_KEY_VARIABLE: control_key,
            ROOT_KEY_VARIABLE: root_key,
            "TMPDIR": str(location.scratch),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(location.saved_services),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(location.state / "objects"),
            "IOT_MTLS_ENABLED": "false",
            "SFTP_ENABLED": "false",
        },
        cwd=PROJECT,
        log=location.log("local-cloud"),
    )
    ready = f"http://127.0.0.1:{location.cloud_port}/_ministack/ready"
    wait_until_ready(supervisor, process, ready, location.log("local-cloud"))
    return administrator or _administered(location.endpoint_url, root_key)


def wait_until_ready(supervisor: Supervisor, process: Process, url: str, log: Path) -> None:
    """Wait for HTTP 200. Raises StartError if the process ends, or does not answer so within START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while True:
            if supervisor.returncode(process) is not None:
                raise StartError(f"The {process.name} ended while starting. {last_lines(log)}")
            try:
                if session.get(url, timeout=2).status_code == 200:
                    return
            except requests.ConnectionError:
                pass  # not listening yet
            if time.monotonic() > deadline:
                raise StartError(f"The {process.name} does not answer after {START_SECONDS} s. {last_lines(log)}")
            time.sleep(0.05)


def last_lines(log: Path, count: int = 15) -> str:
    """Return the end of a log with a heading, for an error message."""
    lines = log.read_text(errors="replace").splitlines()[-count:] if log.exists() else []
    return "\n".join([f"Its log, {log}, ends with:", *(f"  {line}" for line in lines)])


def _administered(endpoint_url: str, root_key: str) -> LocalCloud:
    key_id, _, secret = root_key.partition(":")
    iam = LocalCloud(endpoint_url, key_id, secret).client("iam")
    iam.create_user(UserName=_ADMINISTRATOR)
    iam.put_user_policy(UserName=_ADMINISTRATOR, PolicyName="everything", PolicyDocument=json.dumps(_EVERYTHING))
    key = iam.create_access_key(UserName=_ADMINISTRATOR)["AccessKey"]
    return LocalCloud(endpoint_url, key["AccessKeyId"], key["SecretAccessKey"])


def bootstrap(cloud: LocalCloud, template: Mapping[str, Any]) -> None:
    """Deploy CDK's bootstrap template, which `cdk deploy` needs.

    Raises:
        StartError: the local cloud refuses the template.
    """
    # This policy denies requests without TLS, and loopback has no TLS.
    resources = {name: body for name, body in template["Resources"].items() if name != "StagingBucketPolicy"}
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName="CDKToolkit",
        TemplateBody=json.dumps({**template, "Resources": resources}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "FileAssetsBucketKmsKeyId", "ParameterValue": "AWS_MANAGED_KEY"}],
    )
    status = _settled(lambda: cloudformation.describe_stacks(StackName="CDKToolkit")["Stacks"][0]["StackStatus"])
    if status != "CREATE_COMPLETE":
        raise StartError(
            f"CDK's bootstrap stack ended as {status}. Read the log of the local cloud, then run the command again."
        )


def _settled(status: Callable[[], str]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while (current := status()).endswith("_IN_PROGRESS") and time.monotonic() < deadline:
        time.sleep(0.1)
    return current
