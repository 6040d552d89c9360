"""Which stage is meant, by options, environment, and whether a local stack runs; and how its API is reached."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from cli.errors import CommandFailed, NotFound, NotReachable, NotSignedIn, UsageWrong
from cli.signers import SigV4, Token, token_from
from cli.stage import Given, LocalStackFile, Stage, choose_stage, explained

LOCAL = LocalStackFile("http://localhost:4566", "us-east-1", "key", "secret", "http://localhost:4566/api", {"A": "b"})


def chosen(
    *, stage: str | None = None, runs: bool = False, local: bool = True, environment: Mapping[str, str] | None = None
) -> Stage:
    environment = environment or {}
    given = Given.of(stage, None, None, environment)
    return choose_stage(given, environment, LOCAL if local else None, lambda _: runs)


def test_a_named_stage_wins_over_the_local_one() -> None:
    assert (chosen(stage="prod", runs=True).known_name, chosen(stage="prod", runs=True).is_local) == ("prod", False)
    assert chosen(runs=True, environment={"RECORDINGS_STAGE": "dev"}).known_name == "dev"
    assert chosen(stage="prod", runs=True, environment={"RECORDINGS_STAGE": "dev"}).known_name == "prod"


def test_without_a_name_it_is_the_local_one_if_it_runs_and_no_profile_is_set() -> None:
    assert chosen(runs=True).is_local
    for impossible in ({"runs": False}, {"local": False}, {"runs": True, "environment": {"AWS_PROFILE": "work"}}):
        with pytest.raises(UsageWrong, match=r"Which stage\?"):
            chosen(**impossible)


def test_the_local_one_can_be_named_and_has_to_run() -> None:
    assert chosen(stage="local", runs=True, environment={"AWS_PROFILE": "work"}).is_local
    with pytest.raises(NotReachable, match="make up"):
        chosen(stage="local")


def test_an_address_and_a_token_are_enough_for_the_api() -> None:
    environment = {"RECORDINGS_API_URL": "https://api.test/v1/", "RECORDINGS_TOKEN": "t0ken"}
    stage = chosen(runs=True, environment=environment)
    assert (stage.api.url, stage.is_local, stage.name) == ("https://api.test/v1", False, None)
    assert stage.api.signer.headers("GET", "https://api.test", {}, None) == {"authorization": "Bearer t0ken"}
    with pytest.raises(UsageWrong, match="name of the stage"):
        _ = stage.outputs


@pytest.mark.parametrize("address", ["api.test", "ftp://api.test", "https://", "https://u:p@api.test", "https://a b"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    stage = chosen(environment={"RECORDINGS_API_URL": address, "RECORDINGS_TOKEN": "t"})
    with pytest.raises(UsageWrong, match="begins with https://") as caught:
        _ = stage.api
    assert "u:p" not in str(caught.value)


def test_no_netrc_replaces_a_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    (tmp_path / "netrc").write_text("default login me password word")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    request = requests.Request("GET", "https://api.test", headers={"authorization": "mine"})
    stage = Stage("prod", Given("prod", None, None), {})
    assert stage.http.prepare_request(request).headers["authorization"] == "mine"


def test_the_local_stack_is_found_in_a_folder_above(tmp_path: Path) -> None:
    content = {**vars(LOCAL), "control_key": "other"}
    file = tmp_path / ".local" / "stack.json"
    file.parent.mkdir()
    file.write_text(json.dumps(content))
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert LocalStackFile.find({}, below) == LOCAL
    assert LocalStackFile.find({"RECORDINGS_LOCAL_STACK": str(tmp_path / "none")}, below) is None
    file.write_text("{")
    assert LocalStackFile.find({}, below) is None
    assert "secret" not in repr(LOCAL).replace("secret_access_key", "")


def test_outputs_that_are_missing_are_said_to_be() -> None:
    stage = chosen(runs=True)
    assert stage.output("A") == "b"
    with pytest.raises(NotFound, match="no output B"):
        stage.output("B")


class TestTokens:
    def command(self, tmp_path: Path, code: str) -> Mapping[str, str]:
        script = tmp_path / "token.py"
        script.write_text(code)
        return {"RECORDINGS_TOKEN_COMMAND": f"{sys.executable} {script}"}

    def test_one_of_a_command_is_asked_for_once_and_renewed(self, tmp_path: Path) -> None:
        count = tmp_path / "count"
        code = f"import pathlib; f = pathlib.Path({str(count)!r}); f.open('a').write('x'); print(len(f.read_text()))"
        read = token_from(self.command(tmp_path, code))
        assert read is not None
        token = Token(read)
        sent = [token.headers("GET", "", {}, None)["authorization"] for _ in range(2)]
        assert sent == ["Bearer 1", "Bearer 1"]
        assert token.renew()
        assert token.headers("GET", "", {}, None)["authorization"] == "Bearer 2"

    def test_one_of_the_environment_cannot_be_renewed(self) -> None:
        read = token_from({"RECORDINGS_TOKEN": "t"})
        assert read is not None
        assert not Token(read).renew()
        assert token_from({}) is None

    @pytest.mark.parametrize("code", ["", "print('a b')", "print('t0ken'); raise SystemExit(3)"])
    def test_a_command_without_a_token_says_so_and_not_what_it_printed(self, tmp_path: Path, code: str) -> None:
        read = token_from(self.command(tmp_path, code))
        assert read is not None
        with pytest.raises(NotSignedIn, match="gave no token") as caught:
            read[0]()
        assert "t0ken" not in str(caught.value)
        with pytest.raises(NotSignedIn):
            token_from({"RECORDINGS_TOKEN_COMMAND": "no-such-program-4711"})[0]()  # type: ignore[index]


def test_sigv4_signs_the_body_and_says_how_to_sign_in() -> None:
    signer = SigV4(lambda: Credentials("AKID", "secret", "session"), "eu-central-1")
    signed = {body: signer.headers("POST", "https://api.test/x?a=%2C", {}, body) for body in (b"1", b"2")}
    first, second = (headers["Authorization"] for headers in signed.values())
    assert "/eu-central-1/execute-api/aws4_request" in first
    assert first != second
    assert signed[b"1"]["X-Amz-Security-Token"] == "session"
    with pytest.raises(NotSignedIn, match="RECORDINGS_TOKEN"):
        SigV4(lambda: None, "eu-central-1").headers("GET", "https://api.test", {}, None)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 400, NotSignedIn),
        ("ExpiredToken", 400, NotSignedIn),
        ("InvalidClientTokenId", 403, NotSignedIn),
        ("ResourceNotFoundException", 400, NotFound),
        ("ThrottlingException", 400, CommandFailed),
    ],
)
def test_an_error_of_aws_becomes_one_of_ours(code: str, status: int, kind: type[CommandFailed]) -> None:
    answer = {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert type(explained(ClientError(answer, "GetThing"))) is kind  # type: ignore[arg-type]


def test_no_credentials_and_no_network_are_told_apart() -> None:
    assert type(explained(NoCredentialsError())) is NotSignedIn
    assert type(explained(EndpointConnectionError(endpoint_url="https://x"))) is NotReachable
