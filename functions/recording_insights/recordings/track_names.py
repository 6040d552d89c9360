"""Names of speakers and of tracks in a response: the name of the speaker, or the uid."""

from collections import Counter
from collections.abc import Mapping

from recording_insights.model.parts import continuation_suffix
from recording_insights.store.rows import MediaRow, Speakers


def names_in(speakers: Speakers, media_id: str) -> Mapping[str, str]:
    """Return the names that hold within a media object: its own ones before those of the whole recording."""
    own = speakers.get(media_id)
    everywhere = {label: name for label, name in speakers.items() if isinstance(name, str)}
    return {**everywhere, **own} if isinstance(own, Mapping) else everywhere


def distinct_names(speakers: Mapping[str, str]) -> dict[str, str]:
    """Return a distinct name for each uid: `{"1": "Ann (1)", "2": "Ann (2)", "3": "Bob"}`.

    Somebody who joins with a laptop and a phone has two uids and one name.
    """
    uids = Counter(speakers.values())
    return {uid: name if uids[name] == 1 else f"{name} ({uid})" for uid, name in speakers.items()}


def track_prefix(item: MediaRow, names: Mapping[str, str], separator: str) -> str:
    """Return the name of a media object's track and the separator; empty if it holds more than one voice."""
    return names.get(item["uid"], item["uid"]) + continuation_suffix(item) + separator if "uid" in item else ""
