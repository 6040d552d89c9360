"""A media object that fails or waits has a stage and a reason code, also in the list of recordings."""

from dataclasses import replace
from typing import Any

import pytest

from recording_insights.bounded import LARGEST_REPLY
from recording_insights.errors import (
    CredentialsRefused,
    JobNotFound,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.model.reasons import REASONS
from recording_insights.processing.reopen import reopen
from recording_insights.processing.report_failure import report_failure
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Capabilities, JobState
from tests.unit.fakes import turns_of
from tests.unit.processing.flow import JOB, RUNNING, SECRET_AWAY, SECRET_FAULT, Flow, R

HOURS = 3600
ONLY_BY_CALLBACK = Capabilities("url", Pace(5, 0.3), callback="required", result_by="delivery")


def listed(flow: Flow) -> tuple[Any, ...]:
    """Stage and code of the media object, then those in the recording's row and in its summary."""
    recording = flow.store.recordings.get(R)
    summary = recording["media"][flow.media.media_id]
    shown = [(row.get("stage"), row.get("reason_code")) for row in (flow.item, recording, summary)]
    assert all(code is None or code in REASONS for _, code in shown)
    return tuple(set(shown))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ProviderBusy("HTTP 429"), "provider_busy"),
        (ProviderUnavailable("HTTP 500"), "provider_unavailable"),
        (SubmissionUnconfirmed("no response"), "submission_unconfirmed"),
        (SECRET_AWAY, "secret_unavailable"),
    ],
)
def test_a_wait_for_the_submission_is_listed_until_it_ends(flow: Flow, fault: Exception, code: str) -> None:
    flow.provider.submits = [fault, JOB]

    progress = flow.submit()
    assert listed(flow) == (("submission", code),)

    flow.again(progress)
    assert listed(flow) == ((None, None),)
    assert "reason" not in flow.item


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (CredentialsRefused("no"), "credentials_refused"),
        (OutOfCredit("no"), "out_of_credit"),
        (SECRET_FAULT, "secret_unusable"),
    ],
)
def test_what_an_operator_mends_is_listed_while_it_waits(flow: Flow, fault: Exception, code: str) -> None:
    flow.provider.submits = [fault]

    assert flow.submit().outcome == "parked"

    assert listed(flow) == (("submission", code),)


def test_a_refused_job_fails_with_its_code(flow: Flow) -> None:
    flow.provider.submits = [ProviderRejected("no")]

    report_failure(flow.submit().to_state(), store=flow.store, turns=turns_of(flow.store))

    assert listed(flow) == (("submission", "provider_rejected"),)


def test_a_delivery_that_is_too_large_fails_with_its_code_and_a_retry_buys_another(flow: Flow) -> None:
    flow.provider.submits = [JOB, JOB]
    flow.provider.capabilities = ONLY_BY_CALLBACK
    flow.submit()
    s3: Any = flow.replies.s3
    s3.objects["replies-bucket", "deliveries/x.json"] = bytes(LARGEST_REPLY + 1)
    flow.store.note(R, flow.media.media_id, delivery="deliveries/x.json")

    report_failure(flow.poll().to_state(), store=flow.store, turns=turns_of(flow.store))

    assert listed(flow) == (("result", "reply_too_large"),)
    assert flow.item["reason"] == "the reply deliveries/x.json has more than 32 MB"
    row: Any = flow.item
    assert reopen(row, store=flow.store, force=True)["began_from"] == "media"
    assert flow.submit().outcome == "awaiting"
    assert "delivery" not in flow.item


@pytest.mark.parametrize(
    ("fault", "code"),
    [(ProviderBusy("HTTP 429"), "not_accepted"), (SubmissionUnconfirmed("no response"), "submission_unconfirmed")],
)
def test_at_the_end_of_the_patience_the_code_tells_whether_a_job_may_exist(
    flow: Flow, fault: ProviderError, code: str
) -> None:
    flow.provider.submits = [fault, fault]
    progress = flow.submit()
    flow.clock.elapsed = 80 * HOURS

    assert flow.submit(progress).reason_code == code


@pytest.mark.parametrize(
    ("limits", "code"), [({"max_bytes": 1}, "too_large"), ({"max_minutes": 0}, "too_large"), ({}, "format_not_taken")]
)
def test_a_provider_that_cannot_take_it_has_a_code(flow: Flow, limits: dict[str, Any], code: str) -> None:
    flow.provider.capabilities = replace(flow.provider.capabilities, **limits)
    if not limits:
        flow.formats["marsview"] = {"wav"}
        flow.store.note(R, flow.media.media_id, unprepared="nobody can")

    assert flow.submit().reason_code == code


def test_a_provider_that_was_given_up_keeps_its_code(flow: Flow) -> None:
    flow.others["deepgram"] = replace(flow.provider)
    flow.provider.submits = [OutOfCredit("no")]

    flow.submit(failover=["deepgram"])

    assert (flow.tries[0]["stage"], flow.tries[0]["reason_code"]) == ("submission", "out_of_credit")
    assert (flow.item["provider"], flow.item["reason_code"]) == ("deepgram", "out_of_credit")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ProviderBusy("HTTP 429"), "provider_busy"),
        (JobNotFound("never heard of it"), "job_unknown"),
        (CredentialsRefused("no"), "credentials_refused"),
        (SECRET_AWAY, "secret_unavailable"),
    ],
)
def test_a_fault_while_the_job_runs_is_listed_until_the_job_is_seen_again(
    submitted: Flow, fault: Exception, code: str
) -> None:
    submitted.provider.polls = [fault, RUNNING]

    submitted.poll()
    assert listed(submitted) == (("result", code),)

    submitted.poll()
    assert listed(submitted) == ((None, None),)


@pytest.mark.parametrize(("capabilities", "code"), [(None, "no_result"), (ONLY_BY_CALLBACK, "result_not_delivered")])
def test_without_a_result_the_code_tells_whether_it_can_be_fetched(
    submitted: Flow, capabilities: Capabilities | None, code: str
) -> None:
    submitted.provider.capabilities = capabilities or submitted.provider.capabilities
    submitted.provider.polls = [RUNNING]
    submitted.clock.elapsed = 5 * HOURS

    report_failure(submitted.poll().to_state(), store=submitted.store, turns=turns_of(submitted.store))

    assert listed(submitted) == (("result", code),)


def test_a_job_that_failed_has_a_code(submitted: Flow) -> None:
    submitted.provider.polls = [JobState("failed", "error", "no audio")]

    report_failure(submitted.poll().to_state(), store=submitted.store, turns=turns_of(submitted.store))

    assert listed(submitted) == (("result", "job_failed"),)


def test_a_failed_retry_says_where_it_failed_although_the_insights_of_before_are_shown(submitted: Flow) -> None:
    media_id = submitted.media.media_id
    submitted.store.finish(R, media_id, "done")
    submitted.store.begin_try(submitted.store.get(R, media_id), {"status": "waiting"})
    submitted.provider.submits = [ProviderRejected("no")]

    report_failure(submitted.submit().to_state(), store=submitted.store, turns=turns_of(submitted.store))

    assert (submitted.item["status"], submitted.item["stage"]) == ("done", "submission")
    assert submitted.item["reason_code"] == "provider_rejected"
