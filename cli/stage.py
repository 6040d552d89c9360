"""Which stage a command works on, and how its API and AWS are reached."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import CommandFailed, NotFound, NotReachable, NotSignedIn, UsageWrong

if TYPE_CHECKING:
    import boto3
    import requests

    from cli.api import Api, Signer

LOCAL = "local"
STAGE_VARIABLE, API_VARIABLE, LOCAL_VARIABLE = "RECORDINGS_STAGE", "RECORDINGS_API_URL", "RECORDINGS_LOCAL_STACK"
TOKEN_VARIABLE, TOKEN_COMMAND_VARIABLE = "RECORDINGS_TOKEN", "RECORDINGS_TOKEN_COMMAND"
ANSWERS_WITHIN_SECONDS = 2.0

Answers = Callable[[str], bool]
"""Whether somebody answers at an address."""


@dataclass(frozen=True)
class LocalStackFile:
    """What a command needs of `stack.json`, which a local stack that is up has in its folder."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    api_url: str
    outputs: Mapping[str, str]

    @classmethod
    def find(cls, environment: Mapping[str, str], folder: Path) -> "LocalStackFile | None":
        """Read the file that the environment names, or `.local/stack.json` in this folder or one above it."""
        named = environment.get(LOCAL_VARIABLE)
        files = [Path(named)] if named else [at / ".local" / "stack.json" for at in (folder, *folder.parents)]
        for file in files:
            try:
                content = json.loads(file.read_text())
                return cls(**{name: content[name] for name in cls.__dataclass_fields__})
            except (OSError, ValueError, KeyError):
                continue
        return None


@dataclass(frozen=True)
class Given:
    """What the options and the environment say of the stage. Options win."""

    stage: str | None
    region: str | None
    profile: str | None
    api_url: str | None = None

    @classmethod
    def of(cls, stage: str | None, region: str | None, profile: str | None, environment: Mapping[str, str]) -> "Given":
        return cls(
            stage or environment.get(STAGE_VARIABLE) or None,
            region or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or None,
            profile or environment.get("AWS_PROFILE") or None,
            environment.get(API_VARIABLE) or None,
        )


