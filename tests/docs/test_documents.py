"""What the README says of settings and routes is what the code has."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from infra.settings import _SETTINGS
from recording_insights.agora.fields.decryption import DECRYPTION, DECRYPTION_MODES
from recording_insights.agora.fields.layout import REGION, TRANSCODING, USER_BACKGROUND
from recording_insights.agora.fields.recorder import MODES, fields_of
from recording_insights.providers.registry import PROVIDERS
from recording_insights.recordings.request import RecordingRequest

README_FILE = Path(__file__).parent.parent.parent / "README.md"
README = README_FILE.read_text()


def test_every_setting_is_in_the_table() -> None:
    table = README.partition("### Settings")[2].partition("## The API")[0]
    written = [key for key in _SETTINGS if f"`{key}`" in table]
    of_each_provider = [f"{provider}{suffix}" for provider in PROVIDERS for suffix in ("Options", "BaseUrl")]
    assert sorted({*written, *of_each_provider}) == sorted(_SETTINGS)
    assert "`<provider>Options`" in table
    assert "`<provider>BaseUrl`" in table


def test_every_provider_has_its_page_and_its_line() -> None:
    docs = README_FILE.parent / "docs"
    table = (docs / "providers.md").read_text().partition("## Choosing")[0]
    for name in PROVIDERS:
        assert f"[`{name}`](providers/{name}.md)" in table
        page = (docs / "providers" / f"{name}.md").read_text()
        assert all(f"`{option}`" in page for option in PROVIDERS[name].options), name
        assert all(f"`{key}`" in page for key in PROVIDERS[name].secret_keys), name


def test_every_field_of_a_recorder_is_described() -> None:
    page = (README_FILE.parent / "docs" / "recording.md").read_text()
    table = README.partition("### POST /recordings\n")[2].partition("### GET /recordings\n")[0]
    for mode in MODES:
        assert [name for name in fields_of(mode) if f"`{name}`" not in table or f"`{name}`" not in page] == []
    own = [field.name for field in fields(RecordingRequest) if field.name != "recorder"]
    assert [name for name in own if f"`{name}`" not in table] == []
    nested = (*TRANSCODING, *REGION, *DECRYPTION, *USER_BACKGROUND)
    assert [name for name in nested if f"`{name}`" not in page] == []
    assert [name for name in DECRYPTION_MODES if f"`{name}`" not in page] == []


def test_every_route_has_its_section(template: dict[str, Any]) -> None:
    routes = [
        resource["Properties"]["RouteKey"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    ]
    assert routes
    assert [route for route in routes if f"### {route}\n" not in README] == []
