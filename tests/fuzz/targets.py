"""All fuzzers."""

from tests.fuzz import answers, files, replies, routes
from tests.fuzz.target import Target


def all_targets() -> list[Target]:
    """Return the fuzzers, in a fixed order."""
    return [target for module in (replies, answers, routes, files) for target in module.targets()]
