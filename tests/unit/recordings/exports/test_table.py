"""CSV, read by the standard library's reader."""

import csv
import io

import pytest

from recording_insights.model.insights import Utterance
from recording_insights.recordings.exports.lines import one_line
from recording_insights.recordings.exports.table import COLUMNS, write_csv
from tests.unit.recordings.exports.whole import HOSTILE, hostile, whole


def records(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_each_line_is_a_record_below_the_header() -> None:
    answer = whole(Utterance('Yes, "now".', "7", 0, 900, -0.5, 0.9), Utterance("No"), speakers={"7": "Ann"})

    text = write_csv(answer)

    assert text == (
        "start_ms,end_ms,speaker,speaker_name,text,sentiment,confidence\r\n"
        '0,900,7,Ann,"Yes, ""now"".",-0.5,0.9\r\n'
        ",,,,No,,\r\n"
    )
    assert records(text)[1] == ["0", "900", "7", "Ann", 'Yes, "now".', "-0.5", "0.9"]
    assert records(write_csv(whole())) == [list(COLUMNS)]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r\n=1+1", "\u202e=1+1", "\0\ufeff", "＝1+1"]
)
def test_no_text_is_a_formula(text: str) -> None:
    [_, record] = records(write_csv(whole(Utterance(text, text), speakers={text: text})))

    for field in record[2:5]:
        assert field[0] in "'\ufffd"
        assert field.removeprefix("'") == one_line(text)


def test_hostile_records_are_read_as_they_were_meant() -> None:
    read = records(write_csv(hostile()))

    assert [len(record) for record in read] == [len(COLUMNS)] * (1 + 2 * len(HOSTILE))
    assert [record[4].removeprefix("'") for record in read[1:]] == 2 * [one_line(text) for text in HOSTILE]
