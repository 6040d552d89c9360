"""The same faults at every call of every provider: each ends in insights or a reason, and no job is paid twice."""

from collections.abc import Mapping
from typing import Any

import pytest

from recording_insights.providers.registry import PROVIDERS
from sandbox.stand_ins.vendors.registry import vendors
from tests.conformance.conftest import MakeScene
from tests.conformance.scene import Scene
from tests.conformance.sentences import assert_is_a_sentence
from tests.ways_of_waiting import ParameterSet, each, each_provider

HOUR = 3600
Fault = dict[str, Any]
"""The dial `fail_next`, without the call."""

PASSING: Mapping[str, Fault] = {
    "429": {"status": 429, "body": {"message": "slow down"}},
    "429 with Retry-After": {"status": 429, "body": {"message": "slow down"}, "headers": {"Retry-After": "40"}},
    "500": {"status": 500, "body": {"message": "oops"}},
    "503": {"status": 503, "body": "<html>unavailable</html>"},
    "not JSON": {"status": 200, "body": "<html>maintenance</html>"},
    "connection dropped": {"drop_connection": True},
    "answer lost": {"drop_connection": True, "after": True},
    "500 after the work": {"status": 500, "after": True},
    "time-out": {"delay_seconds": 60},
    "time-out after the work": {"delay_seconds": 60, "after": True},
}
UNCLEAR: Mapping[str, Fault] = {
    "missing fields": {"status": 200, "body": {}},
    "a list": {"status": 200, "body": []},
    "null": {"status": 200, "body": "null"},
    "an error with 200": {"status": 200, "body": {"error": "We are down for maintenance", "status": False}},
}
ROLES = ("login", "prepares", "submits", "state", "results")
CALLS = [(name, role) for name in PROVIDERS for role in ROLES if getattr(vendors()[name], role)]
"""The kinds of calls that a vendor may have."""


def every_call(faults: Mapping[str, Fault]) -> list[ParameterSet]:
    """Return each fault at each call: provider, role and fault. Each at the paid call, and one at each other, always.

    The others go through the same code of the toolkit, and are for the nightly run.
    """
    sample = next(iter(faults))
    return each(
        [(*call, fault) for call in CALLS for fault in faults],
        always=lambda _, role, fault: role == "submits" or fault == sample,
    )


def calls_of(scene: Scene, role: str) -> tuple[str, ...]:
    calls = getattr(scene.vendor, role)
    return (calls,) if isinstance(calls, str) else tuple(calls)


@pytest.mark.parametrize(("provider", "role", "fault"), every_call(PASSING))
def test_a_passing_fault_loses_nothing_and_pays_nothing_twice(scene: Scene, role: str, fault: str) -> None:
    scene.dials(fail_next=[{"call": call, **PASSING[fault]} for call in calls_of(scene, role)])

    assert scene.run() == "done", (scene.row, scene.entered)
    assert scene.paid == 1
    assert len(scene.insights().transcript) >= 1


@pytest.mark.parametrize(("provider", "role", "fault"), every_call(UNCLEAR))
def test_an_answer_that_makes_no_sense_ends_well_or_with_a_reason(scene: Scene, role: str, fault: str) -> None:
    scene.dials(fail_next=[{"call": call, **UNCLEAR[fault]} for call in calls_of(scene, role)])

    status = scene.run()

    assert scene.paid <= 1
    if status == "done":
        assert scene.insights().transcript
    else:
        assert (status, scene.names_vendor(scene.reason)) == ("failed", True), scene.reason
        assert_is_a_sentence(scene.reason)


def calls_until_accepted(scene: Scene) -> list[str]:
    """The calls that place a job: login, preparation and submission."""
    return [call for call in (scene.vendor.login, *scene.vendor.prepares, scene.vendor.submits) if call]


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_the_reason_of_a_wait_and_nothing_afterwards(scene: Scene, status: int) -> None:
    fault = {"status": status, "body": {"message": "no"}, "times": 9}
    scene.dials(fail_next=[{"call": call, **fault} for call in calls_until_accepted(scene)])

    assert scene.run() == "done", scene.row
    assert len(scene.parked) >= 4
    for row in scene.parked:
        reason = row["reason"]
        assert row["reason_code"] == "credentials_refused"
        assert scene.names_vendor(reason), reason
        # A service of AWS has no secret: the credentials are those of the function.
        words = ("secret", "access token") if PROVIDERS[scene.name].secret_keys else ("credentials",)
        assert any(word in reason for word in words), reason
        assert_is_a_sentence(reason)
    assert (scene.paid, scene.reason, scene.row.get("reason_code")) == (1, "", None)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("provider", "role"), each((p, r) for p, r in CALLS if r in ("state", "results")))
