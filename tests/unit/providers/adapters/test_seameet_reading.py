"""Payloads of SeaMeet's callbacks in the normalised shape."""

import json
from dataclasses import replace
from typing import Any

import pytest

from recording_insights.model.insights import Utterance
from recording_insights.providers.adapters.seameet.reading import read_insights
from tests.unit.providers.adapters.seameet_result import RESULT, reply


def test_the_payload() -> None:
    insights = read_insights(reply())
    assert insights.transcript == [Utterance("Hi, I'm calling to ask.", "test agent")]
    assert insights.summary == "Documents are missing."
    assert insights.ratings == {
        "customer_satisfaction_rating": "A",
        "agent_performance_feedback": "Clear instructions.",
        "title": "Documents",
    }
    assert insights.sentiment is None


def test_the_payload_as_json_text() -> None:
    body = json.dumps({"event": "dashboard_analysis_finished", "payload": json.dumps(RESULT["payload"])})
    assert read_insights(body.encode()) == read_insights(reply())


@pytest.mark.parametrize(
    ("transcript", "read"),
    [
        ([], []),
        (None, []),
        ([{"text": "您好 👋", "speaker": "客服"}], [("您好 👋", "客服")]),
        ([{"text": "a"}, {"text": "b", "speaker": None}, {"text": "c", "speaker": ""}], [(c, None) for c in "abc"]),
        ([{"text": "a", "speaker": 1}, {"text": "b", "speaker": ["x"]}], [("a", "1"), ("b", None)]),
        ([None, "a", {"speaker": "x"}, {"text": ""}, {"text": None}, {"text": {}}], []),
    ],
)
def test_transcripts(transcript: Any, read: list[tuple[str, str | None]]) -> None:
    for ensure_ascii in (False, True):
        body = json.dumps({"payload": {"transcript": transcript}}, ensure_ascii=ensure_ascii).encode()
        assert [(u.text, u.speaker) for u in read_insights(body).transcript] == read


@pytest.mark.parametrize("field", ["summary", "title", "risk_factor", "customer_satisfaction_rating"])
def test_a_part_of_the_wrong_type_is_lost_alone(field: str) -> None:
    whole = read_insights(reply(**{field: "as documented"}))
    ratings = {name: value for name, value in whole.ratings.items() if name != field}
    summary = None if field == "summary" else whole.summary
    for wrong in (None, [], {}, ["x"], {"a": 1}):
        assert read_insights(reply(**{field: wrong})) == replace(whole, ratings=ratings, summary=summary)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[]", "it is no JSON object"),
        (b"7", "it is no JSON object"),
        (b"{}", "it has no field payload"),
        (b'{"payload": null}', "its field payload is no object"),
        (b'{"payload": "x"}', "its field payload is no object"),
        (b'{"payload": "[]"}', "its field payload is no object"),
        (b'{"payload": {}}', "it has no field transcript"),
        (reply(transcript="text"), "its field transcript is no list"),
        (reply(transcript={"text": "a"}), "its field transcript is no list"),
    ],
)
def test_without_a_transcript_it_is_no_result_and_the_error_names_the_field(body: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=rf"^{fault}$") as raised:
        read_insights(body)
    assert type(raised.value) is ValueError
