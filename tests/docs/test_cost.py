"""docs/cost.md has the counts that tests/conformance/test_counts.py asserts, and the prices of `model.prices`."""

from dataclasses import replace

from infra.alarms import Watched, alarms_of
from infra.settings import StackSettings
from recording_insights.model.prices import AWS, PROVIDERS, Price
from tests.conformance.counts import EXPECTED, Counts
from tests.docs.pages import page

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
