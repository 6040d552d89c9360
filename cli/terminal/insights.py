"""Prints a transcript, the insights beside it, and what they cost."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.visible import visible, visible_line

_SPEAKER_STYLES = ("cyan", "magenta", "green", "yellow")
_TEXTS = ("title", "short_summary", "summary")
_KINDS = ("decisions", "action_items", "follow_ups", "questions", "chapters", "topics")
_MOST_LINES = 3
"""Of the proof of a statement."""


def print_transcript(console: Console, insights: Mapping[str, Any]) -> None:
    """Print the transcript of GET /recordings/{id}/insights, one line for each utterance."""
    console.rule("Transcript")
    styles: dict[str, str] = {}
    for line in insights["transcript"]:
        speaker = _speaker(line)
        style = styles.setdefault(speaker, _SPEAKER_STYLES[len(styles) % len(_SPEAKER_STYLES)])
        console.print(
            Text.assemble(
                (_time(line.get("start_ms")), "dim"),
                (f"{speaker}: ", style),
                visible_line(line["text"]),
                (f"  {line['sentiment']:+.2f}" if "sentiment" in line else "", "dim"),
            ),
            soft_wrap=True,
        )


def print_insights(console: Console, insights: Mapping[str, Any]) -> None:
    """Print what the provider found and what a model derived, with its proof; kinds without any are left out."""
    console.rule("Insights")
    table = Table.grid(padding=(0, 2))
    for name, text in _rows(insights):
        table.add_row(name.replace("_", " "), text)
    console.print(table)


def _rows(insights: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    """Yield what to print of insights, by kind."""
    yield from ((name, _text(insights[name])) for name in _TEXTS if insights.get(name))
    if "sentiment" in insights:
        yield "sentiment", Text(f"{insights['sentiment']:+.2f}")
    said = {line["id"]: line for line in insights["transcript"] if "id" in line}
    for kind in _KINDS:
        entries = [Text.assemble(_entry(entry), (_proof(entry, said), "dim")) for entry in insights.get(kind, ())]
        if entries:
            yield kind, Text("\n").join(entries)
    if insights["emotions"]:
        yield "emotions", _text(", ".join(sorted({entry["emotion"] for entry in insights["emotions"]})))
    if insights["ratings"]:
        yield "ratings", _text("\n".join(f"{name} {value}" for name, value in insights["ratings"].items()))
    yield from ((name, _text(insights[name])) for name in ("missing", "reason") if insights.get(name))
    if derived := insights.get("derived"):
        yield "derived", _text(_how(derived))


def _entry(entry: Mapping[str, Any]) -> str:
    """A statement with who is to do it and until when, or with its answer."""
    task = ", ".join(entry[name] for name in ("assignee", "due") if entry.get(name))
    answer = f" – {entry['answer']}" if entry.get("answer") else ""
    return visible_line(f"{entry['text']}{answer}{f' ({task})' if task else ''}")


def _proof(entry: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]]) -> str:
    """When and by whom the lines were spoken that prove a statement; empty for what a provider found."""
    lines = [said[line] for line in entry.get("evidence", ()) if line in said]
    shown = ", ".join(f"{_time(line.get('start_ms'))}{_speaker(line)}" for line in lines[:_MOST_LINES])
    return f"  [{shown}{', …' if len(lines) > _MOST_LINES else ''}]" if shown else ""


def _how(derived: Mapping[str, Any]) -> str:
    """How far the model is, and what it was asked."""
    if "calls" not in derived:
        return str(derived["state"])
    cents = f"{derived['cents']:.2f} cents" if "cents" in derived else "an unknown amount"
    calls = f"{derived['calls']} call{'' if derived['calls'] == 1 else 's'}"
    tokens = f"{derived['tokens_in']} + {derived['tokens_out']} tokens, {cents}"
    dropped = sum(derived.get("dropped", {}).values())
    unproved = f"; {dropped} without proof left out" if dropped else ""
    missing = "".join(f"; missing: {text}" for text in derived.get("missing", ()))
    by = f"{derived['state']} by {derived['model']}, prompt {derived['prompt_version']}"
    return f"{by}: {calls}, {tokens}{unproved}{missing}"


def print_cost(console: Console, cost: Mapping[str, Any]) -> None:
    """Print what the recording costs at list prices. `cost` is that of GET /recordings/{id}."""
    console.print(cost_line(cost), highlight=False, markup=False, soft_wrap=True)
    console.print(f"Not included: {'; '.join(cost['leaves_out'])}.", style="dim", highlight=False, soft_wrap=True)


def cost_line(cost: Mapping[str, Any]) -> str:
    """Return what the recording costs, by who charges it."""
    aws, provider = (dollars(cost[name]) for name in ("aws", "provider"))
    model = f", {dollars(cost['model'])} for the model" if cost.get("model") != 0 else ""
    return f"{aws} on AWS, {provider} at the provider{model} (list prices of {cost['prices_of']})"


def _speaker(line: Mapping[str, Any]) -> str:
    return visible_line(line.get("speaker_name") or f"speaker {line.get('speaker', '?')}")


def dollars(amount: float | None) -> str:
    """Return an amount in US dollars as text."""
    return "an unknown amount" if amount is None else f"${amount:.6f}"


def _text(value: object) -> Text:
    """Text of a provider, in which nothing is markup."""
    return Text(visible(value))


def _time(ms: int | None) -> str:
    """`01:02.3 `: minutes and seconds from the start; empty where the provider gave no time."""
    return "" if ms is None else f"{ms // 60_000:02d}:{ms / 1000 % 60:04.1f} "
