"""Which format a caller gets, and the file in it."""

import json
from collections.abc import Mapping

import pytest

from recording_insights.errors import AnswerTooLarge, InvalidRequest, NotFound
from recording_insights.http.edge import TextResponse
from recording_insights.model.insights import Insights, Utterance
from recording_insights.recordings import insights_answer
from recording_insights.recordings.exports.formats import FORMATS, export_insights, wanted_format
from recording_insights.store.insights import Collection
from tests.unit.recordings.test_insights_answer import LAMBDA_LIMIT, R, collection_of

SPEECH = Insights(transcript=[Utterance("Good morning.", "7", 0, 900)])
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
"""The default of HttpURLConnection."""


@pytest.mark.parametrize(
    ("query", "accept", "wanted"),
    [
        ({}, "", "json"),
        ({}, "*/*", "json"),
        ({}, "text/vtt", "vtt"),
        ({}, "Text/VTT; charset=utf-8", "vtt"),
        ({}, "text/html", "html"),
        ({}, CHROME, "json"),
        ({}, JAVA, "json"),
        ({}, "text/csv;q=0.5, application/x-subrip ; q=0.7, application/json;q=0.1", "srt"),
        ({}, "text/csv;q=0, application/json", "json"),
        ({}, "text/csv;q=nan, text/markdown;q=high", "json"),
        ({}, "application/pdf", "json"),
        ({}, ",;;q=,=", "json"),
        ({"format": "txt"}, "text/html", "txt"),
        ({"format": "json", "cursor": "m0-1"}, "text/html", "json"),
    ],
)
def test_the_parameter_decides_then_what_the_caller_accepts_best(
    query: Mapping[str, str], accept: str, wanted: str
) -> None:
    assert wanted_format(query, accept) == wanted


@pytest.mark.parametrize(
    ("query", "accept", "field"),
    [
        ({"format": "pdf"}, "", "format"),
        ({"format": ""}, "", "format"),
        ({"format": "SRT"}, "", "format"),
        ({"format": "srt", "cursor": "m0-1"}, "", "cursor"),
        ({"cursor": "m0-1"}, "text/csv", "cursor"),
    ],
)
def test_an_unknown_format_and_a_page_of_a_file_are_refused(query: Mapping[str, str], accept: str, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        wanted_format(query, accept)
    assert refused.value.field == field


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_file_has_its_type_and_a_name_that_is_safe(wanted: str) -> None:
    export = export_insights(R, collection_of(("0.mp4", SPEECH)), wanted)

    assert "Good morning." in export.text
    disposition = "inline" if wanted in ("txt", "html") else "attachment"
    assert export.headers["content-disposition"] == f'{disposition}; filename="recording-{R}.{wanted}"'
    assert export.headers["content-type"] == f"{FORMATS[wanted].media_type}; charset=utf-8"
    event = TextResponse(export.text, headers=export.headers).event()
    assert event["body"] == export.text
    assert event["headers"].items() >= {**export.headers, "cache-control": "no-store"}.items()


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_recording_without_insights_has_a_file_and_an_unknown_one_has_none(wanted: str) -> None:
    assert isinstance(export_insights(R, collection_of(), wanted).text, str)
    with pytest.raises(NotFound):
        export_insights(R, Collection({}, {}, {}), wanted)


def test_a_file_that_lambda_cannot_return_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "recording_insights.recordings.exports.formats.ANSWER_BYTES"
    collection = collection_of(("0.mp4", SPEECH))
    limit = insights_answer.ANSWER_BYTES
    assert limit < LAMBDA_LIMIT
    for wanted in FORMATS:
        monkeypatch.setattr(name, limit)
        size = len(json.dumps(export_insights(R, collection, wanted).text))
        monkeypatch.setattr(name, size)
        export_insights(R, collection, wanted)
        monkeypatch.setattr(name, size - 1)
        with pytest.raises(AnswerTooLarge, match=f"too long for {wanted}; read it as JSON, page by page"):
            export_insights(R, collection, wanted)


def test_a_file_has_the_lines_of_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insights_answer, "ANSWER_BYTES", 1)
    many = Insights(transcript=[Utterance(f"Line {number}.") for number in range(50)])

    assert export_insights(R, collection_of(("0.mp4", many)), "txt").text.count("\n") == 50