def test_a_refusal_in_the_middle_of_a_job_is_waited_out(scene: Scene, role: str, status: int) -> None:
    failures = [{"call": c, "status": status, "body": {"message": "no"}, "times": 3} for c in calls_of(scene, role)]
    scene.dials(fail_next=failures)

    assert scene.run() == "done", scene.row
    assert scene.paid == 1


@pytest.mark.parametrize("provider", each_provider(p for p, r in CALLS if r == "state"))
@pytest.mark.parametrize("polls", [1, 3])
def test_a_word_that_nobody_knows_means_still_running(scene: Scene, polls: int) -> None:
    scene.dials(unknown_state="pondering", unknown_state_polls=polls)

    assert scene.run() == "done", scene.row


def test_the_vendors_own_message_is_the_reason(scene: Scene) -> None:
    scene.dials(job_fails="the audio has no speech that we would know")

    assert scene.run() == "failed"
    assert "the audio has no speech that we would know" in scene.reason


OWN_FAULTS = [name for name in PROVIDERS if vendors()[name].own_fault]


@pytest.mark.parametrize("provider", each_provider(OWN_FAULTS))
def test_a_fault_that_the_vendor_calls_its_own_gets_one_more_job(scene: Scene) -> None:
    scene.dials(own_fault_next=1)

    assert scene.run() == "done", scene.row
    assert scene.paid == 2
    [given_up] = scene.tries
    assert str(scene.vendor.own_fault) in given_up["reason"]
    assert_is_a_sentence(given_up["reason"])
    assert len(scene.insights().transcript) >= 1


@pytest.mark.parametrize("provider", each_provider(OWN_FAULTS))
def test_a_second_fault_of_the_vendor_is_the_reason(scene: Scene) -> None:
    scene.dials(own_fault_next=2)

    assert scene.run() == "failed"
    assert scene.paid == 2
    assert str(scene.vendor.own_fault) in scene.reason
    assert_is_a_sentence(scene.reason)


@pytest.mark.parametrize("provider", each_provider(name for name in PROVIDERS if name not in OWN_FAULTS))
def test_words_that_no_source_shows_get_no_other_job(scene: Scene) -> None:
    scene.dials(own_fault_next=1)

    assert (scene.run(), scene.paid) == ("failed", 1)


def test_a_job_that_never_ends_ends_at_the_ceiling(scene: Scene) -> None:
    scene.dials(job_never_ends=True)

    assert scene.run() == "failed"
    assert "no result within 240 minutes" in scene.reason
    assert scene.paid == 1


def test_a_vendor_that_stays_away_ends_after_three_days(scene: Scene) -> None:
    scene.dials(
        fail_next=[{"call": call, "status": 503, "times": 2_000} for call in calls_until_accepted(scene)],
    )

    assert scene.run() == "failed"
    # The call may have placed a job each time: where a callback could tell, it was waited for.
    within = "within 72 hours of the first turn" if scene.parked else "in time"
    assert scene.reason.startswith(f"not accepted {within}; last: "), scene.reason
    assert scene.clock.elapsed == pytest.approx(72 * HOUR, abs=HOUR)
    assert scene.paid == 0


def test_media_that_it_cannot_take_is_refused_unasked(make_scene: MakeScene) -> None:
    scene = make_scene(key="talk.xyz")

    assert scene.run() == "failed"
    assert f"{scene.name} cannot take this media object: its format is xyz, not one of " in scene.reason
    assert not scene.world.ledger.as_json()["lines"]


def test_two_media_objects_are_two_jobs(scene: Scene) -> None:
    assert scene.run() == "done"
    scene.media = scene.admit("other.mp4")

    assert (scene.run(), scene.paid) == ("done", 2)
