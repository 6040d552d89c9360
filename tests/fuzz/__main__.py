"""The long form of the fuzzers: `make fuzz`.

Runs every target in rounds, each with another seed, until the time is over. Ends with 1 at the first failure, and
prints the smallest input that Hypothesis found, and the command that repeats it.
"""

import argparse
import itertools
import json
import logging
import random
import resource
import sys
import time
import traceback
import warnings
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO

from hypothesis.errors import HypothesisWarning

from tests.fuzz.target import Target
from tests.fuzz.targets import all_targets

MOST_BYTES = 4 << 30
"""Of memory. An input that needs more raises a MemoryError, and with it a failure."""
ROUND = 400
"""Inputs of a target in one round."""


def main(arguments: list[str]) -> int:
    """Run, print the numbers of inputs, and return the exit code."""
    given = _parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore", HypothesisWarning)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    targets = [target for target in all_targets() if given.only in target.name]
    seed = random.SystemRandom().randrange(1 << 31) if given.seed is None else given.seed
    print(f"seed {seed}", file=sys.stderr)
    checked: Counter[str] = Counter()
    begun = time.monotonic()
    until = begun + 60 * given.minutes
    for number, target in ((number, target) for number in itertools.count(seed) for target in targets):
        if time.monotonic() > until:
            break
        if not _checks(target, number, checked):
            return 1
    return _report(checked, seed, time.monotonic() - begun, as_json=given.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (10)")
    parser.add_argument("--seed", type=int, help="of the first round; any without it")
    parser.add_argument("--only", default="", help="part of the name of the targets to run")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    return parser


def _checks(target: Target, number: int, checked: Counter[str]) -> bool:
    try:
        with redirect_stdout(StringIO()):  # handlers log there
            checked[target.name] += target.run(ROUND, number)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        traceback.print_exception(error)
        print(f"FAILED: {target.name}. To repeat it: make fuzz ONLY='{target.name}' SEED={number}", file=sys.stderr)
        return False
    return True


def _report(checked: Counter[str], seed: int, seconds: float, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"seed": seed, "seconds": round(seconds), "inputs": dict(checked)}))
        return 0
    for name, count in checked.items():
        print(f"{name:<28}{count:>9}")
    print(f"{checked.total()} inputs of {len(checked)} targets in {seconds:.0f} s, no failure; seed {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
