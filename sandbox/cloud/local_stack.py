"""A local stack that runs, for programs: its addresses, and how to call it."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import boto3
import botocore.session
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from sandbox.cloud.emulator.alarms import ALARM_SCALE
from sandbox.cloud.emulator.executions import TOKEN_SCALE
from sandbox.cloud.processes import Process, is_running
from sandbox.doors import CONTROL_KEY_HEADER, new_control_key

REQUEST_TIMEOUT_SECONDS = 35
_one_at_a_time = threading.Lock()
# The user's profile and files are for AWS.
_NO_USER_FILES: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True)
class LocalStack:
    """The content of `stack.json`, and calls with its credentials.

    `context` has the settings that the stack was deployed with. `processes` are those that keep the stack up.
    `sources` has a digest of the code that each part of the stack runs. `control_key` opens the routes that configure
    the local cloud and the stand-ins.
    """

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    api_url: str
    sandbox_url: str
    outputs: Mapping[str, str]
    context: Mapping[str, str]
    processes: tuple[Process, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    control_key: str = field(default_factory=new_control_key)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read stack.json. Raises FileNotFoundError if no stack was left running."""
        fields = json.loads(file.read_text())
        return cls(**{**fields, "processes": tuple(Process(**process) for process in fields["processes"])})

    def save(self, file: Path) -> None:
        """Write stack.json, readable by its owner only: it holds the keys of the local cloud."""
        part = file.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(asdict(self), indent=2) + "\n")
        part.rename(file)

    def runs(self) -> bool:
        """Whether all its processes are alive."""
        return all(is_running(process) for process in self.processes)

    def environment(self) -> Mapping[str, str]:
        """Return the variables with which programs and AWS's own tools reach this stack, by name."""
        return {
            "API_URL": self.api_url,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client of the local cloud, with its administrator's key unless `options` have another."""
        return client(
            service,
            **{
                "endpoint_url": self.endpoint_url,
                "region_name": self.region,
                "aws_access_key_id": self.access_key_id,
                "aws_secret_access_key": self.secret_access_key,
                **options,
            },
        )

    def call_api(
        self,
        method: str,
        path: str,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
        data: bytes | None = None,
    ) -> requests.Response:
        """Call the HTTP API with the body `json`, or with the bytes `data`. No status raises."""
        body = _encoded(json) if json is not None else data
        given = {**({"content-type": "application/json"} if body is not None else {}), **(headers or {})}
        request = AWSRequest(method, self.api_url + path, headers=given, data=body)
        if signed:
            credentials = Credentials(self.access_key_id, self.secret_access_key)
            SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
        return _request(method, self.api_url + path, headers=dict(request.headers), data=body)

    def set_wait_scale(self, scale: float) -> None:
        """Multiply the duration of every Wait state and every Retry interval by `scale`, 0 or more.

        The scale acts at once, also on waits that are under way: 0 ends them. Time-outs of tasks are not scaled.

        Raises:
            ValueError: `scale` is negative.
        """
        self._set_scale("wait", "stepfunctions._SFN_WAIT_SCALE", scale)

    def set_token_scale(self, scale: float) -> None:
        """Multiply the TimeoutSeconds of the tasks that wait for a token by `scale`, 0 or more, for waits from now on.

        Raises:
            ValueError: `scale` is negative.
        """
        self._set_scale("token", TOKEN_SCALE, scale)

    def set_alarm_scale(self, scale: float) -> None:
        """Multiply the periods of alarms by `scale`, 0 or more. No period is shorter than 2 s.

        The minute after which SQS reports its metrics is scaled too. A change acts at once.

        Raises:
            ValueError: `scale` is negative.
        """
        self._set_scale("alarm", ALARM_SCALE, scale)

    def _set_scale(self, name: str, setting: str, scale: float) -> None:
        answer = self.control("POST", self.endpoint_url + "/_ministack/config", json={setting: scale})
        answer.raise_for_status()
        if answer.json()["applied"] != {setting: scale}:
            raise ValueError(f"The {name} scale cannot be {scale}: give a number from 0.")

    def control(self, method: str, url: str, **options: Any) -> requests.Response:
        """Call a route of the local cloud or the stand-ins that wants the control key. No status raises."""
        return _request(method, url, headers={CONTROL_KEY_HEADER: self.control_key}, **options)

    def dials(self, **changes: Any) -> Any:
        """Change dials of the stand-ins, by vendor: `dials(agora={"speed": 8})`. Return all dials.

        Raises:
            ValueError: the dial does not exist, or does not accept this value.
        """
        return self._sandbox("PUT", "/dials", json=changes)

    def reset_dials(self) -> Any:
        """Set all dials back to their defaults."""
        return self._sandbox("POST", "/dials/reset")

    def ledger(self) -> Any:
        """Return the calls that the stand-ins received, and the work that their vendors would have billed."""
        return self._sandbox("GET", "/ledger")

    def reset_ledger(self) -> Any:
        """Empty the ledger."""
        return self._sandbox("POST", "/ledger/reset")

    def _sandbox(self, method: str, path: str, **options: Any) -> Any:
        answer = self.control(method, self.sandbox_url + path, **options)
        if answer.status_code == 400:
            raise ValueError(answer.json()["error"])
        answer.raise_for_status()
        return answer.json()


def client(service: str, **options: Any) -> Any:
    """Return a boto3 client that reaches loopback directly and ignores the user's proxy and profile."""
    config = Config(proxies={}, retries={"total_max_attempts": 2}).merge(options.pop("config", None) or Config())
    with _one_at_a_time:  # threads must not create clients of one session at the same time
        return _session().client(service, config=config, **options)


@lru_cache(maxsize=1)
def _session() -> Any:
    """One session for all clients: it caches the models of the services, which are slow to read."""
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=_NO_USER_FILES))


def _encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def _request(method: str, url: str, **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        return session.request(method, url, timeout=REQUEST_TIMEOUT_SECONDS, **options)
