"""Subscriptions of a recorder in individual mode: from the start, and changed by each update."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.stand_ins.agora.checks import EVERYBODY, BadParameter
from sandbox.stand_ins.agora.media import Medium, Span

UNSUBSCRIBE = "unsubscribe"
SPELLINGS = (UNSUBSCRIBE, "unSubscribe")
"""Agora's own sources differ in the names of the lists that exclude uids."""

_MEDIA: Mapping[Medium, str] = {"audio": "Audio", "video": "Video"}
_Lists = tuple[Sequence[str], Sequence[str]]
_NOBODY: _Lists = ((), ())


def with_known_spelling(given: Mapping[str, Any], spelling: str) -> dict[str, Any]:
    """Drop the names that a recorder with this `spelling` silently ignores.

    The returned names begin with `unsubscribe`.
    """
    names = {f"{known}{medium}Uids": f"{UNSUBSCRIBE}{medium}Uids" for known in SPELLINGS for medium in _MEDIA.values()}
    return {names.get(name, name): given[name] for name in given if name not in names or name.startswith(spelling)}


def check_subscriptions(given: Mapping[str, Any], where: str) -> None:
    """Check that each medium has one list at most. `given` has the known spelling. Raises BadParameter."""
    for medium in _MEDIA.values():
        if f"subscribe{medium}Uids" in given and f"{UNSUBSCRIBE}{medium}Uids" in given:
            raise BadParameter(f"{where} has both subscribe{medium}Uids and {UNSUBSCRIBE}{medium}Uids")


class Subscriptions:
    """The uid lists of each medium, each valid from a second of the media on.

    Without lists a recorder subscribes to everybody. One exception: a start with lists for one medium only does not
    subscribe to the other medium. Source: docs.agora.io/en/cloud-recording/reference/restful-api.
    """

    def __init__(self, config: Mapping[str, Any], spelling: str) -> None:
        self._spelling = spelling
        config = with_known_spelling(config, spelling)
        self._lists: dict[Medium, list[tuple[float, _Lists]]] = {
            "audio": [(0.0, _lists_in(config, "audio") or _left_to("video", config))],
            "video": [(0.0, _lists_in(config, "video") or _left_to("audio", config))],
        }

    def change(self, at: float, lists: Mapping[str, Any]) -> None:
        """Apply the streamSubscribe of an update. A medium without lists stays as it is."""
        for medium, changes in self._lists.items():
            if new := _lists_in(with_known_spelling(lists.get(f"{medium}UidList", {}), self._spelling), medium):
                changes.append((at, new))

    def gaps(self, medium: Medium, uid: str) -> Sequence[Span]:
        """Return the spans without a subscription to this uid, in order. The last one may be endless."""
        changes = list(self._lists[medium])  # the recorder reads while an update writes
        ends = [at for at, _ in changes[1:]] + [math.inf]
        return [(at, end) for (at, lists), end in zip(changes, ends, strict=True) if not _is_subscribed(uid, *lists)]


def _lists_in(given: Mapping[str, Any], medium: Medium) -> _Lists | None:
    """Uids to subscribe to, and uids to exclude; None without lists of the medium."""
    subscribed, unsubscribed = (given.get(f"{verb}{_MEDIA[medium]}Uids") for verb in ("subscribe", UNSUBSCRIBE))
    return None if subscribed is None and unsubscribed is None else (subscribed or EVERYBODY, unsubscribed or ())


def _left_to(other: Medium, config: Mapping[str, Any]) -> _Lists:
    return _NOBODY if f"subscribe{_MEDIA[other]}Uids" in config else (EVERYBODY, ())


def _is_subscribed(uid: str, subscribed: Sequence[str], unsubscribed: Sequence[str]) -> bool:
    return (subscribed == EVERYBODY or uid in subscribed) and unsubscribed != EVERYBODY and uid not in unsubscribed
