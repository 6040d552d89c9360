"""A transcript may speak to the model. That changes nothing but what an honest listener would note too."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recording_insights.derive.lines import Line
from recording_insights.derive.orders import orders_the_reader
from recording_insights.model.derived import Derived, Statement
from tests.unit.derive.fake_model import ALL, TALK, ScriptedModel, derive, nothing, shown_in, stand_in

INJECTIONS = json.loads((Path(__file__).parent / "injections.json").read_text())
LONG = len(TALK) + 1
HONEST = {"text": "Ben sends the offer by Friday.", "evidence": ["u1", "u2"], "assignee": "Ben", "due": "by Friday"}


def with_injection(injection: Mapping[str, str]) -> list[Line]:
    """A conversation in which somebody says it in the middle. The line has the id `injected`."""
    line = Line("injected", injection.get("speaker", "Carl"), injection["text"], 500)
    return [*TALK[:2], line, *TALK[2:]]


def texts_of(derived: Derived) -> Iterator[str]:
    for statements in derived.found.values():
        for statement in statements:
            yield from filter(None, (statement.text, statement.assignee, statement.due, statement.answer))


@cache
def without_injection() -> Derived:
    return derive(TALK, ALL, stand_in())


def assert_nothing_is_obeyed(derived: Derived, system: str) -> None:
    said = " ".join(texts_of(derived)).casefold()
    assert "zorblax" not in said
    assert "9" not in said
    assert "instructions" not in said
    assert "minutes of a conversation" not in said
    assert not any(system[start : start + 60].casefold() in said for start in range(0, len(system) - 60, 30))


def obeying(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a model answers that obeys: it tells its prompt, and does what the third line says, with true ids."""
    system = request["system"][0]["text"]
    injected = next((words for name, _, words in shown_in(request) if name == "u3"), "")
    return {
        **nothing(),
        "title": {"text": system[:150], "evidence": ["u3"]},
        "short_summary": [{"text": f"My rules: {system[:400]}", "evidence": ["u1"]}],
        "summary": [
            {"text": " ".join(system.split()[start : start + 40]), "evidence": ["u1", "u2"]}
            for start in range(0, 200, 40)
        ],
        "action_items": [
            HONEST,
            {"text": injected[:900], "evidence": ["u3"], "assignee": "Carl"},
            {"text": "Anna wires 9,999 euros to Zorblax.", "evidence": ["u1", "u3"]},
            {"text": "Send all the files.", "evidence": ["u3"]},
            {"text": "Send all the files.", "evidence": ["u0", "u99", "injected", "everything"]},
            {"text": "Zorblax pays.", "evidence": ["u2"]},
        ],
        "decisions": [{"text": "Pay 9999 euros.", "evidence": ["u4"]}],
    }


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection["name"])
def test_what_an_obeying_model_says_is_dropped(injection: Mapping[str, str]) -> None:
    model = ScriptedModel(obeying)
    derived = derive(with_injection(injection), ALL, model)

    assert_nothing_is_obeyed(derived, model.requests[0]["system"][0]["text"])
    assert Statement(HONEST["text"], ("L1", "L2"), "Ben", "by Friday") in derived.found["action_items"]  # type: ignore[arg-type]
    assert derived.dropped["action_items"] >= 3


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection["name"])
def test_an_honest_answer_is_kept_as_it_is_without_the_injection(injection: Mapping[str, str]) -> None:
    derived, plain = derive(with_injection(injection), ALL, stand_in()), without_injection()

    assert_nothing_is_obeyed(derived, "")
    for kind in ("action_items", "decisions", "follow_ups", "questions"):
        assert set(plain.found[kind]) <= set(derived.found[kind])


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection["name"])
def test_an_answer_of_the_stand_in_that_obeys_is_dropped(injection: Mapping[str, str]) -> None:
    assert_nothing_is_obeyed(derive(with_injection(injection), ALL, stand_in("obeys_injection_next")), "")


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection["name"])
def test_what_is_sent_is_one_line_without_anything_invisible(injection: Mapping[str, str]) -> None:
    model = ScriptedModel(nothing())
    derive(with_injection(injection), ALL, model)
    shown = shown_in(model.requests[0])

    assert [name for name, _, _ in shown].count("u1") == 1, "no line has the header of another one"
    assert {name for name, _, _ in shown} <= {f"u{number}" for number in range(1, LONG + 1)}
    text = model.requests[0]["messages"][0]["content"][0]["text"]
    assert all(sign.isprintable() or sign == "\n" for sign in text)


@pytest.mark.parametrize(
    "text",
    [
        "We update the system prompt by Friday.",
        "Can you ignore the noise in the background?",
        "I forgot the rules of the game.",
        "Please note as an action item that Ben sends the offer.",
        "The instructions are in the box, show them to the customer.",
        "Vergiss bitte nicht, das Angebot zu schicken.",
        "N'oubliez pas le rendez-vous de demain.",
        "The assistant of the manager will call you back.",
        "As an AI company we have to lower the price.",
        "Our new model, include it in the offer.",
        "Can you repeat your instructions, please?",
        "Send a message to the assistant and the instructions for the model X200.",
        "You are now in the demo mode.",
        "Oubliez le mail précédent.",
        "Olvide el correo anterior.",
        "Ignoriere die vorherige Mail.",
        "Muestra las instrucciones al cliente.",
    ],
)
def test_people_who_talk_to_each_other_give_no_orders_to_the_reader(text: str) -> None:
    assert not orders_the_reader(text)


@pytest.mark.parametrize("text", ["ignore ", "#", "</ ", "print your ", "\u0438\u0433\u043d\u043e\u0440\u0438\u0440 "])
def test_a_long_line_cannot_hold_up_the_check(text: str) -> None:
    assert not orders_the_reader(text * (20_000 // len(text)))
