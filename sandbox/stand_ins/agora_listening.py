"""Whom a recorder in individual mode listens to: told by the start, and by each update anew."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.stand_ins.agora_checks import EVERYBODY
from sandbox.stand_ins.media import Span


class Listening:
    """The uid lists that a recorder was told, each from a second of the media on.

    The lists are those of recordingConfig and of audioUidList: `subscribeAudioUids` or `unsubscribeAudioUids`, without
    either it is everybody.
    """

    def __init__(self, lists: Mapping[str, Any]) -> None:
        self._told: list[tuple[float, Mapping[str, Any]]] = [(0.0, lists)]

    def change(self, at: float, lists: Mapping[str, Any]) -> None:
        self._told.append((at, lists))

    def holes(self, uid: str) -> Sequence[Span]:
        """When nobody listens to this uid, in order; the last of them may have no end."""
        told = list(self._told)  # the recorder reads while an update writes
        ends = [at for at, _ in told[1:]] + [math.inf]
        return [(at, end) for (at, lists), end in zip(told, ends, strict=True) if not _hears(lists, uid)]


def _hears(lists: Mapping[str, Any], uid: str) -> bool:
    wanted, unwanted = lists.get("subscribeAudioUids", EVERYBODY), lists.get("unsubscribeAudioUids", [])
    return (wanted == EVERYBODY or uid in wanted) and unwanted != EVERYBODY and uid not in unwanted
