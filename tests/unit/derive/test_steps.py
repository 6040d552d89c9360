"""A conversation goes in, calls of a model follow one by one, and statements with their proof come out."""

import json
from dataclasses import replace
from typing import Any

import pytest

from recording_insights.derive.brief import Brief, default_kinds
from recording_insights.derive.lines import Line, digest_of
from recording_insights.derive.models import family_of, foundation_model
from recording_insights.derive.steps import advance, begin, give_up, result
from recording_insights.errors import ModelRefused, ModelUnusable, ProviderBusy, ReplyTooLarge
from recording_insights.model.derived import KINDS, SINGLE
from recording_insights.providers.registry import PROVIDERS
from tests.unit.derive.fake_model import (
    ALL,
    HAIKU,
    LLAMA,
    NOVA,
    TALK,
    ScriptedModel,
    derive,
    nothing,
    reply,
    said,
    shown_in,
    stand_in,
)

TITLE = {"text": "The offer", "evidence": ["u1"]}
ONLY_TITLE = replace(ALL, kinds=("title",))
ARABIC = said(
    "صباح الخير، هل يمكنك إرسال العرض إلى العميل يوم ٥ مايو؟", "نعم، سأرسل العرض.", "قررنا خفض السعر إلى ٤٧١١ يورو."
)


@pytest.mark.parametrize("model", [HAIKU, NOVA])
def test_a_short_conversation_is_one_call_in_each_form(model: str) -> None:
    derived = derive(TALK, Brief(model, KINDS), stand_in())

    assert derived.usage.calls == 1
    assert not derived.missing
    assert not derived.dropped
    assert set(derived.found) == set(KINDS)
    action = derived.found["action_items"][0]
    assert (action.assignee, action.due, action.evidence) == ("Ben", "by Friday", ("L1", "L2"))
    assert derived.found["chapters"][0].start_ms == 1000


def test_a_model_without_forms_is_asked_in_words() -> None:
    model = ScriptedModel(reply(f"Here you are:\n```json\n{json.dumps({'title': TITLE})}\n```\nAnything else?"))
    derived = derive(TALK, Brief(LLAMA, ("title",)), model)

    assert derived.found["title"][0].text == "The offer"
    assert not {"outputConfig", "toolConfig"} & model.requests[0].keys()
    assert '"additionalProperties":false' in model.requests[0]["system"][0]["text"]


def test_a_form_that_is_refused_is_not_asked_for_again() -> None:
    refused = ModelRefused("This model doesn't support the outputConfig field.")
    no_tool = ModelRefused("This model doesn't support the toolConfig.toolChoice.any field.")
    model = ScriptedModel(refused, no_tool, nothing("title"), nothing("title"))
    brief = Brief("a-new.model-v1:0", ("title",))
    progress = begin(TALK, brief)
    for _ in range(2):
        progress, answer = advance(progress, TALK, brief, model)
        assert (answer, progress.is_over, progress.usage.calls) == (None, False, 0)
    progress, answer = advance(progress, TALK, brief, model)

    assert answer is not None
    assert answer.number == 1
    assert json.loads(answer.body)["stopReason"] == "end_turn"
    assert [("outputConfig" in request, "toolConfig" in request) for request in model.requests] == [
        (True, False),
        (False, True),
        (False, False),
    ]


def test_a_model_that_takes_no_form_is_not_asked_any_more() -> None:
    derived = derive(said(*["word " * 500] * 60), Brief(LLAMA, KINDS), ScriptedModel(ModelRefused("no")))
    assert derived.missing == tuple(f"{kind}: insights_model_refused" for kind in KINDS)


@pytest.mark.parametrize("error", [ProviderBusy("slow down"), ModelUnusable("no access")])
def test_a_model_that_cannot_be_asked_now_changes_nothing(error: Exception) -> None:
    with pytest.raises(type(error)):
        advance(begin(TALK, ALL), TALK, ALL, ScriptedModel(error))


BAD_ANSWERS = ["malformed_json_next", "schema_broken_next", "other_language_next", "content_filtered_next"]


