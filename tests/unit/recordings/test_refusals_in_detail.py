"""Refusals that have to say more than the name of a field, and those that belong to one mode only."""

from typing import Any

import pytest

from recording_insights.errors import InvalidRequest
from recording_insights.recordings.change import update_recording
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock
from tests.unit.recordings.stored import put
from tests.unit.recordings.wanted import wanted

WEB = {"mode": "web", "url": "https://example.org"}


def test_the_label_of_a_web_page_may_hold_any_letters() -> None:
    assert wanted("Über uns", **WEB).channel == "Über uns"
    for channel, fields in (("Über uns", {}), ("Über/uns", WEB)):
        with pytest.raises(InvalidRequest) as refusal:
            wanted(channel, **fields)
        assert refusal.value.field == "channel"


def test_a_web_page_has_no_token() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        wanted(**WEB, token="007eJx")
    assert (refusal.value.field, refusal.value.detail) == ("token", "is for channels, and a web page is none")


@pytest.mark.parametrize(
    ("channel", "detail"),
    [
        (None, "is required"),
        ("", "must be the name of a channel"),
        (7, "must be the name of a channel"),
        ("x" * 64, "must be shorter than 64 bytes"),
    ],
)
def test_a_channel_is_refused_for_what_is_wrong_with_it(channel: Any, detail: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        wanted(channel)
    assert (refusal.value.field, refusal.value.detail) == ("channel", detail)


@pytest.mark.parametrize(
    ("field", "detail"),
    [
        ("onhold", "is not for mode mix, which this recording has"),
        ("colour", "unknown; the fields are "),
    ],
)
def test_a_field_of_another_mode_is_not_called_unknown(
    store: RecordingStore, table: Any, agora: Any, clock: FakeClock, field: str, detail: str
) -> None:
    put(table, "a" * 32, "recording", "2026", channel="team", mode="mix", sid="s", resource_id="r")
    with pytest.raises(InvalidRequest) as refusal:
        update_recording("a" * 32, {field: {}}, store=store, agora=agora, deadline=clock.deadline())
    assert refusal.value.field == field
    assert refusal.value.detail.startswith(detail)


def test_a_recording_without_a_server_of_agora_keeps_no_other_apart(start: Any, table: Any) -> None:
    """Its start was interrupted, or its files were dropped by hand."""
    put(table, "a" * 32, "recording", "2026", channel="team")
    with pytest.raises(InvalidRequest) as refusal:
        start(wanted("other", apart_from=["a" * 32]))
    assert refusal.value.field == "apart_from[0]"


def test_a_speaker_s_name_has_at_most_100_characters() -> None:
    assert wanted(mode="individual", speakers={"7": "x" * 100}).speakers == {"7": "x" * 100}
    with pytest.raises(InvalidRequest) as refusal:
        wanted(mode="individual", speakers={"7": "x" * 101})
    assert refusal.value.field == "speakers.7"
