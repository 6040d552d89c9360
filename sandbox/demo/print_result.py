"""Prints the result of the demo: transcript, insights, where they are stored, and what they would have cost."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.terminal.printable import printable

_SPEAKER_STYLES = ("cyan", "magenta", "green", "yellow")
_KINDS = ("topics", "action_items", "follow_ups", "questions")


def print_transcript(console: Console, insights: Mapping[str, Any]) -> None:
    """Print the transcript of GET /recordings/{id}/insights, one line for each utterance."""
    console.rule("Transcript")
    styles: dict[str, str] = {}
    for line in insights["transcript"]:
        speaker = printable(line.get("speaker_name") or f"speaker {line.get('speaker', '?')}")
        style = styles.setdefault(speaker, _SPEAKER_STYLES[len(styles) % len(_SPEAKER_STYLES)])
        console.print(
            Text.assemble(
                (_time(line.get("start_ms")), "dim"),
                (f"{speaker}: ", style),
                printable(line["text"]),
                (f"  {line['sentiment']:+.2f}" if "sentiment" in line else "", "dim"),
            ),
            soft_wrap=True,
        )


def print_insights(console: Console, insights: Mapping[str, Any]) -> None:
    """Print the insights that the provider found; kinds without any are left out."""
    console.rule("Insights")
    table = Table.grid(padding=(0, 2))
    if insights.get("summary"):
        table.add_row("summary", _text(insights["summary"]))
    if "sentiment" in insights:
        table.add_row("sentiment", f"{insights['sentiment']:+.2f}")
    for kind in _KINDS:
        if insights[kind]:
            table.add_row(kind.replace("_", " "), _text("\n".join(entry["text"] for entry in insights[kind])))
    if insights["emotions"]:
        table.add_row("emotions", _text(", ".join(sorted({entry["emotion"] for entry in insights["emotions"]}))))
    if insights["ratings"]:
        table.add_row("ratings", _text("\n".join(f"{name} {value}" for name, value in insights["ratings"].items())))
    for name in ("missing", "reason"):
        if insights.get(name):
            table.add_row(name, _text(insights[name]))
    console.print(table)


def print_places(console: Console, outputs: Mapping[str, str], recording: Mapping[str, Any]) -> None:
    """Print where the recording's row, media and raw replies are stored. `outputs` are those of the stack."""
    console.rule("Where it is stored")
    places = [("row", f"table {outputs['InsightsTableName']}, pk {recording['recording_id']}")]
    for media in recording.get("media", []):
        places.append(("recording", f"s3://{outputs['RecordingsBucketName']}/{media['key']}"))
        if media.get("reply"):
            places.append(("raw reply", f"s3://{outputs['RepliesBucketName']}/{media['reply']}"))
    for name, place in places:
        # Not in a table, which would cut a long place off: people copy it from here.
        console.print(printable(f"{name:<11}{place}"), soft_wrap=True, highlight=False, markup=False)


def print_cost(console: Console, cost: Mapping[str, Any]) -> None:
    """Print what the recording would have cost. `cost` is that of GET /recordings/{id}."""
    console.rule("What it would have cost")
    aws, provider = (_dollars(cost[name]) for name in ("aws", "provider"))
    console.print(f"{aws} on AWS, {provider} at the provider (list prices of {cost['prices_of']})", highlight=False)
    console.print(f"Not included: {'; '.join(cost['leaves_out'])}.", style="dim", highlight=False)


def _dollars(amount: float | None) -> str:
    return "an unknown amount" if amount is None else f"${amount:.6f}"


def _text(value: object) -> Text:
    """Text of a provider, in which nothing is markup."""
    return Text(printable(value))


def _time(ms: int | None) -> str:
    """`01:02.3 `: minutes and seconds from the start; empty where the provider gave no time."""
    return "" if ms is None else f"{ms // 60_000:02d}:{ms / 1000 % 60:04.1f} "
