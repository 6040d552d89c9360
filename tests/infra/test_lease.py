"""The functions of the API and the lease on changes of a recorder fit each other."""

from infra.api import TIMEOUT
from recording_insights.recordings.lease import LEASE_SECONDS


def test_a_function_ends_before_its_lease_does() -> None:
    """Otherwise another change could begin while the first one still works."""
    assert TIMEOUT.to_seconds() < LEASE_SECONDS
