"""What the doctor says of a stage."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "wrong", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One thing that was examined: `what` is a sentence, `mend` is the one command or action that mends it.

    A `mend` that begins with `make`, `recordings` or `aws` is a command that runs as printed. Any other one is a
    sentence. `check` is the name of the check in the table. No text holds a secret.
    """

    check: str
    state: State
    what: str
    mend: str = ""


@dataclass(frozen=True)
class Symptom:
    """A finding before its check puts its name on it."""

    state: State
    what: str
    mend: str = ""


def ok(what: str) -> Symptom:
    """Return that something is as it should be."""
    return Symptom("ok", what)


def wrong(what: str, mend: str) -> Symptom:
    """Return that something is wrong, with what mends it."""
    return Symptom("wrong", what, mend)


def unknown(what: str, mend: str = "") -> Symptom:
    """Return that something could not be examined, with what would make that possible."""
    return Symptom("unknown", what, mend)
