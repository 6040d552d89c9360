"""Whom a recorder in individual mode hears and sees: told by the start, and by each update anew."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.stand_ins.agora.checks import EVERYBODY, BadParameter
from sandbox.stand_ins.agora.media import Medium, Span

UNSUBSCRIBE = "unsubscribe"
SPELLINGS = (UNSUBSCRIBE, "unSubscribe")
"""Agora's own sources differ in how the lists of those who are left out begin."""

_MEDIA: Mapping[Medium, str] = {"audio": "Audio", "video": "Video"}
_Lists = tuple[Sequence[str], Sequence[str]]
_NOBODY: _Lists = ((), ())


def understood(given: Mapping[str, Any], spelling: str) -> dict[str, Any]:
    """Without the names that this recorder, which knows one `spelling` alone, silently ignores.

    What it knows is spelt `unsubscribe…` in what is returned.
    """
    names = {f"{known}{medium}Uids": f"{UNSUBSCRIBE}{medium}Uids" for known in SPELLINGS for medium in _MEDIA.values()}
    return {names.get(name, name): given[name] for name in given if name not in names or name.startswith(spelling)}


def check_subscriptions(given: Mapping[str, Any], where: str) -> None:
    """Of a medium, either who is subscribed to or who is not; `given` as it is understood. Raises BadParameter."""
    for medium in _MEDIA.values():
        if f"subscribe{medium}Uids" in given and f"{UNSUBSCRIBE}{medium}Uids" in given:
            raise BadParameter(f"{where} has both subscribe{medium}Uids and {UNSUBSCRIBE}{medium}Uids")


class Subscriptions:
    """The uid lists that a recorder was told, for each medium, each from a second of the media on.

    Without lists it is everybody, with one exception: where a start says only whom to hear, nobody is seen, and the
    other way round. Source: docs.agora.io/en/cloud-recording/reference/restful-api.
    """

    def __init__(self, config: Mapping[str, Any], spelling: str) -> None:
        self._spelling = spelling
        config = understood(config, spelling)
        self._told: dict[Medium, list[tuple[float, _Lists]]] = {
            "audio": [(0.0, _lists(config, "audio") or _left_to("video", config))],
            "video": [(0.0, _lists(config, "video") or _left_to("audio", config))],
        }

    def change(self, at: float, lists: Mapping[str, Any]) -> None:
        """`lists` is the streamSubscribe of an update; a medium of which it says nothing stays as it is."""
        for medium, told in self._told.items():
            if new := _lists(understood(lists.get(f"{medium}UidList", {}), self._spelling), medium):
                told.append((at, new))

    def holes(self, medium: Medium, uid: str) -> Sequence[Span]:
        """When nothing of this uid is subscribed to, in order; the last of them may have no end."""
        told = list(self._told[medium])  # the recorder reads while an update writes
        ends = [at for at, _ in told[1:]] + [math.inf]
        return [(at, end) for (at, lists), end in zip(told, ends, strict=True) if not _wanted(uid, *lists)]


def _lists(given: Mapping[str, Any], medium: Medium) -> _Lists | None:
    """Who is subscribed to and who is not; None if nothing is said of the medium."""
    wanted, unwanted = (given.get(f"{verb}{_MEDIA[medium]}Uids") for verb in ("subscribe", UNSUBSCRIBE))
    return None if wanted is None and unwanted is None else (wanted or EVERYBODY, unwanted or ())


def _left_to(other: Medium, config: Mapping[str, Any]) -> _Lists:
    return _NOBODY if f"subscribe{_MEDIA[other]}Uids" in config else (EVERYBODY, ())


def _wanted(uid: str, wanted: Sequence[str], unwanted: Sequence[str]) -> bool:
    return (wanted == EVERYBODY or uid in wanted) and unwanted != EVERYBODY and uid not in unwanted
