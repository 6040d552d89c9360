"""Checks that a correction still fits the internals of ministack that it replaces."""

import inspect
import linecache
import sys
from collections.abc import Callable, Sequence
from typing import Any


def require_source(function: Callable[..., Any], *parts: str) -> None:
    """Check that the source of a function of ministack contains these parts.

    Raises:
        RuntimeError: it does not. The correction must be adapted to the installed version.
    """
    require_text(_name(function), inspect.getsource(function), *parts)


def require_parameters(function: Callable[..., Any], *names: str) -> None:
    """Check that a function of ministack takes these parameters, in this order, before any other.

    Raises:
        RuntimeError: it does not.
    """
    found = tuple(inspect.signature(function).parameters)
    if found[: len(names)] != names:
        _refuse(_name(function), f"it takes {found}, not {names}")


def require_text(name: str, text: str, *parts: str) -> None:
    """Check that a text of ministack, which is called `name` in the message, contains these parts.

    Raises:
        RuntimeError: it does not.
    """
    if missing := [part for part in parts if part not in text]:
        _refuse(name, f"it lacks {missing}")


Replacements = Sequence[tuple[str, str]]
"""Parts of a source, each of which is there once, and what replaces them."""


def rewrite(*functions: tuple[Callable[..., Any], Replacements]) -> None:
    """Replace parts of the sources of functions of ministack, of all or of none.

    Raises:
        RuntimeError: a part is missing, or is there more than once.
    """
    rewritten = [(function, _rewritten(function, replacements)) for function, replacements in functions]
    for function, source in rewritten:
        file = f"<{_name(function)}, corrected>"
        # A later correction of the same function checks, and tracebacks show, the corrected source.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        code = compile(source, file, "exec")
        exec(code, vars(sys.modules[function.__module__]))  # noqa: S102


def _rewritten(function: Callable[..., Any], replacements: Replacements) -> str:
    source = inspect.getsource(function)
    for old, new in replacements:
        if source.count(old) != 1:
            _refuse(_name(function), f"it has {old!r} {source.count(old)} times")
        source = source.replace(old, new)
    return source


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _refuse(name: str, fault: str) -> None:
    raise RuntimeError(
        f"{name} differs from the version that sandbox/cloud/emulator corrects: {fault}. "
        "Adapt the correction, or install the version in requirements.txt."
    )
