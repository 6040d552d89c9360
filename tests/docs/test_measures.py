"""The table of measures is that of the code."""

from recording_insights.measures import MEASURES
from tests.docs.pages import page


def test_the_page_names_every_measure() -> None:
    rows = [line for line in page("docs/measures.md").lines if line.startswith("| `")]
    named = {name: ", ".join(f"`{each}`" for each in of.dimensions) or "-" for name, of in MEASURES.items()}
    dimensions = {name: f"{named[name]}, or -" if of.sums else named[name] for name, of in MEASURES.items()}
    assert rows == [
        f"| `{name}` | {of.unit.value} | {dimensions[name]} | {of.meaning} |" for name, of in MEASURES.items()
    ]
