"""Errors that HTTP calls to a vendor build, and segments of paths."""

import re
from typing import Any

import pytest

from recording_insights.errors import OutOfCredit, ProviderRejected, ProviderUnavailable, SubmissionUnconfirmed
from recording_insights.providers.toolkit.http import VendorHttp, path_segment
from tests.unit.fakes import FakeVendorSession

HTTP = VendorHttp("Vendor", "https://vendor.test", FakeVendorSession({}))


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (400, "no such model", ProviderRejected),
        (402, "no such model", OutOfCredit),
        (400, "Please top up", OutOfCredit),
        (200, "Please top up", OutOfCredit),
    ],
)
def test_refusals(status: int, reason: str, error: type[Exception]) -> None:
    refusal = HTTP.refusal(status, reason, no_credit=re.compile("top up"))
    assert type(refusal) is error
    assert str(refusal) == f"Vendor answered HTTP {status}: {reason}"


def test_without_a_pattern_only_the_status_means_no_credit() -> None:
    assert type(HTTP.refusal(400, "Please top up")) is ProviderRejected
    assert type(HTTP.refusal(402, "Please top up")) is OutOfCredit


def test_an_unreadable_response_leaves_a_purchase_unconfirmed() -> None:
    assert type(HTTP.unreadable("a job id")) is ProviderUnavailable
    assert type(HTTP.unreadable("a job id", is_paid=True)) is SubmissionUnconfirmed


@pytest.mark.parametrize(
    ("value", "segment"), [("a/../b?c#d", "a%2F..%2Fb%3Fc%23d"), (7, "7"), ("é", "%C3%A9"), ("a-b_c", "a-b_c")]
)
def test_ids_are_one_segment(value: Any, segment: str) -> None:
    assert path_segment(value) == segment
