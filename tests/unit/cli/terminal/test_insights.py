"""What is printed of a transcript, of insights and of their cost."""

import io
from typing import Any

import pytest
from rich.console import Console

from cli.terminal.insights import print_cost, print_insights, print_transcript

EMPTY: dict[str, Any] = {
    **{kind: [] for kind in ("transcript", "topics", "action_items", "follow_ups", "questions", "emotions")},
    "ratings": {},
}


def console() -> Console:
    return Console(file=io.StringIO(), width=60)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_line_of_the_transcript_has_time_speaker_and_sentiment() -> None:
    to = console()
    lines = [
        {"text": "It [arrived].", "start_ms": 61_200, "speaker": "A", "sentiment": -0.5},
        {"text": "Thanks.", "speaker_name": "Agent"},
    ]
    print_transcript(to, {**EMPTY, "transcript": lines})
    assert shown(to).splitlines()[1:] == ["01:01.2 speaker A: It [arrived].  -0.50", "Agent: Thanks."]


def test_only_kinds_with_insights_are_printed() -> None:
    to = console()
    print_insights(to, {**EMPTY, "topics": [{"text": "Table"}, {"text": "Friday"}], "sentiment": 0.25})
    assert [line.split() for line in shown(to).splitlines()[1:]] == [
        ["sentiment", "+0.25"],
        ["topics", "Table"],
        ["Friday"],
    ]


def test_what_a_model_derived_has_the_times_and_speakers_of_its_proof() -> None:
    to = console()
    lines = [
        {"id": "m-0-1", "text": "We ship on Friday.", "start_ms": 1_000, "speaker": "A"},
        {"id": "m-0-2", "text": "I tell Ada.", "start_ms": 65_000, "speaker_name": "Bob"},
    ]
    figures = {"model": "m:0", "prompt_version": "1", "calls": 1, "tokens_in": 90, "tokens_out": 8, "cents": 0.25}
    found = {
        "title": "Ship on Friday",
        "action_items": [{"text": "Tell Ada", "assignee": "Bob", "due": "Friday", "evidence": ["m-0-2", "m-0-1"]}],
        "decisions": [{"text": "Ship", "evidence": ["m-0-1"] * 4}],
        "questions": [{"text": "Who?", "answer": "Bob"}],
        "derived": {"state": "done", **figures, "dropped": {"topics": 2}},
    }
    print_insights(to, {**EMPTY, "transcript": lines, **found})
    first = ["00:01.0 speaker A"] * 3
    told = " ".join(" ".join(shown(to).splitlines()[1:]).split())
    assert told == (
        "title Ship on Friday "
        f"decisions Ship [{', '.join(first)}, …] "
        "action items Tell Ada (Bob, Friday) [01:05.0 Bob, 00:01.0 speaker A] "
        "questions Who? – Bob "
        "derived done by m:0, prompt 1: 1 call, 90 + 8 tokens, 0.25 cents; 2 without proof left out"
    )


ATTACKS = (
    "\x1b]0;your title\x07",
    "\x1b]52;c;Y2FsbA==\x1b\\\\",
    "\x1b[2J\x1b[31m",
    "\x9b31m",
    "\r overwritten",
    "\u202egnirts",
    "[link=http://evil.test]x[/link]",
    "x[/nope]",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_a_provider_controls_no_terminal(attack: str) -> None:
    to = console()
    said = {"text": attack, "emotion": attack}
    kinds = {kind: [said] for kind in ("transcript", "topics", "action_items", "emotions")}
    print_transcript(to, {**EMPTY, **kinds, "transcript": [{**said, "speaker_name": attack}]})
    print_insights(to, {**EMPTY, **kinds, "summary": attack, "reason": attack, "ratings": {attack: attack}})
    assert not set("\x1b\x07\x9b\r\u202e") & set(shown(to))
    if attack.startswith(("[", "x[")):
        assert attack in shown(to).replace("\n", ""), "it is text, and no markup"


def test_a_failure_prints_its_reason() -> None:
    to = console()
    print_insights(to, {**EMPTY, "reason": "Submit recording: refused"})
    assert "Submit recording: refused" in shown(to)


@pytest.mark.parametrize(("provider", "said"), [(0.0018, "$0.001800"), (None, "an unknown amount")])
def test_the_cost_names_what_it_leaves_out(provider: float | None, said: str) -> None:
    to = Console(file=io.StringIO(), width=100)
    cost = {"aws": 0.000176, "provider": provider, "prices_of": "2026-09-13", "leaves_out": ["logs", "the watch"]}
    print_cost(to, {**cost, "model": 0.0})
    assert shown(to).splitlines() == [
        f"$0.000176 on AWS, {said} at the provider (list prices of 2026-09-13)",
        "Not included: logs; the watch.",
    ]


def test_the_cost_has_the_model_if_one_was_asked() -> None:
    to = Console(file=io.StringIO(), width=120)
    print_cost(to, {"aws": 0.1, "provider": 0.2, "model": None, "prices_of": "2026-09-13", "leaves_out": []})
    assert "$0.200000 at the provider, an unknown amount for the model (list" in shown(to)
