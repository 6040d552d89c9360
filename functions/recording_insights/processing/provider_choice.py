"""Choice of a media object's provider: the admitted one, then those of the fail-over list that can take it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from recording_insights.model.media_object import MediaObject, is_made_of_segments
from recording_insights.model.tries import tried_providers
from recording_insights.providers.port import Capabilities, Provider
from recording_insights.providers.registry import options_in, why_outside
from recording_insights.store.rows import MediaRow, RecordingRow
from recording_insights.validation import Reader

SHARED_OPTIONS = ("language", "custom_vocabulary", "speakers")
"""Options that mean the same for every provider that has them; the next provider gets them too."""


class Refusal(NamedTuple):
    """Why a provider cannot take a media object: a reason code and a sentence."""

    code: str
    reason: str


@dataclass(frozen=True)
class ProviderChoice:
    """The stack's providers: `options` by provider, `checks` of the options by provider, and the fail-over list.

    `formats` returns the formats that a provider takes, as suffixes without the dot. With a `residency`, no provider
    outside of it gets a media object, whatever the rows name.
    """

    load: Callable[[str], Provider]
    formats: Callable[[str], Collection[str]]
    checks: Callable[[str], Mapping[str, Reader[Any]]]
    options: Mapping[str, Mapping[str, Any]]
    failover: Sequence[str]
    residency: str | None = None

    def options_for(self, name: str, row: MediaRow, recording: RecordingRow) -> dict[str, Any]:
        """Return the provider's options: the stack's, then those of the recording that it supports, then the retry's.

        Later ones override earlier ones, and the options that the residency needs override all.
        """
        requested: Mapping[str, Any] = recording.get("options", {})
        if name != recording["provider"]:
            checks = self.checks(name)
            requested = {
                key: requested[key]
                for key in SHARED_OPTIONS
                if key in requested and key in checks and checks[key].accepts(requested[key])
            }
        of_retry = row.get("options", {}) if name == row["provider"] else {}
        return {**self.options.get(name, {}), **requested, **of_retry, **options_in(name, self.residency)}

    def needs_conversion(self, name: str, row: MediaRow, media: MediaObject) -> bool:
        """Return whether a file in another format is to be made of a media object before this provider can take it."""
        return media.format not in self.formats(name) and "unprepared" not in row and not is_made_of_segments(row)

    def why_unfit(self, name: str, row: MediaRow, media: MediaObject, recording: RecordingRow) -> Refusal | None:
        """Return why a provider cannot take a media object, or None if it can.

        Format and size are those of the file that the provider would get. They are not checked if that file is still to
        be made.
        """
        requested = recording.get("options", {}).get("language")
        requested = row.get("options", {}).get("language", requested)
        language = self.options_for(name, row, recording).get("language")
        if requested and requested != language:
            return Refusal("language_not_taken", f"{name} does not support the language {requested}")
        if self._loses_redaction(name, row, recording):
            reason = f"{name} has no redact_pii among its options, and {recording['provider']} has"
            return Refusal("redaction_not_taken", reason)
        capabilities, file = self.load(name).capabilities, None if self.needs_conversion(name, row, media) else media
        refusal = self._why_format_refused(name, row, file) or why_refused(
            capabilities, file, row.get("duration_ms"), language
        )
        return refusal._replace(reason=f"{name} cannot take this media object: {refusal.reason}") if refusal else None

    def why_outside(self, row: MediaRow) -> Refusal | None:
        """Return why the present provider must not get the media object, or None if it may.

        The row may be older than the stack's residency, and a media object of it may name any provider.
        """
        reason = why_outside(row["provider"], self.residency)
        return Refusal("outside_residency", reason) if reason else None

    def _loses_redaction(self, name: str, row: MediaRow, recording: RecordingRow) -> bool:
        """Return whether the recording is to be redacted, and nobody decided what this provider redacts.

        Each provider has names of its own for what it redacts, so that fail-over cannot pass them on.
        """
        wanted = self.options_for(recording["provider"], row, recording).get("redact_pii")
        return bool(wanted) and "redact_pii" not in self.options_for(name, row, recording)

    def _why_format_refused(self, name: str, row: MediaRow, file: MediaObject | None) -> Refusal | None:
        formats = self.formats(name)
        if file is None or file.format in formats:
            return None
        reason = f"its format is {file.format}, not one of {', '.join(sorted(formats))}"
        if "unprepared" in row:
            reason = f"{reason}, and it cannot be converted: {row['unprepared']}"
        return Refusal("format_not_taken", reason)

    def after(self, row: MediaRow, recording: RecordingRow) -> str | None:
        """Return the next untried provider of the recording's fail-over list, else the stack's; None after the last.

        Providers outside of the residency are passed over.
        """
        tried = tried_providers(row)
        names = (name for name in recording.get("failover", self.failover) if not why_outside(name, self.residency))
        return next((name for name in names if name not in tried), None)


def why_refused(
    capabilities: Capabilities, media: MediaObject | None, duration_ms: int | None, language: str | None = None
) -> Refusal | None:
    """Return which limit of a provider a media object exceeds; None if it exceeds none.

    `media` is None if its size is not known yet.
    """
    if media is not None and capabilities.max_bytes is not None and media.size > capabilities.max_bytes:
        return Refusal("too_large", f"its size is {media.size} bytes, over the limit of {capabilities.max_bytes}")
    minutes = None if duration_ms is None else duration_ms / 60_000
    if capabilities.max_minutes is not None and minutes is not None and minutes > capabilities.max_minutes:
        reason = f"its length is {minutes:.0f} minutes, over the limit of {capabilities.max_minutes}"
        return Refusal("too_large", reason)
    if language and capabilities.languages is not None and language not in capabilities.languages:
        reason = f"its language is {language}, not one of {', '.join(sorted(capabilities.languages))}"
        return Refusal("language_not_taken", reason)
    return None
