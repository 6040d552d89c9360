"""The form that the commands share: a stage, progress on standard error, and a sentence or JSON as the outcome."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

from operations.deployed_stack import OperationFailed, Report

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Outcome = TypeVar("Outcome", bound="DataclassInstance")


def command_parser(module: str, about: str) -> argparse.ArgumentParser:
    """Return a parser of the arguments that every command has."""
    parser = argparse.ArgumentParser(prog=f"python -m operations.{module}", description=about)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON on standard output")
    return parser


def run_command(operation: Callable[[Report], Outcome], sentence: Callable[[Outcome], str], *, as_json: bool) -> int:
    """Run an operation and print its outcome. Returns 0, or 1 with the reason on standard error."""

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        outcome = operation(report)
    except OperationFailed as failure:
        report(str(failure))
        return 1
    print(json.dumps(asdict(outcome)) if as_json else sentence(outcome))
    return 0