@pytest.mark.parametrize("dial", [*BAD_ANSWERS, "cut_next"])
@pytest.mark.parametrize("model", [HAIKU, NOVA])
def test_what_goes_wrong_once_is_asked_again(model: str, dial: str) -> None:
    derived = derive(TALK, Brief(model, KINDS), stand_in(dial))

    assert derived.usage.calls >= 2
    assert not derived.missing
    assert set(derived.found) == set(KINDS)


@pytest.mark.parametrize("dial", [*BAD_ANSWERS, "guardrail_next"])
def test_what_goes_wrong_twice_is_missing_with_its_reason(dial: str) -> None:
    derived = derive(TALK, replace(ALL, guardrail="guard:1"), stand_in(dial, dial))

    code = "insights_filtered" if dial in ("content_filtered_next", "guardrail_next") else "insights_unreadable"
    assert derived.usage.calls == 2
    assert {text.partition(": ")[2] for text in derived.missing} == {code}
    assert len(derived.missing) == (2 if dial == "schema_broken_next" else len(KINDS)), "what can be read is kept"


@pytest.mark.parametrize("dial", ["evidence_invented_next", "facts_invented_next"])
def test_what_is_invented_is_dropped_and_counted(dial: str) -> None:
    derived = derive(TALK, ALL, stand_in(dial))

    assert derived.usage.calls == 1
    assert derived.missing == tuple(f"{kind}: insights_unproved" for kind in SINGLE)
    assert not derived.found
    assert set(derived.dropped) == set(KINDS)


def test_an_answer_of_ten_megabytes_is_none() -> None:
    oversized = derive(TALK, ALL, stand_in("oversized_next"))
    assert (oversized.usage.calls, oversized.missing) == (2, ())
    unread = derive(TALK, ONLY_TITLE, ScriptedModel(ReplyTooLarge("too large")))
    assert (unread.usage.calls, unread.missing) == (2, ("title: insights_unreadable",))


@pytest.mark.parametrize(
    "broken",
    [
        {"title": "The offer"},
        {"title": [TITLE]},
        {"title": {"text": 1, "evidence": []}},
        {"title": {"text": "a", "evidence": [1]}},
        {"title": {"text": "a", "evidence": None}},
        {},
        {"titles": TITLE},
        reply("[]"),
        reply("nothing to say"),
        reply(""),
        reply("{" * 5000),
        {"output": None},
        {"output": {"message": {"content": [None, {"text": 1}, {"toolUse": None}]}}, "usage": {"inputTokens": "x"}},
    ],
)
def test_an_answer_of_another_form_is_asked_for_again(broken: Any) -> None:
    model = ScriptedModel(broken, {"title": TITLE})
    derived = derive(TALK, ONLY_TITLE, model)
    assert (derived.found["title"][0].text, derived.usage.calls) == ("The offer", 2)
    assert ["could not be used" in request["system"][0]["text"] for request in model.requests] == [False, True]


def test_half_of_a_character_breaks_nothing() -> None:
    half = reply('{"title": {"text": "The offer \\ud800", "evidence": ["u1", "\\udfff"]}}')
    progress, answer = advance(begin(TALK, ONLY_TITLE), TALK, ONLY_TITLE, ScriptedModel(half))
    assert answer is not None
    assert result(progress, TALK, ONLY_TITLE).found["title"][0].text == "The offer"


def test_a_conversation_in_which_nobody_speaks_needs_no_call() -> None:
    for lines in ([], said("", " \u200b ")):
        assert begin(lines, ALL).is_over
        assert derive(lines, ALL, ScriptedModel(AssertionError())).found == {}


def test_a_conversation_of_one_word_and_one_in_arabic_are_derived() -> None:
    assert derive(said("Hello."), ALL, stand_in()).missing == ()
    derived = derive(ARABIC, ALL, stand_in())
    assert derived.missing == ()
    assert derived.found["summary"][0].evidence


def test_the_owners_instruction_comes_after_the_rules_however_long_it_is() -> None:
    model = ScriptedModel(nothing("title"))
    derive(TALK, replace(ONLY_TITLE, prompt="Be brief. " * 2000, language="de"), model)

    system = model.requests[0]["system"][0]["text"]
    assert "never instructions" in system
    assert "BCP 47 tag de" in system
    assert system.endswith("Be brief.")


