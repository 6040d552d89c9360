"""Checks that a correction still fits the internals of ministack that it replaces."""

import inspect
from collections.abc import Callable
from typing import Any


def require_source(function: Callable[..., Any], *parts: str) -> None:
    """Check that the source of a function of ministack contains these parts.

    Raises:
        RuntimeError: it does not. The correction must be adapted to the installed version.
    """
    require_text(f"{function.__module__}.{function.__qualname__}", inspect.getsource(function), *parts)


def require_parameters(function: Callable[..., Any], *names: str) -> None:
    """Check that a function of ministack takes these parameters, in this order, before any other.

    Raises:
        RuntimeError: it does not.
    """
    found = tuple(inspect.signature(function).parameters)
    if found[: len(names)] != names:
        _refuse(f"{function.__module__}.{function.__qualname__}", f"it takes {found}, not {names}")


def require_text(name: str, text: str, *parts: str) -> None:
    """Check that a text of ministack, which is called `name` in the message, contains these parts.

    Raises:
        RuntimeError: it does not.
    """
    if missing := [part for part in parts if part not in text]:
        _refuse(name, f"it lacks {missing}")


def _refuse(name: str, fault: str) -> None:
    raise RuntimeError(
        f"{name} differs from the version that sandbox/cloud/emulator corrects: {fault}. "
        "Adapt the correction, or install the version in requirements.txt."
    )
