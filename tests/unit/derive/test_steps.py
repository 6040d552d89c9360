"""A conversation goes in, calls of a model follow one by one, and statements with their proof come out."""

import json
from collections.abc import Sequence

import pytest

from recording_insights.derive.lines import Line
from recording_insights.derive.model import Model
from recording_insights.derive.progress import Progress
from recording_insights.derive.steps import advance, begin, result
from recording_insights.derive.wishes import Wishes
from recording_insights.model.derived import KINDS, Derived
from tests.unit.derive.fake_model import HAIKU, NOVA, said, stand_in

TALK = said(
    "Good morning Ben, can you send the offer to the customer by Friday?",
    "Sure, I will send the offer by Friday.",
    "We decided to lower the price to 4,711 euros.",
    "Let's talk again about the delivery next week.",
    "Who pays for the delivery?",
    "The customer pays for the delivery.",
)
MOST_STEPS = 500


def derive(lines: Sequence[Line], wishes: Wishes, model: Model) -> Derived:
    """Advance until it is over. The progress is stored as JSON after each step, as the function does it."""
    progress = begin(lines, wishes)
    for _ in range(MOST_STEPS):
        if progress.is_over:
            return result(progress, lines, wishes)
        progress, _ = advance(progress, lines, wishes, model)
        progress = Progress.from_map(json.loads(json.dumps(progress.to_map())))
    raise AssertionError("it does not end")


@pytest.mark.parametrize("model", [HAIKU, NOVA])
def test_a_short_conversation_is_one_call_in_each_form(model: str) -> None:
    derived = derive(TALK, Wishes(model, KINDS), stand_in())

    assert derived.usage.calls == 1
    assert not derived.missing
    assert not derived.dropped
    assert set(derived.found) == set(KINDS)
    action = derived.found["action_items"][0]
    assert (action.assignee, action.due, action.evidence) == ("Ben", "by Friday", ("L1", "L2"))
