"""Try mutants of the domain's code: `make mutants`.

Each mutant is the code with one small change. Tests that fail with it have killed it. A mutant that survives needs a
verdict in `mutants/survivors.toml`: "equivalent" if it behaves like the original, or "accepted" if no test is worth it.
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mutants.judge import Result, TestsFailed, check_tests, import_libraries, judge
from mutants.mutate import Mutant
from mutants.sample import Code, sample

PROJECT = Path(__file__).parent.parent
SURVIVORS = Path(__file__).parent / "survivors.toml"
DOMAIN = Code(
    root=PROJECT,
    source=PROJECT / "functions",
    package="recording_insights",
    rooms=("model", "store", "processing", "watch", "recordings"),
    tests=PROJECT / "tests" / "unit",
    neighbours=("media", "routes"),
    libraries=(
        "av",
        "aws_lambda_powertools.event_handler",
        "aws_lambda_powertools.utilities.data_classes",
        "boto3.dynamodb.conditions",
        "moto.dynamodb",
        "moto.s3",
        "requests",
    ),
)
SEED, COUNT = 7, 300
REQUIRED_PERCENT = 90
VERDICTS = ("equivalent", "accepted")

Identity = tuple[str, str, str, str, int]


def main(arguments: Sequence[str] | None = None, code: Code = DOMAIN, survivors: Path = SURVIVORS) -> int:
    """Return the exit code: 1 if too few mutants are killed, a survivor has no verdict, or the tests fail as such."""
    chosen = _options(code).parse_args(arguments)
    verdicts = read_verdicts(survivors)
    mutants = code.mutants()
    rooms = chosen.only or code.rooms
    tried = sample({room: mutants[room] for room in rooms}, chosen.count, chosen.seed)
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    possible = sum(len(mutants[room]) for room in rooms)
    progress.print(f"{len(tried)} of {possible} possible mutants, seed {chosen.seed}; the tests without a mutant first")
    import_libraries(code)
    try:
        check_tests(code, tried)
    except TestsFailed as failure:
        progress.print(str(failure), markup=False)
        progress.print("The tests fail without any mutant. Mend them first.")
        return 1
    known: list[Mutant] = []

    def report(mutant: Mutant, result: Result) -> None:
        known.append(mutant)
        if result is not Result.KILLED or len(known) % 10 == 0 or len(known) == len(tried):
            progress.print(f"{len(known)}/{len(tried)} {result} {_place(mutant, code)}", markup=False)

    results = judge(code, tried, report)
    if chosen.json:
        print(json.dumps(_as_json(results, verdicts, chosen.seed, code), indent=2))
    else:
        _show(results, verdicts, code)
        _show_unused(verdicts, results, mutants)
    without = [mutant for mutant in _survivors(results) if mutant.identity not in verdicts]
    return int(_percent(results.values()) < REQUIRED_PERCENT or bool(without))


def read_verdicts(path: Path) -> dict[Identity, Mapping[str, str]]:
    """Return `verdict` and `reason` of the known survivors, by the mutant's identity.

    Raises:
        ValueError: an entry has no reason, or another verdict than "equivalent" and "accepted".
    """
    verdicts = {}
    for entry in tomllib.loads(path.read_text()).get("survivor", []):
        if entry.get("verdict") not in VERDICTS or not entry.get("reason"):
            raise ValueError(f"{path.name}: {entry} needs a reason, and as verdict one of {', '.join(VERDICTS)}")
        identity = (entry["module"], entry["function"], entry["original"], entry["mutated"], entry.get("occurrence", 1))
        verdicts[identity] = entry
    return verdicts


def _options(code: Code) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help=f"number of mutants ({COUNT})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"another seed tries other mutants ({SEED})")
    parser.add_argument("--only", action="append", choices=code.rooms, help="a room; repeat for more (all)")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    return parser


def _survivors(results: Mapping[Mutant, Result]) -> list[Mutant]:
    return [mutant for mutant, result in results.items() if result is Result.SURVIVED]


def _percent(results: Any) -> float:
    """Return the share of killed mutants, those that took too long among them."""
    counts = Counter(results)
    return 100 * (1 - counts[Result.SURVIVED] / max(counts.total(), 1))


def _place(mutant: Mutant, code: Code) -> str:
    return f"{mutant.path.relative_to(code.root)}:{mutant.line}"


def _room(mutant: Mutant) -> str:
    return mutant.module.split(".")[1]


def _as_json(
    results: Mapping[Mutant, Result], verdicts: Mapping[Identity, Mapping[str, str]], seed: int, code: Code
) -> dict[str, Any]:
    return {
        "seed": seed,
        "killed_percent": round(_percent(results.values()), 1),
        "mutants": [
            {
                "place": _place(mutant, code),
                "function": mutant.function,
                "original": mutant.original,
                "mutated": mutant.mutated,
                "result": result,
                "verdict": verdicts.get(mutant.identity, {}).get("verdict"),
            }
            for mutant, result in results.items()
        ],
    }


def _show(results: Mapping[Mutant, Result], verdicts: Mapping[Identity, Mapping[str, str]], code: Code) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    table = Table(title="Mutants of the domain")
    for index, column in enumerate(("room", "mutants", *Result, "killed or timed out")):
        table.add_column(column, justify="right" if index else "left")
    for room in (*dict.fromkeys(_room(mutant) for mutant in results), "all"):
        of_room = [result for mutant, result in results.items() if room in (_room(mutant), "all")]
        counts = (str(of_room.count(result)) for result in Result)
        table.add_row(room, str(len(of_room)), *counts, f"{_percent(of_room):.1f} %")
    console.print(table)
    for mutant in _survivors(results):
        verdict = verdicts.get(mutant.identity)
        said = f"{verdict['verdict']}: {verdict['reason']}" if verdict else "NO VERDICT; for survivors.toml:"
        console.print(f"\n{_place(mutant, code)} {mutant.function}\n- {mutant.original}\n+ {mutant.mutated}\n{said}")
        if not verdict:
            console.print(_as_toml(mutant))


def _show_unused(
    verdicts: Mapping[Identity, Mapping[str, str]],
    results: Mapping[Mutant, Result],
    possible: Mapping[str, Sequence[Mutant]],
) -> None:
    """Print the entries of `survivors.toml` that can be deleted."""
    identities = {mutant.identity for of_room in possible.values() for mutant in of_room}
    killed = {mutant.identity for mutant, result in results.items() if result is not Result.SURVIVED}
    for identity in verdicts:
        if identity in killed or identity not in identities:
            why = "is killed" if identity in killed else "is no mutant of the code"
            print(f"\nsurvivors.toml: {identity[0]} {identity[1]}: {identity[3]!r} {why}")


def _as_toml(mutant: Mutant) -> str:
    """Return the entry of a survivor, but for its verdict and reason. JSON's strings are TOML's."""
    names = ("module", "function", "original", "mutated")
    lines = [f"{name} = {json.dumps(getattr(mutant, name), ensure_ascii=False)}" for name in names]
    if mutant.occurrence > 1:
        lines.append(f"occurrence = {mutant.occurrence}")
    return "\n".join(["[[survivor]]", *lines])


if __name__ == "__main__":
    sys.exit(main())
