"""The dials of the speech engine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HearingDials:
    """How speech is recognised.

    `scripted`: utterances of the sample conversation are looked up by their sound instead of being recognised, which
    takes a twentieth of the time. Media is really decoded, times and pitches are really measured, and an utterance that
    the script does not know is really recognised.
    """

    scripted: bool = False
