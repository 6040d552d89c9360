"""The deployed API with `jwtIssuer` and `jwtAudience`: it accepts the issuer's tokens for the audience, and no others.

The issuer must be known before the deploy, but its keys only when the first token is checked. The local cloud reads
the keys of a Cognito issuer from its own address. There a public bucket with the name of the pool serves them.
"""

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from infra.openapi.operations import OPERATIONS
from infra.route_classes import CLASSES, class_of
from sandbox.cloud.lifecycle import running_stack
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import REGION, Location

pytestmark = pytest.mark.matrix

POOL = "pool-of-the-test"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
AUDIENCE = "recordings-app"
PAGE = "http://localhost:3000"
SCOPES = " ".join(f"recordings:{name}" for name in CLASSES)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def fresh_stand_ins() -> None:
    """These tests bring a stack of their own."""


@pytest.fixture(scope="module")
def by_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose API asks for tokens of ISSUER with scopes, and answers pages of PAGE."""
    location = Location.free(tmp_path_factory.mktemp("jwt"))
    context = {"jwtIssuer": ISSUER, "jwtAudience": AUDIENCE, "jwtScopes": "true", "corsOrigins": PAGE}
    with running_stack(context, location) as stack:
        publish_keys(stack)
        yield stack


def publish_keys(stack: LocalStack) -> None:
    numbers = KEY.public_key().public_numbers()
    key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": integer(numbers.n), "e": integer(numbers.e)}
    s3, name = stack.client("s3"), ".well-known/jwks.json"
    s3.create_bucket(Bucket=POOL)
    s3.put_object(Bucket=POOL, Key=name, Body=json.dumps({"keys": [key]}).encode())
    anyone = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{POOL}/*"}
    s3.delete_public_access_block(Bucket=POOL)
    s3.put_bucket_policy(Bucket=POOL, Policy=json.dumps({"Version": "2012-10-17", "Statement": [anyone]}))


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def integer(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def part(value: Mapping[str, Any]) -> str:
    return encoded(json.dumps(value).encode())


def token(key: rsa.RSAPrivateKey = KEY, **claims: Any) -> str:
    """A token of ISSUER for AUDIENCE with all scopes, good for a minute, with these claims instead."""
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "scope": SCOPES, "iat": now - 1, "exp": now + 60}
    signed = f"{part({'alg': 'RS256', 'typ': 'JWT', 'kid': '1'})}.{part({**usual, **claims})}"
    return f"{signed}.{encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def with_other_claims() -> str:
    header, _, signature = token().split(".")
    return f"{header}.{token(sub='an administrator').split('.')[1]}.{signature}"


def without_algorithm() -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': '1'})}.{token().split('.')[1]}."


def called(stack: LocalStack, authorization: str | None, path: str = "/recordings") -> requests.Response:
    headers = {"authorization": authorization} if authorization else {}
    return stack.call_api("GET", path, headers=headers, signed=False)


def test_a_token_of_the_issuer_for_the_audience_is_good(by_token: LocalStack) -> None:
    answer = called(by_token, f"Bearer {token()}")
    assert (answer.status_code, answer.json()) == (200, {"recordings": []})
    assert called(by_token, f"Bearer {token()}", "/recordings/unknown").json()["title"] == "No such recording"


@pytest.mark.parametrize(
    ("claims", "who"),
    [({}, "somebody"), ({"sub": "a\nb\u202e" + "x" * 2_000}, "a\ufffdb\ufffd" + "x" * 635 + "…")],
)
def test_the_row_names_the_subject_of_the_token(by_token: LocalStack, claims: dict[str, Any], who: str) -> None:
    headers = {"authorization": f"Bearer {token(**claims)}"}
    channel = f"who {len(claims)}"
    started = by_token.call_api("POST", "/recordings", json={"channel": channel}, headers=headers, signed=False)
    assert (started.status_code, started.json()["started_by"]) == (201, who)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_scope_opens_the_routes_of_its_class_only(by_token: LocalStack, kind: str) -> None:
    """What is allowed reaches the function, which refuses the id `x` and the body in its own way."""
    others = " ".join(["profile", *(f"recordings:{name}" for name in CLASSES if name != kind)])
    for route in (operation.route for operation in OPERATIONS):
        method, path = re.sub(r"\{\w+\}", "x", route).split(" ")
        body: dict[str, Any] | None = None if method == "GET" else {"nothing": 1}
        statuses = [
            by_token.call_api(
                method, path, json=body, headers={"authorization": f"Bearer {token(**claims)}"}, signed=False
            ).status_code
            for claims in (
                {"scope": f"recordings:{kind}"},
                {"scope": None, "scp": [f"recordings:{kind}"]},
                {"scope": others},
            )
        ]
        if class_of(route) == kind:
            assert (set(statuses[:2]) <= {200, 400, 404}, statuses[2]) == (True, 403), route
        else:
            assert statuses[:2] == [403, 403], route
    assert called(by_token, f"Bearer {token(scope='')}").status_code == 403


def test_without_a_token_nothing_is_answered(by_token: LocalStack) -> None:
    assert called(by_token, None).status_code == 401
    assert by_token.call_api("GET", "/recordings").status_code == 401  # a signature of AWS is none


def test_no_other_token_is_good(by_token: LocalStack) -> None:
    spoiled = {
        "changed claims": with_other_claims(),
        "another key": token(OTHER_KEY),
        "no algorithm": without_algorithm(),
        "another audience": token(aud="another-app"),
        "another issuer": token(iss=f"{ISSUER}-2"),
        "ended": token(exp=int(time.time()) - 1),
        "nonsense": "nonsense",
    }
    assert {what: called(by_token, f"Bearer {text}").status_code for what, text in spoiled.items()} == dict.fromkeys(
        spoiled, 401
    )


def asked(url: str, method: str, *headers: str, origin: str = PAGE) -> requests.Response:
    """What a browser asks before it sends a page's request. It never sends a token with this."""
    wanted = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": ",".join(headers)}
    return requests.options(url, headers={"Origin": origin, **wanted}, timeout=30)


