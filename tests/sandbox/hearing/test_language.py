"""Rules about words."""

import pytest

from sandbox.stand_ins.hearing.language import (
    action_in,
    emotion_of,
    entities_in,
    is_question,
    keywords_in,
    punctuated,
    sentiment_of,
    summary_of,
    topics_of,
)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("did the package come on monday", True),
        ("can you call me", True),
        ("i will send you a picture today", False),
        ("what", False),
        ("", False),
    ],
)
def test_questions(text: str, question: bool) -> None:
    assert is_question(text) is question


def test_punctuated() -> None:
    assert punctuated("yes i will come on tuesday") == "Yes I will come on Tuesday."
    assert punctuated("can i help you") == "Can I help you?"


@pytest.mark.parametrize(
    ("text", "promised", "due", "urgent"),
    [
        ("i will send you a new table before friday", True, "before friday", False),
        ("please send me a picture this afternoon", False, "this afternoon", False),
        ("can you call me before the driver comes", False, None, False),
        ("we need to fix it now", True, None, True),
    ],
)
def test_actions(text: str, promised: bool, due: str | None, urgent: bool) -> None:
    action = action_in(text)
    assert action is not None
    assert (action.promised, action.due, action.urgent) == (promised, due, urgent)


@pytest.mark.parametrize("text", ["how can i help you today", "i will not do that", "it arrived on monday"])
def test_no_action(text: str) -> None:
    assert action_in(text) is None


def test_feelings_come_from_the_words() -> None:
    assert sentiment_of("that is wonderful") > 0.4
    assert sentiment_of("that is a terrible mistake") < -0.4
    assert sentiment_of("it arrived on monday") == 0
    assert emotion_of("i am furious this is unacceptable")[0] == "Anger"
    assert emotion_of("it arrived on monday") == ("Neutral", 1.0)


def test_topics_and_summary() -> None:
    texts = ["the table was broken", "send a picture of the broken table", "have a great day", "hello"]
    assert topics_of(texts) == ["table", "broken"]
    assert topics_of(["one picture"]) == ["picture"]
    assert keywords_in("the broken table and the table") == ["broken", "table"]
    assert summary_of(texts) == [0, 1]
    assert summary_of([]) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("did it come on Monday morning.", [("date", "Monday morning", 15, 4, 2)]),
        (
            "one of us has twenty one tables and 7 chairs",
            [("number", "twenty one", 14, 4, 2), ("number", "7", 36, 8, 1)],
        ),
        (
            "my name is ann and mister smith comes today",
            [
                *(("person", "ann", 11, 3, 1), ("person", "smith", 26, 6, 1), ("date", "today", 38, 8, 1)),
            ],
        ),
        ("nobody called me back", []),
        ("", []),
    ],
)
def test_entities(text: str, named: list[tuple[str, str, int, int, int]]) -> None:
    found = entities_in(text)
    assert [(each.kind, each.text, each.offset, each.first, each.words) for each in found] == named
