"""Conversations of Symbl in the normalised shape, in every form that is known or possible."""

import json
from typing import Any

import pytest

from recording_insights.model.insights import ActionItem, Entity, Insights, Question, Topic, Word
from recording_insights.providers.adapters.symbl.reading import read_insights

ISO = "2020-07-10T11:16:{:06.3f}Z".format
PRESENT: dict[str, Any] = {
    "topics": {"topics": []},
    "action-items": {"actionItems": []},
    "follow-ups": {"followUps": []},
    "questions": {"questions": []},
    "analytics": {"metrics": [], "members": []},
}


def read(messages: Any = (), **parts: Any) -> Insights:
    """The insights of a conversation with these messages and parts, whose names have _ for -."""
    given = {part.replace("_", "-"): value for part, value in parts.items()}
    reply = {"messages": {"messages": list(messages)}, **PRESENT, **given}
    return read_insights(json.dumps(reply).encode())


def times(*messages: dict[str, Any], **parts: Any) -> list[tuple[int | None, int | None]]:
    return [(u.start_ms, u.end_ms) for u in read(messages, **parts).transcript]


class TestTimes:
    def test_offsets_are_preferred(self) -> None:
        moments = {"startTime": ISO(50), "endTime": ISO(58)}
        assert times({"timeOffset": 5.9, "duration": 1, **moments}) == [(5900, 6900)]

    def test_offsets_as_texts(self) -> None:
        assert times({"timeOffset": "15.27", "duration": "1.23"}) == [(15270, 16500)]

    @pytest.mark.parametrize("zone", ["Z", "+00:00", "+0000"])
    def test_moments_count_from_the_first(self, zone: str) -> None:
        moments = [
            {"startTime": ISO(s).replace("Z", zone), "endTime": ISO(s + 2.5).replace("Z", zone)} for s in (21.024, 26)
        ]
        assert times(*moments) == [(0, 2500), (4976, 7476)]

    def test_moments_count_from_the_conversations_start(self) -> None:
        moment = {"startTime": ISO(21), "endTime": ISO(22)}
        assert times(moment, conversation={"startTime": ISO(20)}) == [(1000, 2000)]

    @pytest.mark.parametrize("began", [ISO(30), None, "yesterday", 7, "2020-07-10T11:16:20"])
    def test_a_start_that_makes_no_sense(self, began: Any) -> None:
        moment = {"startTime": ISO(21), "endTime": ISO(22)}
        assert times(moment, conversation={"startTime": began}) == [(0, 1000)]

    def test_moments_out_of_order_are_not_negative(self) -> None:
        assert times({"startTime": ISO(9)}, {"startTime": ISO(8)}) == [(1000, None), (0, None)]

    def test_an_offset_without_a_duration(self) -> None:
        assert times({"timeOffset": 3, "startTime": ISO(9), "endTime": ISO(10)}, {"timeOffset": 4}) == [
            (3000, 4000),
            (4000, None),
        ]

    @pytest.mark.parametrize("odd", [None, "soon", [], True, {}])
    def test_no_times(self, odd: Any) -> None:
        assert times({"startTime": odd, "endTime": odd, "timeOffset": odd, "duration": odd}) == [(None, None)]


