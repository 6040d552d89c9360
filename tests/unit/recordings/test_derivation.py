"""`insights` of a request: what it may say, what the row keeps of it, and what the API shows."""

from typing import Any

import pytest

from recording_insights.errors import Conflict, InvalidRequest
from recording_insights.model.derived import KINDS
from recording_insights.providers.registry import validate_options
from recording_insights.recordings.derivation import (
    LONGEST_PROMPT,
    derivation_by,
    state_of,
    with_model,
    without_model,
)
from recording_insights.recordings.read import public
from recording_insights.recordings.upload import UploadRequest, open_upload
from recording_insights.retries.request import RetryRequest
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from tests.unit.processing.flow import R
from tests.unit.recordings.wanted import wanted
from tests.unit.retries.conftest import Scene, scene

CHOICE = {"kinds": ["decisions", "title"], "language": "de", "prompt": "Name the customer.\nSay Du."}

__all__ = ["scene"]


def asked(**fields: Any) -> UploadRequest:
    return UploadRequest.from_body(
        {"name": "talk.mp4", "size": 77, **fields},
        providers=["marsview"],
        default_provider="marsview",
        validate_options=validate_options,
    )


def retried(**fields: Any) -> RetryRequest:
    return RetryRequest.from_body(fields, providers=["marsview"])


def upload(store: RecordingStore, **fields: Any) -> Any:
    return open_upload(
        asked(**fields), bucket="b", store=store, sign=lambda *a, **k: "https://link", derivation_of=with_model
    ).recording


@pytest.mark.parametrize("choice", [False, {}, CHOICE, {"kinds": list(KINDS)}, {"prompt": "é" * LONGEST_PROMPT}])
def test_every_request_takes_the_same_choices(choice: Any) -> None:
    assert [read(insights=choice).insights for read in (wanted, asked, retried)] == [choice] * 3


@pytest.mark.parametrize(
    ("choice", "field", "words"),
    [
        (True, "insights", "must be false or an object with kinds, language, prompt"),
        (None, "insights", "must be false or an object"),
        (0, "insights", "must be false or an object"),
        ([], "insights", "must be false or an object"),
        ({"model": "m"}, "insights.model", "unknown; the fields are kinds, language, prompt"),
        ({"kinds": []}, "insights.kinds", "must be a list of one or more of title"),
        ({"kinds": ["poems"]}, "insights.kinds", "must be a list of one or more of title"),
        ({"kinds": ["title", "title"]}, "insights.kinds", "must not name anything twice"),
        ({"kinds": "title"}, "insights.kinds", "must be a list"),
        ({"language": "German"}, "insights.language", "must be a language tag"),
        ({"language": None}, "insights.language", "must be a language tag"),
        ({"prompt": ""}, "insights.prompt", "must be a text of 1 to 2000"),
        ({"prompt": " \n"}, "insights.prompt", "must be a text of 1 to 2000"),
        ({"prompt": "x" * (LONGEST_PROMPT + 1)}, "insights.prompt", "must be a text of 1 to 2000"),
        ({"prompt": "x" * 20_000}, "insights.prompt", "must be a text of 1 to 2000"),
        ({"prompt": "in\u202evisible"}, "insights.prompt", "printable"),
        ({"prompt": "tag\U000e0041"}, "insights.prompt", "printable"),
        ({"prompt": "\ud800"}, "insights.prompt", "printable"),
    ],
)
def test_a_refusal_names_the_field(choice: Any, field: str, words: str) -> None:
    for read in (wanted, asked, retried):
        with pytest.raises(InvalidRequest, match=words) as refused:
            read(insights=choice)
        assert refused.value.field == field


@pytest.mark.parametrize(("choice", "kept"), [(None, {}), ({}, {}), (CHOICE, CHOICE), (False, None)])
def test_the_row_keeps_what_is_to_be_derived(start: Any, store: RecordingStore, choice: Any, kept: Any) -> None:
    given = {} if choice is None else {"insights": choice}
    started = start(wanted(**given), derivation_of=with_model).recording
    for row in (started, upload(store, **given)):
        assert row.get("derivation") == kept
        assert "insights" not in row
        shown = public(row)
        assert shown["insights"] == ("off" if choice is False else "pending")
        assert "derivation" not in shown


def test_a_stack_without_a_model_refuses_choices_and_writes_nothing(start: Any, table: Any) -> None:
    assert (derivation_by(None), derivation_by("m")) == (without_model, with_model)
    assert without_model(None) is without_model(False) is None
    for choice in ({}, CHOICE):
        with pytest.raises(InvalidRequest, match="insights: must be false or left out: this stack has no model"):
            start(wanted(insights=choice))
    assert table.scan()["Items"] == []
    assert public(start(wanted(insights=False)).recording)["insights"] == "off"


def test_a_key_belongs_to_the_choice_too(start: Any, store: RecordingStore) -> None:
    def key(choice: Any) -> Any:
        return start(wanted(insights=choice), derivation_of=with_model, idempotency_key="k").recording["recording_id"]

    assert key(CHOICE) == key(CHOICE)
    with pytest.raises(Conflict):
        key(False)
    assert asked().fingerprint != asked(insights=False).fingerprint


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"status": "done"}, "off"),
        ({"status": "recording"}, "off"),
        ({"status": "recording", "derivation": {}}, "pending"),
        ({"status": "processing", "derivation": {}, "insights": "done"}, "pending"),
        ({"status": "done", "derivation": {}, "insights": "pending"}, "pending"),
        ({"status": "partial", "derivation": {}, "insights": "partial"}, "partial"),
        ({"status": "failed", "derivation": {}}, "off"),
        ({"status": "empty", "derivation": {}}, "off"),
        ({"status": "erasing", "derivation": {}}, "off"),
    ],
)
def test_the_state_that_is_shown(row: Any, state: str) -> None:
    assert state_of(row) == state


def test_a_retry_says_what_is_derived_from_then_on(scene: Scene, media_store: MediaStore) -> None:
    def row() -> Any:
        return media_store.recordings.get(R)

    media_id = scene.end()["media_id"]
    derived: Any = {
        "derivation": {"language": "fr"},
        "insights": "partial",
        "insights_code": "c",
        "insights_reason": "r",
    }
    media_store.recordings.update(R, derived)
    again = {"media_id": media_id, "from": "media", "force": True}

    with pytest.raises(Conflict):
        scene.retry({"media_id": media_id, "from": "job", "insights": False}, derivation_of=with_model)
    with pytest.raises(InvalidRequest, match="has no model"):
        scene.retry({**again, "insights": CHOICE})
    assert {name: row()[name] for name in derived} == derived, "a retry that is refused changes nothing"

    scene.retry({**again, "insights": CHOICE}, derivation_of=with_model)
    assert row()["derivation"] == CHOICE
    media_store.finish(R, media_id, "failed", reason="r", reason_code="no_result")
    scene.retry({**again, "insights": False}, derivation_of=with_model)
    assert not row().keys() & {"derivation", "insights", "insights_code", "insights_reason"}
    media_store.finish(R, media_id, "failed", reason="r", reason_code="no_result")
    scene.retry(again, derivation_of=with_model)
    assert "derivation" not in row(), "a retry that says nothing leaves it as it is"
