"""The running local stack as a program sees it: where it is, how to call it."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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

from sandbox.cloud.processes import Process, is_running

REQUEST_TIMEOUT_SECONDS = 35
_one_at_a_time = threading.Lock()
# The user's own profile and files are meant for AWS.
_NO_USER_FILES: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True)
class LocalStack:
    """What `stack.json` holds, and calls with its credentials.

    `context` are the settings that the stack was deployed with, as given; `processes` are what keeps it up.
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

    @classmethod
    def load(cls, file: Path) -> Self:
        """Raises FileNotFoundError when no stack was left running."""
        fields = json.loads(file.read_text())
        return cls(**{**fields, "processes": tuple(Process(**process) for process in fields["processes"])})

    def save(self, file: Path) -> None:
        """Only for its user: it holds the key of the local cloud."""
        part = file.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(asdict(self), indent=2) + "\n")
        part.rename(file)

    def runs(self) -> bool:
        return all(is_running(process) for process in self.processes)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the local cloud, as its administrator unless `options` bring other credentials."""
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
        """Call the HTTP API; `json` becomes the body, or `data` as it is. Any status comes back, none raises."""
        body = _encoded(json) if json is not None else data
        given = {**({"content-type": "application/json"} if body is not None else {}), **(headers or {})}
        request = AWSRequest(method, self.api_url + path, headers=given, data=body)
        if signed:
            credentials = Credentials(self.access_key_id, self.secret_access_key)
            SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
        return _request(method, self.api_url + path, headers=dict(request.headers), data=body)

    def set_wait_scale(self, scale: float) -> None:
        """Let every Wait state last `scale` of what it says."""
        answer = _request(
            "POST", self.endpoint_url + "/_ministack/config", json={"stepfunctions._SFN_WAIT_SCALE": scale}
        )
        answer.raise_for_status()

    def dials(self, **changes: Any) -> Any:
        """Turn dials of the stand-ins, by vendor: `dials(agora={"speed": 8})`; gives all dials as they are then.

        Raises:
            ValueError: a dial that does not exist or does not take this value.
        """
        return self._sandbox("PUT", "/dials", json=changes)

    def reset_dials(self) -> Any:
        """All dials back to their defaults."""
        return self._sandbox("POST", "/dials/reset")

    def ledger(self) -> Any:
        """What the stand-ins were asked, and what of it their vendors would have billed."""
        return self._sandbox("GET", "/ledger")

    def reset_ledger(self) -> Any:
        """Forget what was asked so far."""
        return self._sandbox("POST", "/ledger/reset")

    def _sandbox(self, method: str, path: str, **options: Any) -> Any:
        answer = _request(method, self.sandbox_url + path, **options)
        if answer.status_code == 400:
            raise ValueError(answer.json()["error"])
        answer.raise_for_status()
        return answer.json()


def client(service: str, **options: Any) -> Any:
    """A boto3 client that reaches loopback directly, whatever proxy and profile the user has set."""
    config = Config(proxies={}, retries={"total_max_attempts": 2}).merge(options.pop("config", None) or Config())
    with _one_at_a_time:  # making clients is the part of a session that threads cannot share
        return _session().client(service, config=config, **options)


@lru_cache(maxsize=1)
def _session() -> Any:
    """Kept: what makes a client slow is reading the service's model, which the session remembers."""
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=_NO_USER_FILES))


def _encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def _request(method: str, url: str, **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        return session.request(method, url, timeout=REQUEST_TIMEOUT_SECONDS, **options)
