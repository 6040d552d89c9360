"""docs/cost.md has the counts that tests/conformance/test_counts.py asserts, and the prices of `model.prices`."""

from dataclasses import replace
from typing import Any

from infra.alarms import Watched, alarms_of
from infra.settings import StackSettings
from recording_insights.model.prices import AWS, PROVIDERS, Price
from tests.conformance.counts import EXPECTED, Counts
from tests.docs.bounds import (
    bound_of_delivery,
    bound_of_erase,
    bounds_of_media,
    bounds_of_recording,
    bounds_of_stack,
    jobs_of_media,
    row_of,
)
from tests.docs.pages import page
from tests.infra.conftest import EVERY_PROVIDER

HEAD = ["what happens", *(name.replace("s3_", "S3 ") for name in Counts._fields)]


def test_the_page_has_the_counts_of_the_test() -> None:
    written = page("docs/cost.md").table("## Counts")

    assert written == [[kind, *map(str, counts)] for kind, counts in EXPECTED.items()]


def test_every_column_is_explained_in_the_order_of_the_counts() -> None:
    read = page("docs/cost.md")

    assert f"| {' | '.join(HEAD)} |" in read.section("## Counts")
    assert [row[0] for row in read.table("## Columns")] == HEAD[1:]


def test_the_page_has_the_prices_of_aws_and_of_the_providers() -> None:
    read = page("docs/cost.md")

    assert read.table("## Prices") == [[what, *_cells(price)] for what, price in AWS.items()]
    providers = [[f"`{name}`", *_cells(price)] for name, price in PROVIDERS.items()]
    assert sorted(read.table("## Prices", number=1)) == sorted(providers)


def test_the_page_has_the_most_that_each_wait_retry_and_sweep_costs(
    template: dict[str, Any], machines: list[dict[str, Any]]
) -> None:
    settings = StackSettings.from_context({"stage": "dev", **EVERY_PROVIDER})
    by_start = {machine["StartAt"]: machine for machine in machines}
    bounds = {
        "media object": bounds_of_media(settings, by_start["Media prepared?"], template),
        "recording": [*bounds_of_recording(by_start["Wait"]), bound_of_erase(by_start["Erase page"])],
        "delivery": [bound_of_delivery()],
        "stack": bounds_of_stack(settings, template, by_start["Retry page"]),
    }
    read, heading = page("docs/cost.md"), "## The most it can cost"

    rows = [row_of(bound, of, template) for of, each in bounds.items() for bound in each]
    assert read.table(heading) == rows, "\n".join(f"| {' | '.join(row)} |" for row in rows)
    assert read.table(heading, number=1) == [[why, str(jobs)] for why, jobs in jobs_of_media(settings)]


def test_every_retry_of_a_state_machine_has_an_end(machines: list[dict[str, Any]]) -> None:
    tasks = [state for machine in machines for state in machine["States"].values() if "Retry" in state]
    retries = [retry for task in tasks for retry in task["Retry"]]
    assert len(retries) == 2 * len(tasks)
    assert all(0 < retry["MaxAttempts"] <= 20 and retry["MaxDelaySeconds"] <= 120 for retry in retries)


def _cells(price: Price | None) -> list[str]:
    if price is None:
        return ["not known", "", ""]
    return [f"{price.dollars:.10f}".rstrip("0").rstrip("."), str(price.per), price.as_of]


def test_the_page_has_the_number_of_alarms_and_what_they_cost() -> None:
    watched = Watched(*Watched.__dataclass_fields__)
    one = StackSettings(stage="dev", provider="deepgram")
    stages = (one, replace(one, other_providers=[*PROVIDERS]))
    numbers = [len(alarms_of(settings, watched)) for settings in stages]
    with_budget = len(alarms_of(replace(one, daily_budget=50), watched))
    rows = page("docs/cost.md").table("## Alarms and measures")
    counted = [*numbers, with_budget - numbers[0]]
    assert [row[1:] for row in rows[:3]] == [[str(number), f"{number * 0.10:.2f}"] for number in counted]
