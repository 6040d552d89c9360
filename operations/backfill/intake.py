"""The API of a stage, as far as a backfill needs it, and patience with an API that takes nothing at present."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from operations.deployed_stack import Report
from recording_insights.media.intake import providers_by_prefix
from recording_insights.model.derived import BEDROCK

MOST_FAULTS = 10
"""Calls in a row that may find the API away before the backfill ends. Their pauses take five minutes."""
LONGEST_PAUSE_SECONDS = 60.0

Found = TypeVar("Found")


class Refused(Exception):
    """The stage does not take the object; the text is its reason."""


class Erased(Exception):
    """The recording was erased, or is being erased."""


class Failing(Exception):
    """The admission of this object fails by a fault of the stage. `why` is the API's error."""

    def __init__(self, why: Exception) -> None:
        super().__init__(str(why))
        self.why = why


class Away(Exception):
    """The API takes nothing at present. `why` is its error. In a pause of the intake, an operator ends it."""

    def __init__(self, why: Exception, *, is_paused: bool = False) -> None:
        super().__init__(str(why))
        self.why = why
        self.is_paused = is_paused


@dataclass(frozen=True)
class Providers:
    """The providers of a stage as GET /providers lists them, the default one first, and their names by prefix of a key.

    The API lists the model too, which takes turns but no media.
    """

    standings: Mapping[str, Mapping[str, Any]]
    prefixes: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Providers":
        standings = {str(each["provider"]): each for each in answer["providers"] if each["provider"] != BEDROCK}
        return cls(standings, answer.get("prefixes", {}))

    @property
    def default(self) -> str:
        return next(iter(self.standings))

    def provider_of(self, key: str) -> str:
        """Return the provider of an object with this key whose recording names none."""
        by_prefix = providers_by_prefix(key, self.prefixes)
        return by_prefix[0] if by_prefix else self.default


class Intake(Protocol):
    """The calls. Each one may be repeated, and raises Away if the API takes nothing at present."""

    def find(self, recording_id: str) -> Mapping[str, Any] | None:
        """Return a recording as GET /recordings/{recording_id} does, or None. Raises Erased."""

    def take(self, key: str, provider: str | None) -> Mapping[str, Any]:
        """Admit an object by POST /media: `{"recording_id", "media_id", …}`. Raises Refused, Failing."""

    def retry(self, recording_id: str, media_id: str, provider: str | None) -> None:
        """Process a failed media object again. Raises Refused, Failing."""

    def providers(self) -> "Providers":
        """Return the providers as GET /providers does."""


@dataclass
class Patience:
    """Repeats calls while the API takes nothing: without an end in a pause of the intake, otherwise for minutes."""

    sleep: Callable[[float], None]
    report: Report

    def __call__(self, call: Callable[[], Found]) -> Found:
        """Return what the call returns. Raises what it raises, and the API's own error instead of Away."""
        faults = 0
        while True:
            try:
                return call()
            except Away as away:
                faults += not away.is_paused
                if faults == MOST_FAULTS:
                    raise away.why from None
                pause = LONGEST_PAUSE_SECONDS if away.is_paused else min(2.0**faults, LONGEST_PAUSE_SECONDS)
                self.report(f"{away} Trying again in {pause:.0f} s.")
            self.sleep(pause)
