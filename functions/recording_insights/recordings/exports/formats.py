"""The formats of insights: which one a caller wants, and the file in it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from recording_insights.errors import AnswerTooLarge, InvalidRequest
from recording_insights.recordings.insights_answer import ANSWER_BYTES, INSIGHTS_PARAMETERS, whole_insights
from recording_insights.recordings.transcript import ReadWords, no_words
from recording_insights.store.insights import Collection
from recording_insights.validation import Reader, one_of

JSON = "json"
Writer = Callable[[Mapping[str, Any]], str]
"""Makes a file of the whole answer of `insights_answer`."""


@dataclass(frozen=True)
class Format:
    """A format beside JSON. A browser shows it if `is_shown`, and otherwise saves it.

    `has_words` if it makes use of the times of words. `writer` names the module of this package and
    the function that writes it. It is loaded for the first such file: a function that answers JSON starts without it.
    """

    media_type: str
    writer: str
    is_shown: bool = False
    has_words: bool = False

    def write(self, answer: Mapping[str, Any]) -> str:
        """Return the file as a text."""
        module, _, function = self.writer.partition(".")
        write: Writer = getattr(import_module(f"{__package__}.{module}"), function)
        return write(answer)


FORMATS: Mapping[str, Format] = {
    "srt": Format("application/x-subrip", "captions.write_srt", has_words=True),
    "vtt": Format("text/vtt", "captions.write_vtt", has_words=True),
    "txt": Format("text/plain", "text.write_txt", is_shown=True),
    "md": Format("text/markdown", "text.write_md"),
    "csv": Format("text/csv", "table.write_csv"),
    "html": Format("text/html", "page.write_html", is_shown=True),
}
"""By the value of the parameter `format`, which is the suffix of the file too."""

EXPORT_PARAMETERS: Mapping[str, Reader[Any]] = {
    **INSIGHTS_PARAMETERS,
    "format": one_of(JSON, *FORMATS),
}
"""The query parameters of insights in any format."""


_OF_PAGES = ("cursor", "limit", "include")


@dataclass(frozen=True)
class Export:
    """The insights of a recording as a file, and the headers that it is sent with."""

    text: str
    headers: Mapping[str, str]


def wanted_format(query: Mapping[str, str], accept: str) -> str:
    """Return the format that a request asks for: its parameter, or what it accepts best. JSON if it asks for none.

    `accept` is the header of this name. A type in it that is no format is passed over. One that takes anything as well
    means JSON: some HTTP clients send `text/html, */*` on their own.

    Raises:
        InvalidRequest: there is no such format, or it has no pages and the request asks for a page.
    """
    if "format" in query:
        wanted: str = EXPORT_PARAMETERS["format"]("format", query["format"])
    else:
        wanted = next(_accepted(accept), JSON)
    for name in _OF_PAGES:
        if wanted != JSON and name in query:
            raise InvalidRequest(name, f"is for {JSON}; {wanted} has the whole transcript, with its corrections")
    return wanted


def export_insights(
    recording_id: str, collection: Collection, wanted: str, *, read_words: ReadWords = no_words
) -> Export:
    """Return the whole transcript, and what else the format has a place for, as a file.

    Raises:
        NotFound: there is no such recording.
        AnswerTooLarge: Lambda cannot return so much.
    """
    chosen = FORMATS[wanted]
    answer = whole_insights(recording_id, collection, read_words if chosen.has_words else no_words)
    fits = sum(len(line["text"]) for line in answer["transcript"]) <= ANSWER_BYTES
    text = chosen.write(answer) if fits else ""
    # Lambda counts the body as a JSON string.
    if not fits or len(json.dumps(text)) > ANSWER_BYTES:
        raise AnswerTooLarge(f"the transcript is too long for {wanted}; read it as JSON, page by page")
    disposition = "inline" if chosen.is_shown else "attachment"
    headers = {
        "content-type": f"{chosen.media_type}; charset=utf-8",
        "content-disposition": f'{disposition}; filename="recording-{recording_id}.{wanted}"',
    }
    return Export(text, headers)


def _accepted(accept: str) -> Iterator[str]:
    """Yield the formats that a header `Accept` names, the best first; none if it takes anything."""
    by_type = {"application/json": JSON, **{each.media_type: name for name, each in FORMATS.items()}}
    ranges = list(map(_parts, accept.split(",")))
    if any(media_type == "*/*" for media_type, *_ in ranges):
        return
    weighed = [(_weight(parameters), media_type) for media_type, *parameters in ranges]
    for weight, media_type in sorted(weighed, key=lambda each: -each[0]):
        if weight > 0 and media_type in by_type:
            yield by_type[media_type]


def _parts(media_range: str) -> list[str]:
    return [part.strip().lower() for part in media_range.split(";")]


def _weight(parameters: list[str]) -> float:
    """Return the weight of a media range: 1 without one, and 0 if it is no number.

    Source: https://www.rfc-editor.org/rfc/rfc9110#name-accept
    """
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0
    return 1
