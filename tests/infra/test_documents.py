"""What the README says of settings and routes is what the code has."""

from pathlib import Path
from typing import Any

from infra.settings import _SETTINGS

README = (Path(__file__).parent.parent.parent / "README.md").read_text()


def test_every_setting_is_in_the_table() -> None:
    table = README.partition("### Settings")[2].partition("## The API")[0]
    assert [key for key in _SETTINGS if f"`{key}`" not in table] == []


def test_every_route_has_its_section(template: dict[str, Any]) -> None:
    routes = [
        resource["Properties"]["RouteKey"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    ]
    assert routes
    assert [route for route in routes if f"### {route}\n" not in README] == []
