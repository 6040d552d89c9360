"""Values as people type them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cli.errors import UsageWrong
from cli.values import moment, options_of

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90m", "2026-11-21T10:30:00+00:00"),
        ("7d", "2026-11-14T12:00:00+00:00"),
        ("2026-11-21", "2026-11-20T23:00:00+00:00"),
        ("2026-11-21T12:00", "2026-11-21T11:00:00+00:00"),
        ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00+00:00"),
    ],
)
def test_a_moment_is_so_long_ago_or_in_local_time(text: str, at: str) -> None:
    assert moment(text, "--since", NOW) == at


@pytest.mark.parametrize("text", ["", "soon", "9999999d", "999999w", "2026-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageWrong, match="--since"):
        moment(text, "--since", NOW)


def test_options_are_json_where_they_can_be() -> None:
    given = ["flag=true", "count=5", 'list=["a"]', "text=hello", "empty="]
    assert options_of(given) == {"flag": True, "count": 5, "list": ["a"], "text": "hello", "empty": ""}
