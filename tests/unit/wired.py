"""Handlers with a new wiring, as in a worker that has just started."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from tests.unit.environment import STAGE_SETTINGS
from wiring import Wiring


@dataclass(frozen=True)
class Unlimited:
    """Sessions that have the rights of the worker itself, and its parts."""

    wiring: Wiring[Any]

    def of(self, name: str, policy: str) -> Wiring[Any]:
        return self.wiring


def rewire(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType, **parts: Any) -> None:
    """Give each handler module a new wiring that has these parts already; the environment makes the others."""
    for module in modules:
        wiring = Wiring(module.wiring.settings_type)
        vars(wiring).update({"stage_settings": STAGE_SETTINGS, "sessions": Unlimited(wiring), **parts})
        monkeypatch.setattr(module, "wiring", wiring)