@dataclass
class Stage:
    """A stage that is deployed, with its outputs, its API and clients of AWS, each made at its first use.

    `name` is None if only the address of the API is known. `local` is there for the local stack.
    """

    name: str | None
    given: Given
    environment: Mapping[str, str]
    local: LocalStackFile | None = None

    @property
    def is_local(self) -> bool:
        return self.local is not None

    @property
    def described(self) -> str:
        """The stage for a question: its name, account and region."""
        if self.local:
            return "the local stack"
        return f"stage {self.known_name} in account {self.account}, {self.region}"

    @property
    def known_name(self) -> str:
        """The name. Raises UsageWrong if only an address is known."""
        if self.name is None:
            raise UsageWrong(
                f"This command needs AWS and the name of the stage: give --stage, or set {STAGE_VARIABLE}."
            )
        return self.name

    @cached_property
    def aws(self) -> "boto3.Session":
        """The session of boto3. Raises NotSignedIn, UsageWrong."""
        import boto3
        import botocore.session
        from botocore.exceptions import ProfileNotFound

        if self.local:
            no_files: Any = {
                "profile": (None, None, None, None),
                "config_file": (None, None, "/dev/null", None),
                "credentials_file": (None, None, "/dev/null", None),
            }
            return boto3.Session(
                self.local.access_key_id,
                self.local.secret_access_key,
                region_name=self.local.region,
                botocore_session=botocore.session.Session(session_vars=no_files),
            )
        try:
            return boto3.Session(profile_name=self.given.profile, region_name=self.given.region)
        except ProfileNotFound as error:
            raise NotSignedIn(f"{error}. `aws configure list-profiles` shows those that there are.") from None

    @property
    def region(self) -> str:
        """The region. Raises UsageWrong if nobody said it."""
        region = self.aws.region_name
        if not region:
            raise UsageWrong("Which region? Give --region, or set AWS_REGION.")
        return str(region)

    @cached_property
    def account(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the stack. Raises CommandFailed: the stage is not deployed, or AWS refuses the call."""
        if self.local:
            return self.local.outputs
        from operations.deployed_stack import outputs_of

        return outputs_of(self.known_name, self.client)

    def output(self, name: str) -> str:
        """One output. Raises NotFound if the stage does not have it."""
        if name not in self.outputs:
            raise NotFound(f"The stage {self.name} has no output {name}: this version of the command knows more.")
        return self.outputs[name]

    def client(self, service: str, **options: Any) -> Any:
        """Make a client of a service of AWS, with the caller's credentials unless others are given."""
        from botocore.config import Config

        if not self.local:
            return self.aws.client(service, region_name=self.region, **options)  # type: ignore[call-overload]
        config = Config(proxies={}).merge(options.pop("config", None) or Config())
        endpoint = {"endpoint_url": self.local.endpoint_url, "region_name": self.local.region, "config": config}
        return self.aws.client(service, **{**endpoint, **options})  # type: ignore[call-overload]

    def table(self, name: str) -> Any:
        """Return the resource of a table of DynamoDB."""
        resource: Any = self.aws.resource
        endpoint = self.local.endpoint_url if self.local else None
        return resource("dynamodb", region_name=self.region, endpoint_url=endpoint).Table(name)

    @cached_property
    def http(self) -> "requests.Session":
        """A session of HTTP. The local stack is reached without a proxy."""
        import requests

        session = requests.Session()
        session.trust_env = not self.is_local
        return session

    @cached_property
    def api(self) -> "Api":
        """The API. Raises CommandFailed: the stage is not deployed, or nobody is signed in."""
        from cli.api import Api

        url = self.local.api_url if self.local else self.given.api_url or self.outputs["ApiUrl"]
        return Api(url, self._signer(), self.http)

    def _signer(self) -> "Signer":
        from cli.signers import SigV4, Token, token_from

        if not self.local and (read := token_from(self.environment)):
            return Token(read)
        return SigV4(lambda: self.aws.get_credentials(), self.region)


def choose_stage(given: Given, environment: Mapping[str, str], local: LocalStackFile | None, answers: Answers) -> Stage:
    """Return the stage that is meant: the named one, else the local one if it runs and no profile is set.

    Raises:
        UsageWrong: nobody said which stage.
        NotReachable: the local stack is meant and does not run.
    """
    if given.stage == LOCAL:
        if local is None or not answers(local.endpoint_url):
            raise NotReachable("The local stack does not run: `make up` starts it.")
        return Stage(LOCAL, given, environment, local)
    if given.stage or given.api_url:
        return Stage(given.stage, given, environment)
    if given.profile is None and local is not None and answers(local.endpoint_url):
        return Stage(LOCAL, given, environment, local)
    raise UsageWrong(f"Which stage? Give --stage, or set {STAGE_VARIABLE}. `make up` starts a local one.")


def somebody_answers(url: str) -> bool:
    """Whether a program listens at an address of this machine."""
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=ANSWERS_WITHIN_SECONDS):
            return True
    except OSError:
        return False


def explained(error: Exception) -> CommandFailed:
    """Return an error of AWS's SDK as one of the command line: the reason and what to do, on one line."""
    from botocore.exceptions import (
        ClientError,
        CredentialRetrievalError,
        EndpointConnectionError,
        HTTPClientError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
        SSOError,
        TokenRetrievalError,
    )

    if isinstance(error, ClientError):
        code, call = error.response["Error"]["Code"], error.operation_name
        said = str(error.response["Error"].get("Message", "")) or code
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if "AccessDenied" in code or "Unauthorized" in code:
            return NotSignedIn(f"You may not call {call}: {said}")
        if status in (401, 403) or "Token" in code or code.startswith("InvalidClientTokenId"):
            return NotSignedIn(f"AWS refuses your credentials ({code} to {call}): sign in again.")
        if "NotFound" in code or "NonExistent" in code or code.startswith("NoSuch"):
            return NotFound(f"AWS does not have what {call} asks for: {said}")
        return CommandFailed(f"AWS refused {call} ({code}): {said}")
    if isinstance(
        error,
        NoCredentialsError | PartialCredentialsError | CredentialRetrievalError | SSOError | TokenRetrievalError,
    ):
        return NotSignedIn(f"{error}. Sign in, give --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    if isinstance(error, NoRegionError):
        return UsageWrong("Which region? Give --region, or set AWS_REGION.")
    if isinstance(error, EndpointConnectionError | HTTPClientError):
        return NotReachable(f"AWS cannot be reached: {error}")
    return CommandFailed(f"The call to AWS failed: {error}")
