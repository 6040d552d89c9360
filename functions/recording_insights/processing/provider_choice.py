"""Who gets a media object: the provider it was admitted for, then those of the fail-over list that can take it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recording_insights.model.media_object import MediaObject
from recording_insights.providers.port import Capabilities, Provider
from recording_insights.store.rows import MediaRow, RecordingRow
from recording_insights.validation import Reader

SHARED_OPTIONS = ("language", "custom_vocabulary", "speakers")
"""Options that mean the same wherever a provider has them: they go with the recording from one to the next."""


@dataclass(frozen=True)
class ProviderChoice:
    """The stack's providers; `options` are its own for each, `checks` what each one's options may be."""

    load: Callable[[str], Provider]
    checks: Callable[[str], Mapping[str, Reader[Any]]]
    options: Mapping[str, Mapping[str, Any]]
    failover: Sequence[str]

    def options_for(self, name: str, recording: RecordingRow) -> dict[str, Any]:
        """The stack's options of a provider under those of the recording, as far as it understands them."""
        wanted: Mapping[str, Any] = recording.get("options", {})
        if name != recording["provider"]:
            checks = self.checks(name)
            wanted = {
                key: wanted[key]
                for key in SHARED_OPTIONS
                if key in wanted and key in checks and checks[key].accepts(wanted[key])
            }
        return {**self.options.get(name, {}), **wanted}

    def why_unfit(self, name: str, item: MediaRow, media: MediaObject, recording: RecordingRow) -> str | None:
        """Why a provider cannot take a media object; None if it can."""
        asked = recording.get("options", {}).get("language")
        language = self.options_for(name, recording).get("language")
        if asked and asked != language:
            return f"{name} cannot be asked for the language {asked}"
        refusal = why_refused(self.load(name).capabilities, media, item.get("duration_ms"), language)
        return f"{name} cannot take this media object: {refusal}" if refusal else None

    def after(self, item: MediaRow, recording: RecordingRow) -> str | None:
        """The next of the fail-over list, the recording's own or the stack's, that was not tried; None if all were."""
        tried = {item["provider"], *(given_up["provider"] for given_up in item.get("given_up", ()))}
        return next((name for name in recording.get("failover", self.failover) if name not in tried), None)


def why_refused(
    capabilities: Capabilities, media: MediaObject, duration_ms: Any, language: str | None = None
) -> str | None:
    """Which limit of the provider a media object exceeds; None if it can take it."""
    if media.format not in capabilities.formats:
        return f"it takes {', '.join(sorted(capabilities.formats))}, not {media.format}"
    if capabilities.max_bytes is not None and media.size > capabilities.max_bytes:
        return f"{media.size} bytes, it takes {capabilities.max_bytes}"
    minutes = None if duration_ms is None else int(duration_ms) / 60_000
    if capabilities.max_minutes is not None and minutes is not None and minutes > capabilities.max_minutes:
        return f"{minutes:.0f} minutes long, it takes {capabilities.max_minutes}"
    if language and capabilities.languages is not None and language not in capabilities.languages:
        return f"it knows {', '.join(sorted(capabilities.languages))}, not {language}"
    return None
