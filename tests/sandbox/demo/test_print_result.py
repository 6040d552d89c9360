"""What the demo prints of a result."""

import io
from typing import Any

import pytest
from rich.console import Console

from sandbox.demo.print_result import print_cost, print_insights, print_places, print_transcript

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


def test_places_can_be_copied_whole() -> None:
    to = console()
    outputs = {"InsightsTableName": "table", "RecordingsBucketName": "r" * 63, "RepliesBucketName": "replies"}
    media = [{"key": "k" * 90, "reply": "reply.json"}, {"key": "waits"}]
    print_places(to, outputs, {"recording_id": "0d28", "media": media})
    assert shown(to).splitlines()[1:] == [
        "row        table table, pk 0d28",
        f"recording  s3://{'r' * 63}/{'k' * 90}",
        "raw reply  s3://replies/reply.json",
        f"recording  s3://{'r' * 63}/waits",
    ]


@pytest.mark.parametrize(("provider", "said"), [(0.0018, "$0.001800"), (None, "an unknown amount")])
def test_the_cost_names_what_it_leaves_out(provider: float | None, said: str) -> None:
    to = Console(file=io.StringIO(), width=100)
    cost = {"aws": 0.000176, "provider": provider, "prices_of": "2026-09-13", "leaves_out": ["logs", "the watch"]}
    print_cost(to, cost)
    assert shown(to).splitlines()[1:] == [
        f"$0.000176 on AWS, {said} at the provider (list prices of 2026-09-13)",
        "Not included: logs; the watch.",
    ]
