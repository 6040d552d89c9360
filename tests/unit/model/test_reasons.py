"""Reason codes: what a failure is called, and whether a retry may help."""

import re

import pytest

from recording_insights import errors
from recording_insights.model.reasons import INSIGHT_REASONS, REASONS, Reason, code_of_fault, is_retryable, needs_force

NAMES = [name for name in vars(errors) if isinstance(getattr(errors, name), type)]


ALL = {**REASONS, **INSIGHT_REASONS}


@pytest.mark.parametrize("reason", ALL.values(), ids=lambda reason: reason.code)
def test_a_reason_is_told_in_sentences(reason: Reason) -> None:
    assert re.fullmatch("[a-z]+(_[a-z]+)*", reason.code)
    assert all(text[0].isupper() and text.endswith(".") for text in (reason.meaning, reason.advice))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ProviderBusy", "provider_busy"),
        ("States.Timeout", "function_stopped"),
        ("Sandbox.Timedout", "function_stopped"),
        ("Lambda.TooManyRequestsException", "aws_unavailable"),
        ("ProvisionedThroughputExceededException", "aws_unavailable"),
        ("AccessDeniedException", "aws_denied"),
        ("KeyError", "internal_error"),
        ("", "internal_error"),
    ],
)
def test_an_error_has_the_code_of_its_cause(name: str, code: str) -> None:
    assert code_of_fault(name) == code


@pytest.mark.parametrize("name", [name for name in NAMES if issubclass(getattr(errors, name), errors.ProviderError)])
def test_every_error_of_a_provider_has_a_code_of_its_own(name: str) -> None:
    assert name == "ProviderError" or code_of_fault(name) in ALL.keys() - {"internal_error"}


def test_every_error_has_a_documented_code() -> None:
    assert {code_of_fault(name) for name in NAMES} <= ALL.keys()


def test_an_unknown_code_is_retryable_without_force() -> None:
    assert {is_retryable(code) for code in (None, "a code of a later version")} == {True}
    assert {needs_force(code) for code in (None, "a code of a later version")} == {False}


@pytest.mark.parametrize(
    ("code", "retryable", "force"),
    [("no_result", True, False), ("not_media", True, True), ("nothing_recorded", False, False)],
)
def test_a_code_tells_whether_a_retry_may_help(code: str, retryable: bool, force: bool) -> None:
    assert (is_retryable(code), needs_force(code)) == (retryable, force)
