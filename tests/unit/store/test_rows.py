"""The types of rows agree with each other and with what is written."""

from typing import Any, get_type_hints

import pytest

from recording_insights.agora.fields.recorder import MODES, fields_of
from recording_insights.model.insights import LISTS
from recording_insights.model.media_object import MediaObject
from recording_insights.store import rows
from tests.unit.conftest import MakeMedia


@pytest.mark.parametrize(
    ("changes", "row"), [(rows.RecordingChanges, rows.RecordingRow), (rows.MediaChanges, rows.MediaRow)]
)
def test_what_changes_is_an_attribute_of_the_same_type(changes: Any, row: Any) -> None:
    attributes = get_type_hints(row)
    for name, kind in get_type_hints(changes).items():
        assert kind in (attributes[name], attributes[name] | None), name


@pytest.mark.parametrize("mode", MODES)
def test_every_field_of_a_request_has_its_attribute(mode: str) -> None:
    assert fields_of(mode).keys() <= get_type_hints(rows.RecordingRow).keys()


def test_a_media_object_arrives_with_attributes_of_its_row(make_media: MakeMedia) -> None:
    media: MediaObject = make_media()
    assert media.attributes.keys() <= get_type_hints(rows.MediaRow).keys()


def test_an_insight_has_the_attributes_of_its_kind() -> None:
    fields = {name for kind in LISTS.values() for name in get_type_hints(kind)}
    assert fields | {"pk", "sk", "value"} == get_type_hints(rows.InsightRow).keys()
