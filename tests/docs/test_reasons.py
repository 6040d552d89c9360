"""docs/reasons.md has exactly the reason codes, with their texts."""

from recording_insights.model.reasons import INSIGHT_REASONS, REASONS
from tests.docs.pages import page


def test_every_code_is_described_as_in_the_code() -> None:
    rows = [line for _, line in page("docs/reasons.md").prose if line.startswith("| `")]

    assert rows == [
        f"| `{code}` | {meaning} | {retry} | {advice} |"
        for code, meaning, retry, advice in (*REASONS.values(), *INSIGHT_REASONS.values())
    ]
