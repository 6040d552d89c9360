"""A conversation goes in, calls of a model follow one by one, and statements with their proof come out."""

import pytest

from recording_insights.derive.wishes import Wishes
from recording_insights.model.derived import KINDS
from tests.unit.derive.fake_model import HAIKU, NOVA, TALK, derive, stand_in


@pytest.mark.parametrize("model", [HAIKU, NOVA])
def test_a_short_conversation_is_one_call_in_each_form(model: str) -> None:
    derived = derive(TALK, Wishes(model, KINDS), stand_in())

    assert derived.usage.calls == 1
    assert not derived.missing
    assert not derived.dropped
    assert set(derived.found) == set(KINDS)
    action = derived.found["action_items"][0]
    assert (action.assignee, action.due, action.evidence) == ("Ben", "by Friday", ("L1", "L2"))
