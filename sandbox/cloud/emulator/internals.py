"""Checks that a correction still fits the internals of ministack that it replaces."""

import inspect
from collections.abc import Callable
from typing import Any


def require_source(function: Callable[..., Any], *lines: str) -> None:
    """Check that the source of a function of ministack contains these lines.

    Raises:
        RuntimeError: it does not. The correction must be written anew for this version of ministack.
    """
    require_lines(f"{function.__module__}.{function.__qualname__}", inspect.getsource(function), *lines)


def require_lines(name: str, source: str, *lines: str) -> None:
    """Check that `source`, which `name` is the name of in messages, contains these lines.

    Raises:
        RuntimeError: it does not.
    """
    if missing := [line for line in lines if line not in source]:
        raise RuntimeError(
            f"{name} of ministack works in another way than sandbox/cloud/emulator corrects. It lacks {missing}. "
            "Adapt the correction to the installed version."
        )
