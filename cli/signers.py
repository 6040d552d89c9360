"""How a call of the API shows who calls: a signature of AWS, or a token of the stage's issuer."""

import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.errors import NotSignedIn
from cli.stage import TOKEN_COMMAND_VARIABLE, TOKEN_VARIABLE

COMMAND_SECONDS = 60


@dataclass
class SigV4:
    """Signs with credentials of AWS. `credentials` returns those of boto3, or None."""

    credentials: Callable[[], Any]
    region: str

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Mapping[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        credentials = self.credentials()
        if credentials is None:
            raise NotSignedIn(
                "There are no AWS credentials. Sign in, give --profile, or set AWS_ACCESS_KEY_ID and "
                f"AWS_SECRET_ACCESS_KEY. Where the stage wants a JWT, set {TOKEN_VARIABLE}."
            )
        request = AWSRequest(method, url, headers=dict(headers), data=body)
        SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
        return dict(request.headers)

    def renew(self) -> bool:
        """The SDK renews credentials by itself."""
        return False


ReadToken = Callable[[], str]


@dataclass
class Token:
    """Sends a token. One that a command printed is renewed by that command."""

    read: tuple[ReadToken, bool]
    _token: str | None = field(default=None, repr=False)

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Mapping[str, str]:
        if self._token is None:
            self._token = self.read[0]()
        return {**headers, "authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        if self.read[1]:
            self._token = None
        return self.read[1]


def token_from(environment: Mapping[str, str]) -> tuple[ReadToken, bool] | None:
    """Return how the token is read and whether that can be done again; None if the environment has none."""
    token, command = environment.get(TOKEN_VARIABLE, ""), environment.get(TOKEN_COMMAND_VARIABLE, "")
    if token:
        return lambda: token, False
    if command:
        return lambda: _printed_by(command), True
    return None


def _printed_by(command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the caller's own command
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NotSignedIn(f"{TOKEN_COMMAND_VARIABLE} gave no token ({type(error).__name__}).") from None
    token = done.stdout.strip()
    if done.returncode or not token or any(character.isspace() for character in token):
        raise NotSignedIn(f"{TOKEN_COMMAND_VARIABLE} gave no token: exit code {done.returncode}.")
    return token