class TestMessages:
    @pytest.mark.parametrize(
        ("source", "speaker"),
        [
            ({"name": "Roger", "email": "r@example.com"}, "Roger"),
            ({"id": "1", "name": None, "userId": "r@example.com"}, "r@example.com"),
            ({"id": "7"}, "7"),
            ({}, None),
            (None, None),
            ("Roger", None),
        ],
    )
    def test_speaker(self, source: Any, speaker: str | None) -> None:
        assert [u.speaker for u in read([{"text": "hi", "from": source}, {"text": "hi"}]).transcript] == [speaker, None]

    @pytest.mark.parametrize(
        ("sentiment", "score"),
        [
            ({"polarity": {"score": 0.6}, "suggested": "positive"}, 0.6),
            ({"polarity": {"score": -1.5}}, -1),
            ({"polarity": {}, "suggested": "negative"}, -1),
            ({"polarity": 0.3, "suggested": "neutral"}, 0),
            ({}, None),
            (None, None),
            ("positive", None),
        ],
    )
    def test_sentiment(self, sentiment: Any, score: float | None) -> None:
        found = read([{"text": "hi", "sentiment": sentiment}])
        assert found.transcript[0].sentiment == score
        assert found.sentiment == (None if score is None else round(score, 2))

    def test_confidence_is_the_mean_of_the_words(self) -> None:
        words: list[Any] = [{"score": 0.91}, {"score": 0.8}, {"word": "x"}, {"score": None}, 7]
        found = read([{"text": "hi", "words": words}, {"text": "hi", "words": {}}])
        assert [u.confidence for u in found.transcript] == [0.855, None]

    def test_every_script(self) -> None:
        text = "こんにちは 👋🏽 שלום"
        found = read([{"text": text, "from": {"name": "Zoë"}}], summary={"summary": [{"text": text}]})
        assert (found.transcript[0].text, found.transcript[0].speaker, found.summary) == (text, "Zoë", text)

    def test_nobody_spoke(self) -> None:
        lists = ("transcript", "topics", "action_items", "follow_ups", "questions", "entities", "missing")
        nothing: dict[str, Any] = {name: [] for name in lists}
        assert read() == Insights(**nothing)

    def test_half_a_message(self) -> None:
        assert [u.text for u in read([None, {"text": None}, 7, {}]).transcript] == ["", ""]

    @pytest.mark.parametrize(
        ("reply", "fault"),
        [
            ("x", "it is not JSON"),
            ("[]", "it is no JSON object"),
            ("null", "it is no JSON object"),
            ("{}", "it has no field messages"),
            ('{"messages": null}', "its field messages is no object"),
            ('{"messages": []}', "its field messages is no object"),
            ('{"messages": {}}', "it has no field messages"),
            ('{"messages": {"messages": 7}}', "its field messages is no list"),
        ],
    )
    def test_without_messages_the_error_names_the_field(self, reply: str, fault: str) -> None:
        with pytest.raises(ValueError, match=rf"^{fault}$") as raised:
            read_insights(reply.encode())
        assert type(raised.value) is ValueError


class TestInsights:
    def test_as_documented(self) -> None:
        action = {"text": "Plan it.", "assignee": {"name": "Vikram"}, "dueBy": "2020-06-22T07:00:00.000Z", "score": 0.9}
        found = read(
            topics={"topics": [{"text": "interns", "score": 0.7178597920690242}, {"text": "rules"}]},
            action_items={"actionItems": [action, {"text": "And do it.", "assignee": {}}]},
            follow_ups={"followUps": [{"text": "Call.", "assignee": {"email": "x@example.com"}, "dueBy": None}]},
            questions={"questions": [{"text": "Why?", "from": {}}]},
            summary={"summary": [{"text": "One."}, {"text": "Two."}]},
        )
        assert found.topics == [Topic("interns", 0.7178597920690242), Topic("rules")]
        assert found.action_items == [
            ActionItem("Plan it.", "Vikram", "2020-06-22T07:00:00.000Z"),
            ActionItem("And do it."),
        ]
        assert found.follow_ups == [ActionItem("Call.", "x@example.com")]
        assert found.questions == [Question("Why?")]
        assert found.summary == "One. Two."

    def test_ratings(self) -> None:
        member = {
            "id": "9",
            "name": "Speaker 1",
            "pace": {"wpm": 68},
            "talkTime": {"percentage": 40.912, "seconds": 23.4},
        }
        found = read(
            analytics={"metrics": [{"type": "total_silence", "percent": 29.061}], "members": [member, {"pace": None}]},
            trackers_detected=[
                {"name": "Promotion", "matches": [{"messageRefs": [{}, {}]}, {"messageRefs": [{}]}, {}]}
            ],
            entities={
                "entities": [{"customType": "Title", "text": "x", "messageRefs": [{}]}, {"type": "date", "text": "x"}]
            },
        )
        assert found.ratings == {
            "total_silence_percent": 29.061,
            "talk_time_percent:Speaker 1": 40.912,
            "talk_time_seconds:Speaker 1": 23.4,
            "pace_wpm:Speaker 1": 68,
            "tracker:Promotion": 3,
            "entity:Title": 1,
            "entity:date": 0,
        }

    def test_trackers_from_the_old_path(self) -> None:
        old = [{"name": "T", "matches": [{"messageRefs": [{}]}]}]
        assert read(trackers_detected={"message": "Cannot GET"}, trackers=old).ratings == {"tracker:T": 1}

    @pytest.mark.parametrize("part", PRESENT)
    def test_a_part_that_did_not_come_is_missing(self, part: str) -> None:
        found = read([{"text": "hi"}], **{part: {"message": "not found"}})
        assert found.missing == [f"{part}: not found"]
        assert len(found.transcript) == 1

    @pytest.mark.parametrize("came", [None, {}, [], "text"])
    def test_parts_of_another_form_are_missing_without_a_reason(self, came: Any) -> None:
        found = read([{"text": "hi"}], **dict.fromkeys(PRESENT, came))
        assert found.missing == [f"{part}: no reason given" for part in PRESENT]

    @pytest.mark.parametrize("odd", [None, 7, "text", {}, [None, 7, "text", {}, {"text": None}]])
    def test_odd_types_lose_their_part_only(self, odd: Any) -> None:
        keys = {"topics": "topics", "action-items": "actionItems", "follow-ups": "followUps", "questions": "questions"}
        parts: dict[str, Any] = {part: {key: odd} for part, key in keys.items()}
        found = read(
            [{"text": "hi"}],
            **parts,
            analytics={"metrics": odd, "members": None},
            summary={"summary": odd},
            entities={"entities": 7},
            trackers_detected={"odd": odd},
            conversation=odd,
        )
        assert [u.text for u in found.transcript] == ["hi"]
        assert (found.topics, found.action_items, found.summary, found.missing) == ([], [], None, [])


