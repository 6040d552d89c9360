"""A line of a transcript as a caller sees it: corrected, with the name of its speaker, and with an id."""

from typing import Any, NamedTuple

from recording_insights.recordings.insights_timeline import Line
from recording_insights.recordings.track_names import names_in
from recording_insights.store.rows import Speakers
from recording_insights.validation import matching

CORRECTABLE = ("text", "speaker")

line_id = matching(r"[0-9a-z]{1,64}-[0-9]{1,6}-[0-9]{1,6}", "must be the id of a line")
"""The id of a line, as `GET …/insights` gives it."""


class LinePlace(NamedTuple):
    """Where a line is stored: media object, number of the try, number of the line from 1."""

    media_id: str
    number_of_try: int
    line: int

    @property
    def id(self) -> str:
        """The id of the line."""
        return f"{self.media_id}-{self.number_of_try}-{self.line}"

    @classmethod
    def of_id(cls, id_of_line: str) -> "LinePlace":
        """Return the place that an id of a line names."""
        media_id, number_of_try, line = id_of_line.split("-")
        return cls(media_id, int(number_of_try), int(line))


def shown_line(line: Line, speakers: Speakers, *, has_original: bool = False) -> dict[str, Any]:
    """Return a line as it is shown. `has_original` shows beside a correction what the provider had there.

    A correction of the text leaves the words out: they are no longer those of the text.
    """
    utterance, correction = line.utterance, line.correction
    shown = utterance.to_map()
    if utterance.number:
        shown["id"] = LinePlace(line.media_id, line.number_of_try, utterance.number).id
    if correction is not None:
        corrected = {name: value for name, value in correction.items() if name in CORRECTABLE}
        if has_original:
            shown["original"] = {name: shown[name] for name in CORRECTABLE if name in shown}
        shown |= {**corrected, "corrected": True}
    if utterance.words and "text" not in (correction or ()):
        shown["words"] = [word.to_map() for word in utterance.words]
    if name := names_in(speakers, line.media_id).get(shown.get("speaker", "")):
        shown["speaker_name"] = name
    return shown
