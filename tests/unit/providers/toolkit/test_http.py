"""Errors that HTTP calls to a vendor build, and segments of paths."""

import pytest

from recording_insights.errors import OutOfCredit, ProviderRejected
from recording_insights.providers.toolkit.http import VendorHttp
from tests.unit.fakes import FakeVendorSession

HTTP = VendorHttp("Vendor", "https://vendor.test", FakeVendorSession({}))


@pytest.mark.parametrize(
    ("status", "no_credit", "error"),
    [(400, False, ProviderRejected), (402, False, OutOfCredit), (400, True, OutOfCredit), (200, True, OutOfCredit)],
)
def test_refusals(status: int, no_credit: bool, error: type[Exception]) -> None:
    refusal = HTTP.refusal(status, "no such model", no_credit=no_credit)
    assert type(refusal) is error
    assert str(refusal) == f"Vendor answered HTTP {status}: no such model"
