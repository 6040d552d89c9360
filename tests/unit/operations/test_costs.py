"""Sums of costs: what is not known is counted and named, and is in no sum."""

from typing import Any

from operations.costs import Costs, parts_of, provider_of

HOUR = 3_600_000


def media(provider: str, paid: float | None, *, hours: float | None = 1.0, aws: float | None = 0.0002) -> Any:
    length = {} if hours is None else {"duration_ms": round(hours * HOUR)}
    return {"media_id": "m", "provider": provider, **length, "cost": {"aws": aws, "provider": paid}}


def recording(*of: Any, day: str = "2026-11-21", model: float | None = 0.0) -> Any:
    return {"created_at": f"{day}T12:13:44.939819Z", "media": list(of), "cost": {"model": model}}


def test_sums_are_those_of_all_of_a_day_and_of_a_provider() -> None:
    costs = Costs.of(
        [
            recording(media("assemblyai", 0.21), media("assemblyai", 0.21)),
            recording(media("transcribe", 0.36), day="2026-11-22", model=0.01),
        ]
    ).data

    assert (costs["all"]["recordings"], costs["all"]["media"], costs["all"]["hours"]) == (2, 3, 3.0)
    assert costs["all"]["total_known"] == round(0.21 * 2 + 0.36 + 0.0006 + 0.01, 6)
    assert costs["all"]["per_hour"] == round(costs["all"]["total_known"] / 3, 6)
    assert [(each["name"], each["recordings"], each["model"]) for each in costs["by_day"]] == [
        ("2026-11-21", 1, 0.0),
        ("2026-11-22", 1, 0.01),
    ]
    assert [(each["name"], each["recordings"], each["provider"]) for each in costs["by_provider"]] == [
        ("assemblyai", 1, 0.42),
        ("transcribe", 1, 0.36),
    ]
    assert costs["unknown_at"] == []


def test_what_is_not_known_is_named_and_never_nothing() -> None:
    """An hour has no price as long as a part of it has none."""
    costs = Costs.of(
        [
            recording(media("assemblyai", 0.21), media("deepgram", None), model=None),
            recording(media("deepgram", None, hours=None, aws=None)),
            None,
        ]
    ).data

    of_all = costs["all"]
    assert (of_all["provider"], of_all["unknown"]) == (0.21, {"aws": 1, "provider": 2, "model": 1})
    assert (of_all["hours"], of_all["unknown_lengths"], of_all["per_hour"]) == (2.0, 1, None)
    [assemblyai, deepgram] = costs["by_provider"]
    assert (assemblyai["unknown"], assemblyai["per_hour"]) == ({}, round(0.2102, 6))
    assert (deepgram["provider"], deepgram["aws"], deepgram["unknown"]) == (None, 0.0002, {"aws": 1, "provider": 2})
    assert (costs["unknown_at"], costs["erased_meanwhile"]) == (["deepgram"], 1)


def test_jobs_at_several_providers_are_one_amount() -> None:
    """The API says what the jobs of a media object cost together."""
    tries = [{"provider": "symbl", "submitted_at": "t"}, {"provider": "marsview"}]
    assert provider_of({"provider": "assemblyai", "tries": tries}) == "symbl + assemblyai"
    assert provider_of({}) == "none"


def test_each_part_says_how_sure_it_is() -> None:
    aws, provider, model = parts_of({"aws": 0.0, "provider": None, "model": 0.2})
    assert (aws["dollars"], aws["sure"].split(":")[0]) == (0.0, "counted")
    assert (provider["dollars"], provider["sure"].split(":")[0]) == (None, "not known")
    assert (model["dollars"], model["sure"].split(":")[0]) == (0.2, "reported")
