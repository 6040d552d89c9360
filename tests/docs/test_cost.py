"""docs/cost.md has the counts that tests/conformance/test_counts.py asserts."""

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
