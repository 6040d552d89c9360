"""Measures what a model finds in conversations whose findings are known: `make bench BENCH=insights`.

The model is that of MODEL on Amazon Bedrock, or the one at MODEL_URL, or the stand-in, which is no model. The command
ends with 1 if anything was invented, obeyed or lost.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks.insights.conversations import Conversation, conversations
from benchmarks.insights.deriving import derive
from benchmarks.insights.endpoints import Endpoint, NoAccount, endpoint
from benchmarks.insights.scoring import Score, Tally, score
from recording_insights.derive.brief import Brief
from recording_insights.errors import ModelUnusable, ProviderBusy, ProviderUnavailable
from recording_insights.model.derived import KINDS
from sandbox.stand_ins.bedrock.open_model import BadModelUrl
from sandbox.stand_ins.bedrock.spoil import SPOILS


def measure(
    asked: Endpoint, some: Sequence[Conversation], progress: Callable[[str], None] = lambda _: None
) -> dict[str, Score]:
    """Derive and score conversations one after the other. Returns the scores by the names of the conversations."""
    scores = {}
    brief = Brief(asked.model_id, KINDS)

    def wait(seconds: float) -> None:
        progress(f"no answer, again in {seconds:.0f} s")
        time.sleep(seconds)

    for number, conversation in enumerate(some, start=1):
        scores[conversation.name] = scored = score(conversation, derive(conversation, brief, asked, wait))
        progress(
            f"{number} of {len(some)}: {conversation.name}, {len(conversation.lines):,} lines, {scored.calls} calls"
        )
    return scores


def together(scores: Sequence[Score]) -> Score:
    """Return the score of several conversations."""
    total = Score()
    for scored in scores:
        total.add(scored)
    return total


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or JSON with `--json`. Progress is on standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="the id of a model or a profile on Amazon Bedrock, with your AWS credentials")
    parser.add_argument("--only", default="", help="only conversations with this part of a name")
    parser.add_argument("--dial", choices=SPOILS[1:], help="what is wrong with each answer of the stand-in")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    try:
        asked = endpoint(chosen.model, chosen.dial)
        some = [one for one in conversations(asked.model_id) if chosen.only in one.name]
        console = Console(stderr=True)
        console.print(asked.name)
        scores = measure(asked, some, console.print)
    except (BadModelUrl, NoAccount, ModelUnusable, ProviderBusy, ProviderUnavailable) as error:
        raise SystemExit(f"{error}") from None
    languages = {one.name: one.language for one in some}
    if chosen.json:
        by_name = {name: {"language": languages[name], **asdict(scored)} for name, scored in scores.items()}
        total = together(list(scores.values()))
        print(json.dumps({"model": asked.name, "total": _with_shares(total), "conversations": by_name}, indent=2))
    else:
        _show(asked, scores, languages)
    sys.exit(0 if all(scored.is_clean for scored in scores.values()) else 1)


def _with_shares(total: Score) -> dict[str, object]:
    tallies = {**total.kinds, "all": total.all}
    shares = {
        name: {**asdict(tally), "precision": tally.precision, "recall": tally.recall} for name, tally in tallies.items()
    }
    return {**asdict(total), "kinds": shares, "valid": total.valid}


def _show(asked: Endpoint, scores: dict[str, Score], languages: dict[str, str]) -> None:
    total = together(list(scores.values()))
    table = Table(title=f"Found by {asked.name}")
    for index, column in enumerate(("", "known", "found", "right", "precision", "recall")):
        table.add_column(column, justify="right" if index else "left")
    for kind, tally in total.kinds.items():
        _add_row(table, kind.replace("_", " "), tally)
    table.add_section()
    for name, tally in total.members.items():
        _add_row(table, name, tally)
    table.add_section()
    for language in dict.fromkeys(languages.values()):
        of_language = together([scored for name, scored in scores.items() if languages[name] == language])
        _add_row(table, f"all in {language}", of_language.all)
    console = Console()
    console.print(table)
    cents = "an unknown price" if total.cents is None else f"{total.cents:.2f} cents"
    valid = "–" if total.valid is None else f"{total.valid:.1%}"
    console.print(
        f"{total.written} statements were written. {valid} have evidence that holds, {total.dropped} were dropped, "
        f"{total.refused} were refused with their answer.\n"
        f"Unproved: {total.unproved}. Injections obeyed: {total.obeyed}. Lost on the way: {total.lost}. "
        f"Kinds missing: {total.missing}.\n"
        f"{total.calls} calls, {total.tokens_in:,} tokens in, {total.tokens_out:,} tokens out, {cents}."
    )


def _add_row(table: Table, name: str, tally: Tally) -> None:
    shares = ("–" if share is None else f"{share:.2f}" for share in (tally.precision, tally.recall))
    table.add_row(name, *(str(count) for count in (tally.known, tally.found, tally.right)), *shares)


if __name__ == "__main__":
    main()
