"""docs/insights.md has the kinds, the providers and the cost that the code has."""

import re
from collections.abc import Sequence

import pytest

from benchmarks.insights.__main__ import measure, together
from benchmarks.insights.conversations import conversations
from benchmarks.insights.deriving import derive
from benchmarks.insights.endpoints import endpoint
from recording_insights.derive.brief import Brief, default_kinds
from recording_insights.derive.cost import cents_of_all
from recording_insights.derive.lines import Line
from recording_insights.derive.split import pieces_of, weights_of
from recording_insights.derive.steps import begin
from recording_insights.model.derived import KINDS, Statement
from recording_insights.model.prices import MODELS
from recording_insights.model.reasons import INSIGHT_REASONS
from recording_insights.providers.registry import PROVIDERS
from tests.docs.pages import codes_in, page

MINUTES = {"10 min": 10, "1 h": 60, "3 h": 180, "12 h": 720}
WORDS_A_MINUTE, WORDS_A_LINE = 150, 15
LINE = " ".join(["talked"] * WORDS_A_LINE)
NAMES = {"follow_ups": "follow-ups"}


def shown(kinds: Sequence[str]) -> str:
    return ", ".join(NAMES.get(kind, kind.replace("_", " ")) for kind in kinds)


def test_the_page_has_all_kinds_with_fields_that_a_statement_has() -> None:
    rows = page("docs/insights.md").table("## What is derived")
    assert [codes_in(row[0]) for row in rows] == [[kind] for kind in KINDS]
    assert all(name in Statement.__dataclass_fields__ for row in rows for name in codes_in(row[2]))


def test_the_page_has_what_each_provider_returns_and_what_is_derived_by_default() -> None:
    rows = page("docs/insights.md").table("## Which provider returns what")
    found = {name: [kind for kind in KINDS if kind in entry.finds] for name, entry in PROVIDERS.items()}
    assert [(row[0], row[1]) for row in rows] == [(f"`{name}`", shown(kinds) or "–") for name, kinds in found.items()]
    for name, row in zip(PROVIDERS, rows, strict=True):
        derived = default_kinds([name])
        but = f"all but {shown(found[name])}" if found[name] else "all kinds"
        assert row[2] in (but, shown(derived))


def test_the_page_has_the_cost_by_model_and_length() -> None:
    rows = page("docs/insights.md").table("## Cost")
    estimated = {(model, length): estimate(model, minutes) for model in MODELS for length, minutes in MINUTES.items()}
    assert rows[:-1] == [
        [f"`{model}`", *(f"{estimated[model, length][1] / 100:.3f}" for length in MINUTES)] for model in MODELS
    ]
    assert rows[-1][1:] == [str(estimated[next(iter(MODELS)), length][0]) for length in MINUTES]


def estimate(model: str, minutes: int) -> tuple[int, float]:
    """Calls and cents for a conversation of so many minutes: one more call sums the parts up."""
    count = minutes * WORDS_A_MINUTE // WORDS_A_LINE
    lines = [Line(f"l{number}", f"Speaker {number % 2 + 1}", f"{LINE}.") for number in range(count)]
    brief = Brief(model, KINDS)
    parts, weights = begin(lines, brief).tasks, weights_of(pieces_of(lines))
    cents = cents_of_all(brief, KINDS, [sum(weights[part.first : part.end]) for part in parts])
    assert cents is not None
    return len(parts) + (len(parts) > 1), cents


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("row", "dial", "code"),
    [
        ("prose around the JSON", "prose_next", None),
        ("only prose, or another schema", "malformed_json_next", "insights_unreadable"),
        ("another language", "other_language_next", "insights_unreadable"),
        ("an answer of 10 MB", "oversized_next", "insights_unreadable"),
        ("an answer that is cut off", "cut_next", "insights_unreadable"),
        ("the answer was filtered", "content_filtered_next", "insights_filtered"),
    ],
)
def test_an_answer_that_is_wrong_each_time_ends_as_the_page_says(row: str, dial: str, code: str | None) -> None:
    ends = dict(page("docs/insights.md").table("## What bad input ends as"))
    asked = endpoint(None, dial)
    [conversation] = [one for one in conversations(asked.model_id) if one.name == "en-offer"]
    derived = derive(conversation, Brief(asked.model_id, KINDS), asked).derived
    assert {re.sub(r".*: (\w+).*", r"\1", text) for text in derived.missing} == ({code} if code else set())
    assert derived.usage.calls == {"prose_next": 1, "cut_next": 23}.get(dial, 2)
    assert code is None or f"`{code}`" in ends[row] or ends[row].endswith("Then as above")


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("name", "dial"),
    [
        ("the stand-in", None),
        ("the stand-in, evidence invented", "evidence_invented_next"),
        ("the stand-in, facts invented", "facts_invented_next"),
        ("the stand-in, injections obeyed", "obeys_injection_next"),
    ],
)
def test_the_benchmark_has_the_results_of_the_page(name: str, dial: str | None) -> None:
    asked = endpoint(None, dial)
    total = together(list(measure(asked, conversations(asked.model_id)).values()))
    shares = ("–" if share is None else f"{share:.2f}" for share in (total.all.precision, total.all.recall))
    assert total.valid is not None
    assert next(row for row in page("docs/benchmarks.md").table("### Results") if row[0] == name) == [
        *(name, *shares, f"{total.valid * 100:.1f} %"),
        *(str(count) for count in (total.unproved, total.obeyed, total.lost)),
    ]
    assert total.is_clean


def test_the_page_names_only_codes_that_there_are() -> None:
    named = {code for code in page("docs/insights.md").code_spans if re.fullmatch(r"insights_[a-z_]+", code)}
    assert named
    assert named <= set(INSIGHT_REASONS)
