"""How a media object is to be retried, and whether its reason speaks against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recording_insights.model.reasons import REASONS, is_retryable, needs_force
from recording_insights.processing.reopen import Start
from recording_insights.store.rows import MediaRow


@dataclass(frozen=True)
class Order:
    """Where the new try begins, at which provider and with which options; None leaves each to the media object.

    With `force`, a media object that is done, or that was refused for good, is retried as well.
    """

    start: Start | None = None
    provider: str | None = None
    options: Mapping[str, Any] | None = None
    force: bool = False

    def is_that_of(self, row: MediaRow) -> bool:
        """Return whether the present try of the media object is what the order asks for."""
        is_other = self.other_provider(row) or self.other_options(row)
        return not is_other and self.start in (None, row.get("began_from"))

    def other_provider(self, row: MediaRow) -> str | None:
        """Return the provider if it is another one than the media object had."""
        return None if self.provider == row.get("provider") else self.provider

    def other_options(self, row: MediaRow) -> Mapping[str, Any] | None:
        """Return the options if they are other ones than the media object had, or for another provider."""
        same = self.options == row.get("options") and not self.other_provider(row)
        return None if same else self.options


def why_refused(row: MediaRow, order: Order) -> str | None:
    """Return why the reason of a failed media object speaks against a retry; None if it does not."""
    code = row.get("reason_code", "")
    if order.force or row.get("status") != "failed":
        return None
    failed = f"media object {row.get('media_id')} failed with the reason code {code}"
    if not is_retryable(code):
        return f"{failed}: {REASONS[code].advice} A retry does not help; with force it is processed again"
    if needs_force(code) and not (order.other_provider(row) or order.other_options(row)):
        provider = row.get("provider")
        return f"{failed}, and {provider} would refuse it again: name another provider or other options, or use force"
    return None
