"""A stage with `jwtIssuer` and `jwtAudience`: API Gateway checks a token of this issuer on every route but webhooks."""

from typing import Any

import pytest

from tests.infra.conftest import JWT
from tests.infra.test_stack import of_type

Template = dict[str, Any]


@pytest.fixture(scope="module")
def routes(every_setting: Template) -> dict[str, dict[str, Any]]:
    """Routes by their key."""
    return {route["RouteKey"]: route for _, route in of_type(every_setting, "AWS::ApiGatewayV2::Route")}


def is_webhook(key: str) -> bool:
    return key.startswith("POST /webhooks/")


def test_the_authorizer_checks_issuer_and_audience(every_setting: Template) -> None:
    [(_, authorizer)] = of_type(every_setting, "AWS::ApiGatewayV2::Authorizer")
    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert authorizer["JwtConfiguration"] == {"Issuer": JWT["jwtIssuer"], "Audience": [JWT["jwtAudience"]]}


def test_every_route_asks_for_a_token_but_webhooks(
    every_setting: Template, every_provider: Template, routes: dict[str, dict[str, Any]]
) -> None:
    [(name, _)] = of_type(every_setting, "AWS::ApiGatewayV2::Authorizer")
    by_token = {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": name}}
    of_no_one = {"AuthorizationType": "NONE", "AuthorizerId": None}
    found = {
        key: {field: route.get(field) for field in ("AuthorizationType", "AuthorizerId")}
        for key, route in routes.items()
    }
    # With a signature or with a token, the API has the same routes.
    keys = [route["RouteKey"] for _, route in of_type(every_provider, "AWS::ApiGatewayV2::Route")]
    assert any(map(is_webhook, keys))
    assert found == {key: of_no_one if is_webhook(key) else by_token for key in keys}
