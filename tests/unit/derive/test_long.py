"""A long conversation is read in parts. Nothing is cut, and the number of calls is bounded."""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from recording_insights.derive import steps
from recording_insights.derive.lines import Line
from recording_insights.derive.progress import Progress
from recording_insights.derive.split import PART_TOKENS, parts_of, pieces_of, tokens_of, weights_of
from recording_insights.derive.steps import advance, begin, result
from recording_insights.model.derived import KINDS, SINGLE
from tests.unit.derive.fake_model import ALL, ScriptedModel, derive, nothing, reply, said, shown_in, stand_in

SENTENCE = "we looked at the delivery again and nothing of it has changed since the last time we spoke"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Parts of a tenth of the size, so that a conversation of a few hundred lines is a long one."""
    monkeypatch.setattr(steps, "PART_TOKENS", PART_TOKENS // 10)
    return PART_TOKENS // 10


def long_talk(count: int, planted: Mapping[int, str]) -> list[Line]:
    """A conversation of so many lines with some sentences at known places, from 1."""
    return said(*(planted.get(number, f"{SENTENCE} {number}.") for number in range(1, count + 1)))


def test_every_word_is_in_a_part_and_no_part_exceeds_the_budget() -> None:
    lines = [*said(*(f"{SENTENCE} {number}" for number in range(400))), Line("long", "Ben", "word " * 30_000)]
    pieces = pieces_of(lines)
    weights = weights_of(pieces)
    parts = parts_of(weights, [piece.speaker for piece in pieces], PART_TOKENS)

    assert {place for first, end in parts for place in range(first, end)} == set(range(len(pieces)))
    assert all(sum(weights[first:end]) <= PART_TOKENS for first, end in parts)
    assert all(following[0] < part[1] for part, following in pairwise(parts)), "they overlap"
    assert " ".join(piece.text for piece in pieces if piece.line == 400).split() == ["word"] * 30_000


def test_a_part_ends_where_the_speaker_changes() -> None:
    turns = ["Anna"] * 7 + ["Ben"] * 9
    assert parts_of([10] * 16, turns, 80, overlap=0)[0] == (0, 7)


@pytest.mark.parametrize(
    ("text", "tokens"), [("abcdef", 2), ("", 0), ("会議の内容", 5), ("مرحبا", 5), ("Grüße an alle", 5)]
)
def test_tokens_are_bounded_by_script(text: str, tokens: int) -> None:
    assert tokens_of(text) == tokens


def test_what_is_said_at_the_begin_in_the_middle_and_at_the_seam_is_found_once(small_parts: int) -> None:
    planted = {
        1: "We decided to lower the price to 4,711 euros.",
        100: "Anna, can you send the offer to the customer by Friday?",
        101: "Sure, I will send the offer by Friday.",
        300: "We decided to move the delivery to October.",
    }
    lines = long_talk(300, planted)
    pieces = pieces_of(lines)
    _, *seams = parts_of(weights_of(pieces), [piece.speaker for piece in pieces], small_parts)
    seam = seams[0][0] + 2
    lines[seam] = Line(f"L{seam + 1}", lines[seam].speaker, "We agreed that the warehouse stays open.", 1)
    derived = derive(lines, ALL, stand_in())

    assert not derived.missing
    assert [statement.evidence for statement in derived.found["decisions"]] == [("L1",), (f"L{seam + 1}",), ("L300",)]
    assert ("L100", "L101") in [statement.evidence for statement in derived.found["action_items"]]
    assert {kind: len(derived.found[kind]) for kind in ("title", "short_summary", "summary")} == {
        "title": 1,
        "short_summary": 1,
        "summary": 1,
    }
    ids = {line.id for line in lines}
    assert all(set(statement.evidence) <= ids for found in derived.found.values() for statement in found)


def test_twelve_hours_have_bounded_calls() -> None:
    twelve_hours = said(*(f"{SENTENCE} {number}" for number in range(5_500)))
    assert sum(len(line.text.split()) for line in twelve_hours) > 99_000
    assert len(begin(twelve_hours, ALL).tasks) <= 16


@pytest.mark.matrix
def test_a_hundred_thousand_lines_have_bounded_calls() -> None:
    assert len(begin(said(*("yes that is right",) * 100_000), ALL).tasks) <= 110


def summarised(request: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with as many and as long sentences as are kept, each citing the first and the last line."""
    names = [name for name, _, _ in shown_in(request)]
    sentence = {"text": f"{SENTENCE}, and that is all there was. ", "evidence": [names[0], names[-1]]}
    asked = json.loads(request["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])["required"]
    several = {kind: [sentence] * 12 for kind in ("summary", "short_summary") if kind in asked}
    return {**nothing(*asked), **several, **({"title": {**sentence, "text": "all"}} if "title" in asked else {})}


def test_summaries_are_summed_up_until_one_is_left_and_keep_their_proof(small_parts: int) -> None:
    lines = said(*(f"{SENTENCE} {number}" for number in range(1_800)))
    model = ScriptedModel(summarised)
    progress = begin(lines, ALL)
    calls, levels = len(progress.tasks), set()
    while not progress.is_over:
        progress, _ = advance(progress, lines, ALL, model)
        levels.add(progress.level)
    derived = result(progress, lines, ALL)

    assert {0, 1, 2} <= levels
    assert derived.usage.calls <= calls * 1.5
    assert derived.found["title"][0].text == "all"
    assert derived.found["summary"][0].evidence[0] == "L1"
    assert derived.found["summary"][0].evidence[-1] == "L1800"


@pytest.mark.usefixtures("small_parts")
def test_without_a_summary_of_a_part_that_holds_there_is_none_of_the_whole() -> None:
    lines = long_talk(120, {})
    parts = len(begin(lines, ALL).tasks)
    derived = derive(lines, ALL, stand_in(*["evidence_invented_next"] * parts))
    assert (derived.found, derived.missing) == ({}, tuple(f"{kind}: insights_unproved" for kind in SINGLE))
    assert {kind: derived.dropped[kind] for kind in SINGLE} == {"title": 1, "short_summary": 1, "summary": parts}


def test_an_answer_that_does_not_fit_is_asked_for_in_halves() -> None:
    model = ScriptedModel(reply("{", "max_tokens"), summarised)
    lines = said(*(f"{SENTENCE} {number}" for number in range(40)))
    derived = derive(lines, ALL, model)

    assert not derived.missing
    assert [len(shown_in(request)) for request in model.requests] == [40, 20, 20, 24]
    assert derived.usage.calls == 4


def test_a_model_that_never_ends_is_given_up_after_a_few_halvings() -> None:
    model = ScriptedModel(reply("{", "max_tokens"))
    derived = derive(said(*(f"{SENTENCE} {number}" for number in range(64))), ALL, model)

    assert len(model.requests) <= 2**4 + 2**3
    assert not derived.found
    assert "summary: insights_unreadable (lines 1 to 64 of 64)" in derived.missing
    assert not derived.dropped
    assert len(derived.missing) == len(KINDS), "lines that follow each other are named once"


@pytest.mark.usefixtures("small_parts")
def test_progress_survives_its_way_through_json() -> None:
    lines = long_talk(200, {})
    progress = begin(lines, ALL)
    while not progress.is_over:
        stored = json.dumps(progress.to_map())
        assert Progress.from_map(json.loads(stored)) == progress
        assert len(stored) < 100_000
        progress, _ = advance(progress, lines, ALL, stand_in())
