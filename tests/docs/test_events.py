"""docs/events.schema.json is what the code makes, its examples fit, and docs/events.md names every type."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from infra.event_schemas import DATA, PUBLISHED, event_schemas, text_of
from recording_insights.notices.events import EVENT_TYPES
from tests.conformance.counts import CHANGES_OF_A_RECORDING, EVENTS_OF_A_RECORDING
from tests.docs.pages import page

DOCUMENT = event_schemas()


def test_the_document_is_what_the_code_makes() -> None:
    assert PUBLISHED.read_text() == text_of(DOCUMENT), "run `make openapi`"
    Draft202012Validator.check_schema(DOCUMENT)


@pytest.mark.parametrize("name", DATA)
def test_an_example_is_an_event_of_its_type_and_of_no_other(name: str) -> None:
    [example] = DOCUMENT["$defs"][name]["examples"]
    checked = Draft202012Validator(DOCUMENT, format_checker=Draft202012Validator.FORMAT_CHECKER)
    checked.validate(example)
    assert example["data"].keys() <= DATA[name].properties.keys()
    assert [error.validator for error in checked.iter_errors({**example, "type": "recording.heard"})] == ["oneOf"]


def test_the_page_on_cost_has_the_counts_of_a_recording() -> None:
    lines = page("docs/cost.md").section("## Events")
    counts = [line.split("|")[2].strip() for line in lines if line.startswith("|")]
    assert counts[2:] == [str(CHANGES_OF_A_RECORDING), "1", str(EVENTS_OF_A_RECORDING)]


def test_the_page_has_every_type_and_its_envelope_fits() -> None:
    lines = page("docs/events.md").section("## Types")
    assert {match[1] for line in lines if (match := re.match(r"\| `([a-z.]+)` \|", line))} == set(DATA)
    assert set(DATA) == set(EVENT_TYPES)
    text = page("docs/events.md").path.read_text()
    [envelope] = re.findall(r"```json event\n(.*?)```", text, flags=re.DOTALL)
    shown: dict[str, Any] = json.loads(envelope)
    Draft202012Validator(DOCUMENT).validate(shown)
