"""The stand-ins as they are served on loopback let no web page in, and to their controls only with their key."""

from collections.abc import Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.doors import CONTROL_KEY_HEADER, new_control_key, opens, take_secret
from sandbox.stand_ins.app import create_app
from sandbox.stand_ins.doors import close_doors
from tests.sandbox.conftest import StandIns

KEY = new_control_key()
CONTROLS = [
    ("GET", "/dials"),
    ("PUT", "/dials"),
    ("POST", "/dials/reset"),
    ("GET", "/ledger"),
    ("POST", "/ledger/reset"),
]


@pytest.fixture
def served(stand_ins: StandIns) -> FlaskClient:
    return close_doors(create_app(stand_ins.runtime), KEY).test_client()


def ask(served: FlaskClient, method: str, path: str, **headers: str) -> Any:
    given = {"Host": "localhost:9000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return served.open(path, method=method, headers=given, json={})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example:9000"},
        {"Host": "localhost:9000@evil.example"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/dials", "/health", "/agora/v1/apps/a/cloud_recording/acquire", "/deepgram/v1/listen"]
)
def test_a_request_of_a_web_page_is_refused(served: FlaskClient, headers: Mapping[str, str], path: str) -> None:
    answer = ask(served, "POST", path, **{CONTROL_KEY_HEADER: KEY, **headers})
    assert (answer.status_code, "The stand-ins refuse this" in answer.json["error"]) == (403, True)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:9000", "[::1]:9000"])
def test_vendors_are_reached_by_the_names_of_loopback(served: FlaskClient, host: str) -> None:
    answer = ask(served, "GET", "/health", Host=host, Sec_Fetch_Site="none")
    assert (answer.status_code, answer.json) == (200, {"ok": True})
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(("method", "path"), CONTROLS)
def test_the_controls_want_their_key(served: FlaskClient, method: str, path: str) -> None:
    assert ask(served, method, path, **{CONTROL_KEY_HEADER: KEY}).status_code == 200
    for key in ("", "guessed", KEY[:-1], f"{KEY}ü"):
        assert ask(served, method, path, **{CONTROL_KEY_HEADER: key}).status_code == 403
    assert ask(served, method, path).status_code == 403


def test_without_a_control_key_the_controls_are_closed() -> None:
    assert not opens({CONTROL_KEY_HEADER: ""}, "")


def test_a_secret_of_the_environment_is_taken_once() -> None:
    environment = {"KEY": "secret", "PATH": "/bin"}
    assert take_secret(environment, "KEY") == "secret"
    assert environment == {"PATH": "/bin"}
    assert take_secret(environment, "KEY") == ""
