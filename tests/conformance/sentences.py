"""What a reason on the row may look like."""

import re

_OF_PYTHON = re.compile(r"Traceback|NoneType|\b\w+(?:Error|Exception)\b|\bobject (?:is|has)\b|['\"{}\[\]<>]", re.ASCII)


def assert_is_a_sentence(reason: str) -> None:
    """Assert that a reason has words for an operator, and nothing of an exception: no class, no repr, no traceback."""
    found = _OF_PYTHON.search(reason)
    assert not found, f"{found and found[0]} in: {reason}"
    assert len(reason.split()) >= 4, reason
