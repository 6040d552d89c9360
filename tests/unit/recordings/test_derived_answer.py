"""What a model derived, beside what the providers found: merged, proved, and gone with the lines that prove it."""

from typing import Any

import pytest

from recording_insights.model.derived import KINDS, LISTED, Statement
from recording_insights.model.insights import ActionItem, Insights, Topic
from recording_insights.recordings.insights_answer import answer_insights, read_insights
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import recording_key, statement_key
from tests.unit.fake_table import FakeTable
from tests.unit.recordings.derived import DIGEST, FIGURES, FOUND, LINES, R, put_derived


def read(**given: Any) -> dict[str, Any]:
    """What the API answers, whole and read by pages, with statements."""
    table: Any = FakeTable()
    put_derived(table, given.pop("found", FOUND), **given)
    store = InsightStore(table)
    whole = answer_insights(R, store.read(R))
    assert read_insights(R, {}, store=store) == whole
    return whole


def shown(answer: dict[str, Any]) -> set[str]:
    """The kinds of which a statement of the model's is there."""
    single = set(answer["derived"].get("evidence", ())) if "derived" in answer else set()
    return single | {kind for kind in LISTED if any(each["source"] == "model" for each in answer[kind])}


def test_each_statement_comes_with_its_proof() -> None:
    answer = read(cents=0.25, dropped={"topics": 2}, missing=["follow_ups: x"], ended_at="2026-03-12T10:00:00Z")

    model = {"source": "model"}
    assert answer["insights"] == "done"
    assert (answer["title"], answer["short_summary"]) == ("Ship on Friday", "It ships on Friday.")
    assert answer["summary"] == "It ships on Friday.\nA tells Ada."
    assert answer["topics"] == [{"text": "shipping", "evidence": ["m-0-1"], **model}]
    assert answer["chapters"][1] == {"text": "Who tells", "evidence": ["m-0-2"], "start_ms": 65_000, **model}
    item = {"text": "Tell Ada", "assignee": "A", "due": "by Monday", "evidence": ["m-0-2", "m-0-3"]}
    assert answer["action_items"] == [{**item, **model}]
    assert answer["questions"] == [{"text": "Who tells Ada?", "answer": "A", "evidence": ["m-0-2"], **model}]
    assert answer["decisions"] == [{"text": "Ship on Friday", "evidence": ["m-0-1"], **model}]
    assert answer["follow_ups"] == []
    assert answer["derived"] == {
        "state": "done",
        **FIGURES,
        "cents": 0.25,
        "dropped": {"topics": 2},
        "missing": ["follow_ups: x"],
        "ended_at": "2026-03-12T10:00:00Z",
        "evidence": {"title": ["m-0-1"], "short_summary": ["m-0-1"], "summary": ["m-0-1", "m-0-3"]},
    }
    assert {line["id"] for line in answer["transcript"]} == {"m-0-1", "m-0-2", "m-0-3"}


def test_what_a_provider_found_comes_first_and_stays_its_own() -> None:
    own = Insights(LINES, summary="Theirs.", topics=[Topic("boats", 0.5)], action_items=[ActionItem("call", "Bob")])
    answer = read(insights=own)

    assert answer["summary"] == "Theirs."
    assert "summary" not in answer["derived"]["evidence"]
    assert [each["source"] for each in answer["topics"]] == ["transcribe", "model"]
    assert answer["topics"][0] == {"text": "boats", "score": 0.5, "source": "transcribe"}
    assert [each["text"] for each in answer["action_items"]] == ["call", "Tell Ada"]
    assert answer["title"] == "Ship on Friday"


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ({}, set(FOUND)),
        ({"state": "partial"}, set(FOUND)),
        ({"recording": {"insights": "pending"}}, set(FOUND)),
        ({"recording": {"status": "processing"}}, set(FOUND)),
        ({"state": "pending"}, set()),
        ({"digest": "f" * 16}, set()),
        ({"derivation": False, "recording": {"insights": "off"}}, set()),
        ({"number_of_try": 1}, set()),
        ({"media": {"status": "failed"}, "has_outline": False}, set()),
        ({"insights": Insights(LINES[:1])}, {"title", "short_summary", "topics", "chapters", "decisions"}),
        (
            {"insights": Insights(LINES[:1]), "has_outline": False},
            {"title", "short_summary", "topics", "chapters", "decisions"},
        ),
        ({"found": {kind: [Statement("x", ["m-0-1", "n-0-1"])] for kind in KINDS}}, set()),
        (
            {"found": {kind: [Statement("x", ["m-0-0"]), Statement("x", ["m"]), Statement("x", [])] for kind in KINDS}},
            set(),
        ),
    ],
)
def test_a_statement_is_shown_while_its_lines_are(given: Any, kinds: set[str]) -> None:
    assert shown(read(**given)) == kinds


@pytest.mark.parametrize(
    ("row", "shown_as"),
    [
        ({"insights": "pending"}, {"state": "pending"}),
        ({"status": "recording"}, {"state": "pending"}),
        ({}, None),
    ],
)
def test_before_anything_is_derived_the_answer_says_what_comes(row: dict[str, Any], shown_as: Any) -> None:
    table: Any = FakeTable()
    wanted: dict[str, Any] = {"derivation": {}} if row else {}
    of_recording = {"recording_id": R, "status": "done", "provider": "transcribe", "version": 1, **wanted, **row}
    table.put_item(Item={**recording_key(R), **of_recording})
    answer = read_insights(R, {}, store=InsightStore(table))
    assert answer["insights"] == (shown_as or {"state": "off"})["state"]
    assert answer.get("derived") == shown_as
    assert "title" not in answer


def test_why_insights_are_partial() -> None:
    why = {"insights_code": "insights_unreadable", "insights_reason": "an answer could not be read"}
    answer = read(state="partial", recording={"insights": "partial", **why})
    assert answer.items() >= {"insights": "partial", **why}.items()


def test_statements_keep_their_order_and_those_that_are_not_counted_are_left_out() -> None:
    table: Any = FakeTable()
    put_derived(table, {}, counts={"topics": 10_000})
    for number in (10_001, 10_000, 9_999, 2):
        row = {"text": str(number), "evidence": ["m-0-1"]}
        table.put_item(Item={**statement_key(R, DIGEST, "topics", number), **row})
    answer = answer_insights(R, InsightStore(table).read(R))
    assert [each["text"] for each in answer["topics"]] == ["2", "9999", "10000"]
