"""docs/insights.md has the kinds, the providers and the cost that the code has."""

import re
from collections.abc import Sequence

from recording_insights.derive.cost import cents_of_all
from recording_insights.derive.lines import Line
from recording_insights.derive.split import pieces_of, weights_of
from recording_insights.derive.steps import begin
from recording_insights.derive.wishes import Wishes, default_kinds
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
    wishes = Wishes(model, KINDS)
    parts, weights = begin(lines, wishes).tasks, weights_of(pieces_of(lines))
    cents = cents_of_all(wishes, KINDS, [sum(weights[part.first : part.end]) for part in parts])
    assert cents is not None
    return len(parts) + (len(parts) > 1), cents


def test_the_page_names_only_codes_that_there_are() -> None:
    named = {code for code in page("docs/insights.md").code_spans if re.fullmatch(r"insights_[a-z_]+", code)}
    assert named
    assert named <= set(INSIGHT_REASONS)