def test_words_are_placed_by_their_offsets_or_by_their_moments() -> None:
    moments = {"startTime": "2026-03-12T10:00:05.000Z", "endTime": "2026-03-12T10:00:07.000Z"}
    first = {"word": "Good", "timeOffset": 5.1, "duration": 0.4, "score": 0.9}
    second = {"word": "day.", "startTime": "2026-03-12T10:00:06.000Z", "endTime": "2026-03-12T10:00:06.500Z"}
    message = {"text": "Good day.", "timeOffset": 5, "duration": 2, **moments, "words": [first, second]}
    [spoken] = read_insights(json.dumps({"messages": {"messages": [message]}}).encode()).transcript
    assert spoken.words == [Word("Good", 5100, 5500, 0.9), Word("day.", 6000, 6500)]
    unplaced = {**message, "words": [first, {"word": "day."}]}
    [spoken] = read_insights(json.dumps({"messages": {"messages": [unplaced]}}).encode()).transcript
    assert not spoken.words, "all of a line or none"


GREETING: dict[str, Any] = {
    "id": "m1",
    "text": "The name is Jamie Smith.",
    "timeOffset": 1,
    "duration": 5,
    "words": [
        {"word": word, "timeOffset": 1 + number, "duration": 1}
        for number, word in enumerate(("The", "name", "is", "Jamie", "Smith."))
    ],
}


def entities(*found: Any, message: dict[str, Any] = GREETING) -> list[Entity]:
    return [*read([message], entities={"entities": list(found)}).entities]


def named(**changes: Any) -> dict[str, Any]:
    ref = {"id": "m1", "text": GREETING["text"], "offset": 12}
    return {"type": "person", "value": "jamie smith", "text": "jamie smith", "messageRefs": [ref], **changes}


class TestEntities:
    def test_an_entity_has_the_times_of_its_words(self) -> None:
        assert entities(named()) == [Entity("jamie smith", "person", 4000, 6000)]

    def test_one_for_each_message(self) -> None:
        refs = [{"id": "m1", "offset": 12}, {"id": "m1", "offset": 0}, {"id": "gone", "offset": 0}, {}, "odd"]
        assert entities(named(type="custom", customType="Sales People", text="Jamie", messageRefs=refs)) == [
            Entity("Jamie", "sales_people", 4000, 5000),
            Entity("Jamie", "sales_people", 1000, 3000),
            Entity("Jamie", "sales_people"),
            Entity("Jamie", "sales_people"),
        ]

    @pytest.mark.parametrize("offset", [None, -1, 10**9, "x"])
    def test_without_its_words_it_has_the_times_of_its_message(self, offset: Any) -> None:
        ref = {"id": "m1", "offset": offset}
        assert entities(named(messageRefs=[ref])) == [Entity("jamie smith", "person", 1000, 6000)]
        without = {**GREETING, "words": None}
        assert entities(named(), message=without) == [Entity("jamie smith", "person", 1000, 6000)]

    @pytest.mark.parametrize("field", ["detectedValue", "value"])
    def test_the_later_form_with_matches(self, field: str) -> None:
        match = {field: "Jamie", "messageRefs": [{"id": "m1", "offset": 12}]}
        of_later_form = {"id": "1", "type": "PII", "subType": "PERSON_NAME", "category": "Managed"}
        assert entities({**of_later_form, "matches": [match, {"messageRefs": 7}]}) == [
            Entity("Jamie", "person_name", 4000, 5000)
        ]

    def test_odd_ones_cost_only_themselves(self) -> None:
        odd = [None, 7, {}, named(text=None, value=None), named(type=None), named(text="", value=[])]
        assert entities(*odd, named(messageRefs=7)) == [Entity("jamie smith", "person")]
