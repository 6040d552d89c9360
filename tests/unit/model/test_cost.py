"""What a recording costs, from the counts in rows."""

from typing import Any

import pytest

from recording_insights.model.cost import LEAVES_OUT, MediaCost, cost_of_recording

COUNTED: Any = {"transitions": 7, "calls": 3, "other_calls": 2}
PAID: Any = {"submitted_at": "2026", "provider": "assemblyai", "duration_ms": 1_800_000, "status": "done"}
HALF_AN_HOUR = 0.105


def of(row: Any, *tries: Any) -> MediaCost:
    return MediaCost.of(row, tries)


def ended(number: int, **attributes: Any) -> Any:
    return {"number": number, "status": "given up", "provider": "assemblyai", "paid_ms": 1_800_000, **attributes}


def test_a_media_object_costs_what_its_row_counts() -> None:
    assert of(COUNTED | PAID).public() == {
        "aws": 0.000176,
        "provider": HALF_AN_HOUR,
        "transitions": 7,
        "calls": 5,
        "provider_seconds": 1800.0,
    }


def test_earlier_executions_count_too() -> None:
    cost = of(COUNTED | {"transitions_before": 10, "calls_before": 4, "status": "waiting"})
    assert (cost.transitions, cost.calls) == (17, 9)


def test_what_has_just_arrived_took_one_call() -> None:
    cost = of({"other_calls": 1, "status": "waiting"})
    assert (cost.transitions, cost.calls, cost.provider) == (0, 1, 0.0)


def test_a_job_that_is_submitted_again_is_paid_again() -> None:
    again = of(COUNTED | PAID | {"try_number": 2}, ended(0, submitted_at="2026"), ended(1))
    assert again.seconds == 3600, "the second try was not accepted"
    assert again.provider == pytest.approx(2 * HALF_AN_HOUR)


def test_a_job_that_a_later_try_took_over_is_paid_once() -> None:
    taken_over = of(COUNTED | PAID | {"try_number": 1, "job_number": 0}, ended(0, submitted_at="2026"))
    assert taken_over.provider == pytest.approx(HALF_AN_HOUR)


def test_an_earlier_try_that_is_shown_again_is_paid_once() -> None:
    shown = PAID | {"try_number": 1, "shown_try": 0, "job_number": 0}
    assert of(COUNTED | shown, ended(0, submitted_at="2026"), ended(1)).provider == pytest.approx(HALF_AN_HOUR)


def test_each_provider_of_a_fail_over_has_its_price() -> None:
    other = ended(0, submitted_at="2026", provider="transcribe")
    assert of(COUNTED | PAID | {"try_number": 1}, other).provider == pytest.approx(HALF_AN_HOUR + 0.18)


@pytest.mark.parametrize(
    "row",
    [
        {"provider": "marsview"},
        {"provider": "one that is gone"},
        {"duration_ms": None},
        {"given_up": [{"provider": "symbl", "reason": "x", "at": "2026"}]},
    ],
)
def test_what_is_not_known_is_null_and_no_guess(row: Any) -> None:
    known = {name: value for name, value in (COUNTED | PAID | row).items() if value is not None}
    assert of(known).public()["provider"] is None
    assert cost_of_recording([of(COUNTED | PAID), of(known)])["provider"] is None


def test_rows_of_earlier_versions_counted_nothing() -> None:
    assert of(PAID).public()["aws"] is None
    assert cost_of_recording([of(COUNTED | PAID), of(PAID)])["aws"] is None


@pytest.mark.parametrize("by_hand", [{"calls": "many"}, {"transitions_before": None}, {"duration_ms": "an hour"}])
def test_a_row_that_was_changed_by_hand_can_be_read(by_hand: Any) -> None:
    cost = of(COUNTED | PAID | by_hand).public()
    assert None in (cost["aws"], cost["provider"])


def test_a_recording_costs_what_its_media_objects_cost() -> None:
    small = of(COUNTED | PAID | {"duration_ms": 7, "transitions": 0, "calls": 0, "other_calls": 1})
    cost = cost_of_recording([small] * 10)

    assert cost == {
        "currency": "USD",
        "aws": 0.000002,
        "provider": 0.000004,
        "prices_of": "2026-09-13",
        "model": 0.0,
        "leaves_out": list(LEAVES_OUT),
    }


def test_the_date_is_that_of_the_oldest_price_in_use() -> None:
    assert cost_of_recording([])["prices_of"] == "2026-09-13"
    assert cost_of_recording([of(COUNTED | PAID | {"provider": "symbl"})])["prices_of"] == "2026-08-14"


@pytest.mark.parametrize(
    ("derived", "dollars"),
    [
        (None, 0.0),
        ({"state": "pending"}, 0.0),
        ({"calls": 0}, 0.0),
        ({"calls": 3, "cents": 1.25}, 0.0125),
        ({"calls": 3, "cents": 1}, 0.01),
        ({"calls": 3}, None),
    ],
)
def test_what_a_model_derived_costs_what_its_calls_did(derived: Any, dollars: float | None) -> None:
    assert cost_of_recording([], derived)["model"] == dollars
