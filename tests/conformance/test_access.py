"""The check of credentials, against the stand-ins: each accepts its own keys only, and books nothing."""

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from operations.vendor_access import VENDORS, Access, check_access
from recording_insights.providers.registry import PROVIDERS, verifies_access
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.credentials import credentials
from sandbox.stand_ins.runtime.quotes import FORMS
from sandbox.stand_ins.runtime.runtime import Runtime
from tests.conformance.scene import Ears
from tests.stand_in_session import HOST, stand_in_session
from tests.transcribe_in_process import LocalCloud, boto3_client

SECRETS = credentials()
CALLED = [name for name in VENDORS if name not in PROVIDERS or verifies_access(name)]
"""Of a provider without such a call nothing is known."""
WRONG = "a-wrong-value-0123456789"


@pytest.fixture
def world() -> Iterator[Runtime]:
    world = create_runtime(Ears())
    yield world
    world.close()


@pytest.fixture
def stand_ins(world: Runtime, cloud: LocalCloud) -> FlaskClient:
    return create_app(world).test_client()


def check(stand_ins: FlaskClient, vendor: str, **wrong: str) -> Access:
    def aws(service: str, **options: Any) -> Any:
        return boto3_client(stand_ins)

    secret = {**SECRETS.get(vendor, {}), **wrong}
    return check_access(vendor, secret, base_url=f"{HOST}/{vendor}", http=stand_in_session(stand_ins), client=aws)


def calls_of(world: Runtime) -> list[str]:
    return [line["call"] for line in world.ledger.as_json()["lines"]]


@pytest.mark.parametrize("vendor", CALLED)
def test_the_right_keys(vendor: str, stand_ins: FlaskClient, world: Runtime) -> None:
    found = check(stand_ins, vendor)
    # SeaMeet documents no call that proves it.
    assert found.verdict == ("unknown" if vendor == "seameet" else "accepted"), found
    [call] = calls_of(world)
    assert call.startswith(f"{vendor}.")
    assert world.ledger.as_json()["paid"] == {}


@pytest.mark.parametrize(
    ("vendor", "key"), [(vendor, key) for vendor in CALLED if vendor in SECRETS for key in SECRETS[vendor]]
)
def test_a_wrong_key(vendor: str, key: str, stand_ins: FlaskClient, world: Runtime) -> None:
    found = check(stand_ins, vendor, **{key: WRONG})
    assert found.verdict == "refused", found
    assert not any(value in found.what for value in (WRONG, *SECRETS[vendor].values()))
    assert len(calls_of(world)) == 1, "a refusal is not repeated"


@pytest.mark.parametrize("vendor", CALLED)
def test_faults_and_a_hostile_vendor(vendor: str, stand_ins: FlaskClient, world: Runtime) -> None:
    check(stand_ins, vendor)
    [call] = calls_of(world)
    world.dials.change({"fail_next": [{"call": call, "drop_connection": True}]})
    assert check(stand_ins, vendor).verdict == "unreachable"
    for status, form in itertools.product((200, 400, 401, 402, 403), FORMS):
        world.dials.change({"fail_next": [{"call": call, "status": status, "quotes": form}]})
        found = check(stand_ins, vendor)
        assert not any(value in unquote(found.what) for value in SECRETS.get(vendor, {}).values()), found
        assert found.what.isprintable()
