"""What is measured of derivations, from their rows."""

from recording_insights.measures import measure
from recording_insights.store.rows import DerivedRow


class DerivationMeasures:
    """Measures what happens to derivations: the `Observer` of their rows on AWS."""

    def waits(self, row: DerivedRow, code: str) -> None:
        """It waits for what time or an operator can mend."""
        measure("Waited", provider=row["provider"], code=code)

    def ended(self, row: DerivedRow) -> None:
        """It is done, or partial."""
        measure("Done", provider=row["provider"])
        measure("Cost", (row.get("cents") or 0) / 100, provider=row["provider"])
