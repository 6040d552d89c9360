"""Who gets a media object when its provider does not: the fail-over list, and what goes on record."""

from dataclasses import replace
from typing import Any

import pytest

from recording_insights.errors import (
    CredentialsRefused,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    SecretUnusable,
)
from recording_insights.processing.submit_recording import Patience
from recording_insights.processing.turns import place_of as turns_place
from recording_insights.providers.pacing import SHORTEST_WAIT, Pace
from recording_insights.providers.port import Capabilities
from tests.unit.fakes import FakeProvider
from tests.unit.processing.flow import EXPIRED, Flow, R

MOST_EVENTS = 25_000
"""Of an execution; AWS ends it then.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""
AWAY = ProviderUnavailable("Marsview answered HTTP 503")
AT_ONCE = [
    CredentialsRefused("Marsview refused the credentials of its secret"),
    OutOfCredit("Marsview wants to be paid"),
    SecretUnusable("recording-insights/dev/marsview", "it does not exist"),
]


@pytest.fixture
def two(flow: Flow) -> Flow:
    """A media object of Marsview, with Deepgram behind it."""
    flow.others["deepgram"] = FakeProvider(submits=[{"request_id": "r-1"}])
    return flow


@pytest.mark.parametrize("error", AT_ONCE, ids=lambda error: type(error).__name__)
def test_what_no_repeat_can_mend_hands_over_at_once(two: Flow, error: Exception) -> None:
    two.provider.submits = [error]

    progress = two.submit(failover=["deepgram"])

    assert progress.outcome == "submit"
    assert (two.item["provider"], two.item["status"]) == ("deepgram", "waiting")
    assert two.submit(progress, failover=["deepgram"]).outcome == "running"
    [story] = two.tries
    assert (story["provider"], story["reason"]) == ("marsview", str(error))
    assert story["ended_at"]


@pytest.mark.parametrize("error", AT_ONCE, ids=lambda error: type(error).__name__)
def test_without_a_list_it_waits_until_an_operator_has_acted(flow: Flow, error: Exception) -> None:
    flow.provider.submits = [error, error, {"transaction_id": "txn-1"}]

    progress = flow.again(flow.submit())
    assert (progress.outcome, flow.item["reason"]) == ("parked", str(error))

    assert flow.again(progress).outcome == "running"


def test_a_refused_job_goes_to_nobody_else(two: Flow) -> None:
    two.provider.submits = [ProviderRejected("Marsview: the audio is too quiet")]

    progress = two.submit(failover=["deepgram"])

    assert (progress.outcome, two.item["provider"]) == ("failed", "marsview")


@pytest.mark.parametrize("error", [AWAY, ProviderBusy("Marsview is busy (HTTP 429)")], ids=["away", "busy"])
def test_one_that_stays_away_is_left_after_the_time_for_it(two: Flow, error: ProviderError) -> None:
    two.provider.submits = [error] * 3
    progress = two.submit(failover=["deepgram"])
    two.clock.elapsed += 14 * 60
    progress = two.submit(progress, failover=["deepgram"])
    assert (progress.outcome, two.item["provider"]) == ("parked", "marsview")
    two.clock.elapsed += 2 * 60

    progress = two.submit(progress, failover=["deepgram"])

    assert (progress.outcome, two.item["provider"]) == ("submit", "deepgram")
    assert progress.waited_seconds == 0
    assert two.tries[0]["reason"] == f"not accepted within 15 minutes; last: {error}"


@pytest.mark.parametrize("retry_after", [3600, 86_400])
@pytest.mark.parametrize("first_after", [0, 14 * 60 + 57])
def test_the_next_one_takes_over_in_time_whatever_retry_after_says(
    two: Flow, retry_after: int, first_after: int
) -> None:
    two.provider.submits = [ProviderBusy("Marsview is busy (HTTP 429)", retry_after)] * 3
    two.clock.elapsed = first_after
    progress = two.submit(failover=["deepgram"])
    while progress.outcome == "parked":
        progress = two.again(progress, failover=["deepgram"])

    assert (progress.outcome, two.item["provider"]) == ("submit", "deepgram")
    assert 15 * 60 <= two.clock.elapsed <= 15 * 60 + 2 * SHORTEST_WAIT


def test_time_in_the_queue_counts_too(two: Flow) -> None:
    two.limits["marsview"] = 1
    two.turns.store.take_slot("marsview", 0, "somebody else", two.clock.now().timestamp() + 86_400)
    progress = two.submit(failover=["deepgram"])
    assert (progress.outcome, progress.wait_seconds) == ("parked", 15 * 60)

    progress = two.again(progress, failover=["deepgram"])

    assert (progress.outcome, two.item["provider"]) == ("submit", "deepgram")
    assert two.turns.store.length("marsview") == 0


@pytest.mark.parametrize("full", ["slots", "paused", "away"])
def test_the_next_one_takes_over_once_it_has_room(two: Flow, full: str) -> None:
    """As long as both have no room, the media object keeps its place with the first one."""
    turns, now = two.turns, two.clock.now().timestamp()
    two.limits["deepgram"] = 1
    other = two.others["deepgram"]
    if full == "slots":
        turns.store.take_slot("deepgram", 0, "somebody else", now + 86_400)
    elif full == "paused":
        turns.store.brake("deepgram", paused=True)
    else:
        elsewhere: Any = {**two.item, "provider": "deepgram", "media_id": "another"}
        turns.fail(elsewhere, AWAY, 3600)
        turns.store.leave("deepgram", turns_place(elsewhere))
    two.provider.submits = [AWAY] * 99
    progress = two.submit(failover=["deepgram"])
    while two.clock.elapsed < 30 * 60:
        progress = two.again(progress, failover=["deepgram"])
    assert (progress.outcome, two.item["provider"], other.submissions) == ("parked", "marsview", [])

    turns.store.free_slot("deepgram", 0, "somebody else")
    turns.store.brake("deepgram", paused=None)
    turns.store.close("deepgram")
    progress = two.again(progress, failover=["deepgram"])

    assert (progress.outcome, two.item["provider"]) == ("submit", "deepgram")


@pytest.mark.parametrize(("queue_days", "failover_minutes"), [(14, 15), (30, 1)])
def test_looks_for_room_do_not_fill_the_history_of_the_execution(
    two: Flow, queue_days: int, failover_minutes: int
) -> None:
    patience = Patience(72, queue_days, failover_minutes)
    for name in ("marsview", "deepgram"):
        two.limits[name] = 1
        two.turns.store.take_slot(name, 0, "somebody else", two.clock.now().timestamp() + 40 * 86_400)
    progress = two.submit(failover=["deepgram"], patience=patience)
    assert progress.wait_seconds == failover_minutes * 60
    progress = two.again(progress, failover=["deepgram"], patience=patience)

    looks = queue_days * 86_400 / progress.wait_seconds
    # Events of the wait with a token, of "Submit recording" and a choice.
    assert looks * (7 + 5 + 2) < MOST_EVENTS


def test_the_last_one_has_the_whole_patience_and_the_end_tells_all(two: Flow) -> None:
    two.provider.submits = [AT_ONCE[1]]
    two.others["deepgram"].submits = [AWAY, AWAY]
    progress = two.submit(two.submit(failover=["deepgram"]), failover=["deepgram"])
    assert progress.outcome == "parked"
    two.clock.elapsed += 73 * 3600

    progress = two.submit(progress, failover=["deepgram"])

    assert progress.outcome == "failed"
    assert progress.reason == (
        "marsview: Marsview wants to be paid; "
        "deepgram: not accepted within 72 hours of the first turn; last: Marsview answered HTTP 503"
    )


def test_one_that_cannot_take_it_is_passed_over_unasked(two: Flow) -> None:
    two.provider.capabilities = Capabilities("url", Pace(5, 0.3), max_minutes=0)

    progress = two.submit(failover=["deepgram"])

    assert progress.outcome == "submit"
    assert not two.provider.submissions
    assert (
        two.tries[0]["reason"] == "marsview cannot take this media object: its length is 1 minutes, over the limit of 0"
    )


REDACTED = {"options": {"redact_pii": ["person_name"]}, "provider": "assemblyai"}


@pytest.mark.parametrize(
    ("options", "is_taken"),
    [
        ({}, False),
        ({"deepgram": {"redact_pii": ["pii"], "language": "en"}}, True),
        ({"deepgram": {"redact_pii": []}}, True),
    ],
)
def test_a_redacted_recording_goes_to_nobody_who_would_not_redact_it(
    two: Flow, options: dict[str, Any], is_taken: bool
) -> None:
    two.change_recording(**REDACTED)
    two.store.note(R, two.media.media_id, provider="deepgram")

    progress = two.submit(options=options)

    assert (progress.reason_code == "redaction_not_taken") is not is_taken
    assert bool(two.others["deepgram"].submissions) is is_taken


def test_a_retry_says_what_another_provider_redacts(two: Flow) -> None:
    two.change_recording(**REDACTED)
    two.store.note(R, two.media.media_id, provider="deepgram", options={"redact_pii": ["pii"]})

    assert two.submit().outcome == "running"


def test_nobody_is_tried_twice(two: Flow) -> None:
    two.provider.submits = [AT_ONCE[0]]
    two.others["deepgram"].submits = [AT_ONCE[1]]

    progress = two.submit(two.submit(failover=["deepgram", "marsview"]), failover=["deepgram", "marsview"])

    assert (progress.outcome, two.item["provider"]) == ("parked", "deepgram")


def test_the_renewed_links_of_the_last_provider_are_left_out_of_the_reason(flow: Flow) -> None:
    flow.provider.submits = [EXPIRED, ProviderRejected("Marsview: too quiet")]

    assert flow.submit(flow.submit()).reason == "Marsview: too quiet"


def test_the_next_provider_has_all_its_renewed_links(two: Flow) -> None:
    two.provider.submits = [EXPIRED, EXPIRED, AT_ONCE[1]]
    two.others["deepgram"].submits = [EXPIRED, EXPIRED, {"request_id": "r-1"}]
    progress = two.progress
    for _ in range(6):
        assert progress.outcome == "submit"
        progress = two.submit(progress, failover=["deepgram"])

    assert (progress.outcome, two.item["renewals"]) == ("running", 2)


def test_an_unpaid_half_of_a_job_stays_on_record(two: Flow) -> None:
    two.provider.keeps = [{"transaction_id": "txn-1"}]
    two.provider.submits = [AT_ONCE[0]]

    two.submit(failover=["deepgram"])

    assert "job" not in two.item
    assert two.tries[0]["job"] == {"transaction_id": "txn-1"}


@pytest.mark.parametrize(
    ("options", "passed_on"),
    [
        ({"custom_vocabulary": ["Zürich"], "speakers": 2}, {"custom_vocabulary": ["Zürich"]}),
        ({"models": ["speech_to_text"]}, {}),
    ],
)
def test_what_the_next_one_understands_too_goes_along(
    two: Flow, options: dict[str, Any], passed_on: dict[str, Any]
) -> None:
    two.change_recording(options=options)
    two.provider.submits = [AT_ONCE[0]]
    stack = {"marsview": {"speakers": 5}, "deepgram": {"model": "nova-2"}}

    two.submit(two.submit(failover=["deepgram"], options=stack), failover=["deepgram"], options=stack)

    assert two.provider.submissions[0].options == {"speakers": 5, **options}
    assert two.others["deepgram"].submissions[0].options == {"model": "nova-2", **passed_on}


def test_who_cannot_be_asked_for_the_language_is_passed_over(two: Flow) -> None:
    two.change_recording(provider="deepgram", options={"language": "de"})
    two.store.note(R, two.media.media_id, provider="deepgram")
    two.others["deepgram"].submits = [AT_ONCE[0]]
    two.others["ringcentral"] = FakeProvider()
    two.others["transcribe"] = FakeProvider(submits=[{"name": "n"}])
    progress = replace(two.progress)

    for _ in range(3):
        progress = two.submit(progress, failover=["ringcentral", "transcribe"])

    assert progress.outcome == "running"
    assert not two.others["ringcentral"].submissions
    assert two.tries[1]["reason"] == "ringcentral does not support the language de"
    assert two.others["transcribe"].submissions[0].options == {"language": "de"}


def test_each_job_has_a_name_of_its_own(two: Flow) -> None:
    two.provider.submits = [AWAY, AT_ONCE[0]]
    progress = two.submit(failover=["deepgram"])
    progress = two.again(progress, failover=["deepgram"])
    two.submit(progress, failover=["deepgram"])

    names = [s.name for s in (*two.provider.submissions, *two.others["deepgram"].submissions)]

    assert names[0] == names[1] != names[2]
    assert names[0].startswith(f"{R}-{two.media.media_id}-")


def test_the_recordings_own_list_goes_before_the_stacks(two: Flow) -> None:
    two.change_recording(failover=[])
    two.provider.submits = [AT_ONCE[0]]

    assert two.submit(failover=["deepgram"]).outcome == "parked"


def test_a_language_that_the_provider_does_not_know_is_refused_unasked(two: Flow) -> None:
    two.change_recording(options={"language": "tlh"})
    two.provider.capabilities = replace(two.provider.capabilities, languages=frozenset({"en-US", "zh-TW"}))

    progress = two.submit()

    assert progress.reason == "marsview cannot take this media object: its language is tlh, not one of en-US, zh-TW"
    assert not two.provider.submissions
