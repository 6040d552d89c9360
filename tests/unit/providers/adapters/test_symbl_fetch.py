"""The Symbl adapter fetches the parts of a conversation and keeps them as one reply."""

import json

import pytest
import requests

from recording_insights.errors import JobNotFound, PartsUnavailable, ProviderError, ProviderUnavailable, ReplyTooLarge
from recording_insights.providers.adapters.symbl.reading import EXPECTED_PARTS
from tests.unit.fakes import response
from tests.unit.providers.adapters.symbl_scene import BEYOND_JSON, JOB, ONE, OverScript

PATH = ONE.removeprefix("GET ")
PARTS = ("topics", "action-items", "follow-ups", "questions", "analytics", "summary", "entities", "trackers-detected")


def answers(**changed: requests.Response) -> dict[str, list[requests.Response]]:
    told = {f"{ONE}/messages": [response('{"messages": [{"text": "hi", "timeOffset": 1.10}]}')], ONE: [response({})]}
    told |= {f"{ONE}/{part}": [response({})] for part in PARTS}
    return told | {f"{ONE}/{part.replace('_', '-')}": [answer] for part, answer in changed.items()}


def of_megabytes(number: int) -> requests.Response:
    return response(b'{"messages": []' + b" " * (number << 20) + b"}")


class TestFetch:
    def test_all_parts_together_have_the_limit_of_one_reply(self) -> None:
        scene = OverScript(answers(topics=of_megabytes(17)) | {f"{ONE}/messages": [of_megabytes(16)]})
        with pytest.raises(ReplyTooLarge, match="Symbl's results have more than 32 MB"):
            scene.adapter.fetch(JOB, None)
        assert f"{ONE}/action-items" not in scene.session.asked, "nothing more is fetched"

    def test_every_part_as_it_came(self) -> None:
        scene = OverScript(
            answers(summary=response({"message": "none"}, 404), topics=response(b'\xef\xbb\xbf{"topics": []}\n'))
        )

        reply = scene.adapter.fetch(JOB, None)

        assert b'"timeOffset": 1.10' in reply
        assert json.loads(reply).keys() == {"messages", "conversation", *PARTS}
        assert json.loads(reply)["summary"] == {"message": "none"}
        assert scene.sent(f"{ONE}/messages").params == [("verbose", "true"), ("sentiment", "true")]
        assert scene.session.left_over == []

    @pytest.mark.parametrize(
        ("absent", "reason"),
        [
            (response({"message": "gone"}, 404), "gone"),
            (response("", 404), "no reason given"),
            (response("<html>", 404), "no reason given"),
            (response({"message": "gone"}), "gone"),
        ],
    )
    def test_what_is_not_there_does_not_matter(self, absent: requests.Response, reason: str) -> None:
        scene = OverScript(answers(summary=absent, trackers_detected=absent, trackers=absent, topics=absent))
        found = scene.adapter.read_insights(scene.adapter.fetch(JOB, None))
        assert [u.text for u in found.transcript] == ["hi"]
        others = ("action-items", "follow-ups", "questions", "analytics")
        assert found.missing == [f"topics: {reason}", *(f"{part}: no reason given" for part in others)]

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (response({"message": "gone"}, 404), JobNotFound),
            (response({"messages": {}}), ProviderUnavailable),
            (response({"message": "wait"}), ProviderUnavailable),
            *((answer, ProviderUnavailable) for answer in BEYOND_JSON),
        ],
    )
    def test_without_messages(self, answer: requests.Response, error: type[ProviderError]) -> None:
        with pytest.raises(ProviderError) as raised:
            OverScript(answers(messages=answer)).adapter.fetch(JOB, None)
        assert type(raised.value) is error

    def test_a_fault_on_the_way_is_no_absence_and_the_other_parts_are_with_it(self) -> None:
        whole = {name: response({field: []}) for name, field in EXPECTED_PARTS.items()}
        parts = {name.replace("-", "_"): part for name, part in whole.items()}
        scene = OverScript(answers(**{**parts, "analytics": response("", 502), "summary": response("", 503)}))
        with pytest.raises(PartsUnavailable, match="HTTP 502") as raised:
            scene.adapter.fetch(JOB, None)
        found = scene.adapter.read_insights(raised.value.reply)
        assert [u.text for u in found.transcript] == ["hi"]
        after = ("entities", "trackers-detected", "conversation")
        assert found.missing == [
            f"analytics: Symbl answered HTTP 502 (GET {PATH}/analytics)",
            *(f"{part}: Symbl answered HTTP 503 (GET {PATH}/summary)" for part in ("summary", *after)),
        ]
        # A fault may last as long as a time-out.
        assert not [call for call in scene.session.calls if call.path.endswith(after[:2])]