def test_a_page_of_a_named_origin_uploads_with_the_token_of_its_user(by_token: LocalStack) -> None:
    url = f"{by_token.api_url}/uploads"
    preflight = asked(url, "POST", "authorization", "content-type", "idempotency-key")
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert {"authorization", "idempotency-key"} <= set(preflight.headers["access-control-allow-headers"].split(","))
    assert "access-control-allow-credentials" not in preflight.headers

    page = {"Origin": PAGE, "Sec-Fetch-Site": "same-site"}
    content = b"RIFF" + bytes(range(256))
    opened = requests.post(
        url,
        json={"name": "talk.wav", "size": len(content)},
        headers={**page, "Authorization": f"Bearer {token(scope='recordings:write')}"},
        timeout=30,
    )
    assert (opened.status_code, opened.headers["access-control-allow-origin"]) == (201, PAGE)
    assert "location" in opened.headers["access-control-expose-headers"]
    link = opened.json()["upload"]
    preflight = asked(link["url"], "PUT", *link["headers"])
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, PAGE)
    sent = requests.put(link["url"], data=content, headers={**page, **link["headers"]}, timeout=30)
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, PAGE)


def test_a_page_of_another_origin_may_read_nothing(by_token: LocalStack) -> None:
    """AWS answers without the headers, and the local cloud refuses: a browser sees a failure both times."""
    answer = asked(f"{by_token.api_url}/recordings", "GET", "authorization", origin="http://localhost:3001")
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_webhooks_need_no_token(by_token: LocalStack) -> None:
    """Vendors sign their calls in ways of their own: the function refuses this one, and not API Gateway."""
    answer = by_token.call_api("POST", "/webhooks/agora", json={}, signed=False)
    assert (answer.status_code, answer.json()["type"]) == (401, "about:blank")
