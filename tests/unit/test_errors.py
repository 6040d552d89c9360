"""The tree at the top of `errors` is the tree of its classes."""

import inspect
import re

from recording_insights import errors

INDENT = 4


def test_the_tree_shows_every_error_below_its_base() -> None:
    path: list[str] = []
    drawn: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        branch = re.match(r"(?P<indent>[│ ]*)[├└]── (?P<name>\w+)", line)
        if branch:
            del path[len(branch["indent"]) // INDENT :]
            drawn[branch["name"]] = path[-1] if path else "RecordingInsightsError"
            path.append(branch["name"])

    classes = {
        name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__bases__ != (Exception,)
    }

    assert drawn == {name: kind.__mro__[1].__name__ for name, kind in classes.items()}
