"""Who may call which route, how often, and from which pages: the class of each route, and what follows from it."""

from typing import Any

import pytest

from infra.route_classes import RATES, class_of
from tests.infra.conftest import DOOR
from tests.infra.test_stack import of_type

Template = dict[str, Any]

CLASSES = {
    "POST /recordings": "write",
    "POST /uploads": "write",
    "GET /recordings": "read",
    "GET /recordings/{recording_id}": "read",
    "PATCH /recordings/{recording_id}": "write",
    "PUT /recordings/{recording_id}/layout": "write",
    "POST /recordings/{recording_id}/stop": "write",
    "POST /recordings/{recording_id}/retry": "operate",
    "POST /recordings/{recording_id}/cancel": "operate",
    "GET /recordings/{recording_id}/insights": "read",
    "PATCH /recordings/{recording_id}/transcript": "write",
    "GET /recordings/{recording_id}/media": "read",
    "GET /insights": "read",
    "POST /subscriptions": "operate",
    "GET /subscriptions": "read",
    "GET /subscriptions/{subscription_id}": "read",
    "PATCH /subscriptions/{subscription_id}": "operate",
    "DELETE /subscriptions/{subscription_id}": "operate",
    "POST /subscriptions/{subscription_id}/rotate": "operate",
    "POST /subscriptions/{subscription_id}/test": "operate",
    "GET /subscriptions/{subscription_id}/deliveries": "read",
    "POST /subscriptions/{subscription_id}/deliveries/{delivery_id}/resend": "operate",
    "DELETE /recordings/{recording_id}": "erase",
    "POST /media": "operate",
    "POST /retries": "operate",
    "GET /retries": "read",
    "GET /retries/{retry_id}": "read",
    "POST /retries/{retry_id}/cancel": "operate",
    "GET /providers": "read",
    "PUT /providers/{provider}": "operate",
}
"""Every route but webhooks. A new route needs a row here, and a line in a policy of docs/deploy.md."""
SCOPES = {"read": "api/see", "write": "recordings:write", "operate": "recordings:operate", "erase": "recordings:erase"}


def routes_of(template: Template) -> dict[str, dict[str, Any]]:
    """The routes by key, without webhooks."""
    found = {route["RouteKey"]: route for _, route in of_type(template, "AWS::ApiGatewayV2::Route")}
    return {key: route for key, route in found.items() if not key.startswith("POST /webhooks/")}


def test_each_route_has_its_class(every_setting: Template) -> None:
    assert {key: class_of(key) for key in routes_of(every_setting)} == CLASSES


def test_a_token_needs_the_scope_of_the_route(every_setting: Template) -> None:
    scopes = {key: route["AuthorizationScopes"] for key, route in routes_of(every_setting).items()}
    assert scopes == {key: [SCOPES[kind]] for key, kind in CLASSES.items()}


def test_webhooks_and_signatures_have_no_scopes(every_setting: Template, every_provider: Template) -> None:
    for template in (every_setting, every_provider):
        for _, route in of_type(template, "AWS::ApiGatewayV2::Route"):
            assert route["AuthorizationType"] == "JWT" or "AuthorizationScopes" not in route


@pytest.mark.parametrize(("stage", "rates"), [("every_provider", RATES), ("every_setting", {**RATES, "write": 5})])
def test_each_route_has_the_throttle_of_its_class(
    stage: str, rates: dict[str, int], request: pytest.FixtureRequest
) -> None:
    """The local cloud ignores throttles: only the template can show them."""
    template = request.getfixturevalue(stage)
    [(name, found)] = of_type(template, "AWS::ApiGatewayV2::Stage")
    throttles = {key: each for key, each in found["RouteSettings"].items() if not key.startswith("POST /webhooks/")}
    assert throttles == {
        key: {"ThrottlingRateLimit": rates[kind], "ThrottlingBurstLimit": 2 * rates[kind]}
        for key, kind in CLASSES.items()
    }
    ids = {logical_id for logical_id, _ in of_type(template, "AWS::ApiGatewayV2::Route")}
    assert ids <= set(template["Resources"][name]["DependsOn"]), "a stage has settings of routes that exist"


def test_pages_of_the_named_origins_may_call(every_setting: Template) -> None:
    [(_, api)] = of_type(every_setting, "AWS::ApiGatewayV2::Api")
    assert api["CorsConfiguration"] == {
        "AllowOrigins": [DOOR["corsOrigins"]],
        "AllowMethods": ["GET", "POST", "PATCH", "PUT", "DELETE"],
        "AllowHeaders": [
            *("authorization", "content-type", "idempotency-key"),
            *("x-amz-date", "x-amz-security-token", "x-amz-content-sha256"),
        ],
        "ExposeHeaders": ["location", "retry-after", "apigw-requestid"],
        "MaxAge": 3600,
    }
    rules = {name: bucket.get("CorsConfiguration") for name, bucket in of_type(every_setting, "AWS::S3::Bucket")}
    assert rules == {
        "BucketsRepliesBA3344E4": None,
        "BucketsRecordings88502CEC": {
            "CorsRules": [
                {
                    "AllowedOrigins": [DOOR["corsOrigins"]],
                    "AllowedMethods": ["GET", "HEAD", "PUT"],
                    "AllowedHeaders": ["content-type", "if-none-match", "range", "x-amz-checksum-sha256"],
                    "ExposedHeaders": ["content-range", "etag"],
                    "MaxAge": 3600,
                }
            ]
        },
    }


def test_without_the_setting_no_page_may_call(every_provider: Template) -> None:
    assert "CorsConfiguration" not in str(every_provider)
