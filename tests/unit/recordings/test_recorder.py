"""What a recording's row says about its recorder."""

from typing import Any

import pytest

from recording_insights.errors import Conflict
from recording_insights.recordings.recorder import check_named, is_named, may_run


@pytest.mark.parametrize(
    ("row", "may"),
    [
        ({"status": "starting", "channel": "team"}, True),
        ({"status": "done", "channel": "team", "sid": "s"}, True),
        ({"status": "failed", "channel": "team", "sid": "s"}, True),
        ({"status": "failed", "channel": "team"}, False),
        ({"status": "stopping", "channel": "team", "sid": "s", "stopped_at": "2026"}, False),
        ({"status": "processing", "sid": "s"}, False),
    ],
)
def test_whether_a_recorder_may_still_run(row: Any, may: bool) -> None:
    assert may_run(row) is may


@pytest.mark.parametrize(
    ("row", "named"), [({"sid": "s", "resource_id": "r"}, True), ({"sid": "s"}, False), ({"resource_id": "r"}, False)]
)
def test_a_recorder_is_named_by_both_of_its_ids(row: Any, named: bool) -> None:
    assert is_named(row) is named
    if named:
        check_named(row)
    else:
        with pytest.raises(Conflict, match="try again in a few seconds"):
            check_named(row)