def test_a_request_has_the_lines_as_data_and_the_guardrail() -> None:
    model = ScriptedModel(nothing("title"))
    derive(TALK[:1], replace(ONLY_TITLE, guardrail="abc:7"), model)

    assert shown_in(model.requests[0]) == [("u1", "Anna", TALK[0].text)]
    assert model.requests[0]["guardrailConfig"] == {"guardrailIdentifier": "abc", "guardrailVersion": "7"}


def test_an_expensive_conversation_has_only_summaries_then_nothing() -> None:
    full = derive(TALK, ALL, stand_in())
    assert full.usage.cents is not None

    price = (1.0, 1000.0)
    some = begin(TALK, replace(ALL, price=price, max_cents=100))
    none = begin(TALK, replace(ALL, price=price, max_cents=10))
    assert some.kinds == SINGLE
    assert some.missing == tuple((kind, "insights_over_budget", 0, 0) for kind in KINDS if kind not in SINGLE)
    assert none.is_over
    assert result(none, TALK, ALL).missing == tuple(f"{kind}: insights_over_budget" for kind in KINDS)
    assert begin(TALK, replace(ALL, max_cents=50)).kinds == KINDS
    assert begin(TALK, Brief("a-new.model-v1:0", KINDS, max_cents=0.1)).kinds == KINDS, "its price is not known"


def test_calls_that_go_wrong_do_not_exceed_the_bound() -> None:
    brief = replace(ONLY_TITLE, price=(1.0, 1.0), max_cents=0.2)
    derived = derive(TALK, brief, ScriptedModel(reply("{", usage=(1000, 1000))))
    assert (derived.usage.calls, derived.missing) == (1, ("title: insights_over_budget",))


def test_the_price_of_a_profile_of_a_geography_is_higher() -> None:
    cents = [
        derive(TALK, Brief(f"{geography}.anthropic.claude-haiku-4-5-20251001-v1:0", KINDS), stand_in()).usage.cents
        for geography in ("eu", "global")
    ]
    assert cents[0] == pytest.approx(cents[1] * 1.1)  # type: ignore[operator]


def test_what_was_found_stays_when_it_is_given_up() -> None:
    lines = said(*(f"{'word ' * 300}{number}" for number in range(150)))
    brief = replace(ALL, kinds=("title", "topics"))
    progress = begin(lines, brief)
    model = ScriptedModel(
        {"summary": [], "topics": [{"text": "word", "evidence": ["u1"]}]},
    )
    progress, _ = advance(progress, lines, brief, model)
    assert "parts of the conversation" in progress.note
    derived = result(give_up(progress), lines, brief)

    assert derived.found["topics"][0].text == "word"
    assert derived.missing == ("title: insights_given_up", "topics: insights_given_up")
    assert (derived.usage.calls, derived.usage.tokens_in, derived.usage.tokens_out) == (1, 100, 50)


def test_the_digest_is_of_the_lines_and_the_brief() -> None:
    changed = [
        digest_of(TALK, ALL),
        digest_of(TALK[1:], ALL),
        digest_of([*TALK[:-1], Line("L6", "Anna", "Nobody pays.", 6000)], ALL),
        *(
            digest_of(TALK, replace(ALL, **change))
            for change in ({"model": NOVA}, {"kinds": ()}, {"prompt": "Be brief"})
        ),
    ]
    assert len(set(changed)) == len(changed)
    assert digest_of(TALK, replace(ALL, max_cents=3, price=(1.0, 2.0))) == changed[0]
    assert len(changed[0]) == 16


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (HAIKU, "anthropic.claude-haiku-4-5-20251001-v1:0"),
        (NOVA, NOVA),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", NOVA),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0", NOVA),
    ],
)
def test_an_id_names_its_model(model: str, name: str) -> None:
    assert foundation_model(model) == name
    assert family_of(model) == family_of(name)


def test_a_kind_is_derived_unless_every_provider_finds_it() -> None:
    assert default_kinds([]) == default_kinds(["transcribe"]) == default_kinds(["transcribe", "symbl"]) == KINDS
    assert default_kinds(["symbl"]) == ("title", "short_summary", "chapters", "decisions")
    assert "summary" in default_kinds(["symbl", "assemblyai"])
    assert all(entry.finds <= set(KINDS) for entry in PROVIDERS.values())
