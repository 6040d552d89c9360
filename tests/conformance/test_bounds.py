"""What lasts as long as it may costs no more than docs/cost.md says: the real functions, in virtual time."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import requests

from infra.settings import StackSettings
from recording_insights.providers.registry import PROVIDERS
from tests.conformance.conftest import Travel
from tests.conformance.journey import Journey
from tests.conformance.test_counts import POLLED, mp4
from tests.conformance.test_faults import calls_until_accepted
from tests.docs.bounds import bounds_of_recording, most_polls, most_probes, most_unconfirmed
from tests.unit.environment import ENVIRONMENT

NEVER = 1_000_000
GIVE_UP_HOURS, CEILING_MINUTES = int(ENVIRONMENT["GIVE_UP_HOURS"]), int(ENVIRONMENT["POLL_CEILING_MINUTES"])
CALLBACK_SECONDS = StackSettings.callback_wait_seconds


def ends_with(journey: Journey, code: str) -> None:
    journey.at(0, partial(journey.arrive, "uploads/talk.mp4", mp4()))
    journey.go()
    [row] = journey.media_rows()
    assert (row["status"], row["reason_code"]) == ("failed", code), row


def test_a_job_that_never_ends_is_polled_no_more_often(travel: Travel) -> None:
    journey = travel(POLLED, polls=NEVER)
    ends_with(journey, "no_result")

    bound = most_polls(CEILING_MINUTES)
    assert bound / 3 < journey.entered.count("Poll job") <= bound


def test_a_provider_that_takes_nothing_is_tried_no_more_often(travel: Travel) -> None:
    journey = travel(POLLED)
    away = {"status": 503, "times": NEVER}
    journey.dials(fail_next=[{"call": call, **away} for call in calls_until_accepted(journey)])
    ends_with(journey, "not_accepted")

    bound = most_probes(GIVE_UP_HOURS * 3600)
    assert bound * 0.9 < journey.entered.count("Submit recording") <= bound


def test_a_watch_that_gets_no_answer_checks_no_more_often(travel: Travel, watch_definition: Mapping[str, Any]) -> None:
    journey = travel(POLLED)
    journey.record()
    journey.at(600, partial(setattr, journey.agora, "before", _is_silent))
    journey.go()

    bound, _ = bounds_of_recording(watch_definition)
    assert bound.transitions * 0.9 < len(journey.states["watch"]) <= bound.transitions


def _is_silent(call: str) -> None:
    if call == "query":
        raise requests.ConnectionError("Agora does not answer")


@pytest.mark.matrix
@pytest.mark.parametrize("provider", sorted(PROVIDERS.keys() - {"transcribe"}))  # whose jobs end in threads of its own
def test_a_provider_that_never_confirms_gets_no_more_jobs(travel: Travel, provider: str) -> None:
    """It accepts each job, but neither its response nor its callback arrives."""
    journey = travel(provider)
    lost = {"call": journey.vendor.submits, "drop_connection": True, "after": True, "times": NEVER}
    journey.dials(fail_next=[lost])
    journey.patch.setattr(Journey, "_finish_jobs", lambda _: None)
    journey.at(0, partial(journey.arrive, "uploads/talk.mp4", mp4()))
    journey.go()

    bound = most_unconfirmed(provider, GIVE_UP_HOURS, CALLBACK_SECONDS)
    assert 1 <= journey.paid <= bound
