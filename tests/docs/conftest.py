"""The synthesised stack that the pages describe."""

import json
from typing import Any

import pytest

from tests.infra.conftest import template_with_every_provider


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """A stage on AWS that all providers can be chosen in."""
    return template_with_every_provider()


@pytest.fixture(scope="session")
def routes(template: dict[str, Any]) -> list[str]:
    """Every route of the API, such as "GET /recordings"."""
    return [properties["RouteKey"] for properties in _resources(template, "AWS::ApiGatewayV2::Route")]


@pytest.fixture(scope="session")
def outputs(template: dict[str, Any]) -> list[str]:
    """The names of the stack's outputs."""
    return list(template["Outputs"])


@pytest.fixture(scope="session")
def machines(template: dict[str, Any]) -> list[dict[str, Any]]:
    """The definitions of the state machines."""
    texts = [properties["DefinitionString"] for properties in _resources(template, "AWS::StepFunctions::StateMachine")]
    joined = [text["Fn::Join"][1] if isinstance(text, dict) else [text] for text in texts]
    return [json.loads("".join(part if isinstance(part, str) else "token" for part in parts)) for parts in joined]


def _resources(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [found["Properties"] for found in template["Resources"].values() if found["Type"] == kind]
