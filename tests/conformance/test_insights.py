"""The same recording through every provider: the insights have one shape and contain what was said."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest

from recording_insights.errors import ProviderRejected
from recording_insights.model.derived import KINDS
from recording_insights.model.insights import LISTS, Insights
from recording_insights.model.words import unpacked
from recording_insights.processing.callbacks import callback_token
from recording_insights.processing.job_name import JobName
from recording_insights.providers.registry import PROVIDERS, job_id_of
from recording_insights.providers.toolkit.json import parse_json
from sandbox.stand_ins.hearing.speech import Utterance
from tests.conformance.conftest import MakeScene
from tests.conformance.scene import REPLIES, SAID, SECRET, SIGNATURE, Scene
from tests.conformance.sentences import assert_is_a_sentence

LARGEST_OUTPUT = 256 << 10
"""Bytes that a state of Step Functions may hand to the next."""
FOREIGN = "Grüße aus Zürich 🎙️ はい そうです"
SPEAKER = re.compile(r"speaker|spk|^from$|channel_labels", re.IGNORECASE)


def words(insights: Insights) -> list[str]:
    return re.sub(r"[^\w\s']", "", " ".join(u.text for u in insights.transcript)).lower().split()


def test_what_was_said_comes_out(scene: Scene) -> None:
    assert scene.run() == "done", scene.row

    insights = scene.insights()
    assert words(insights) == " ".join(u.text for u in SAID).split()
    assert scene.paid == 1
    assert job_id_of(scene.row["provider"], scene.row["job"]), "the API shows the vendor's own id"


def test_who_spoke_and_when(scene: Scene) -> None:
    scene.run()

    transcript = scene.insights().transcript
    by_text = {said.text.split()[0]: said for said in SAID}
    speakers: dict[str, set[str]] = {}
    for utterance in transcript:
        said = by_text.get(re.sub(r"\W", "", utterance.text.split()[0].lower()))
        if said is None:
            continue  # a vendor may cut a sentence in two
        assert utterance.speaker
        speakers.setdefault(said.speaker, set()).add(utterance.speaker)
        if utterance.start_ms is not None:
            assert abs(int(utterance.start_ms) - said.start_ms) <= 50, utterance
    assert [len(names) for names in speakers.values()] == [1, 1]
    assert len(set().union(*speakers.values())) == 2


WITH_WORD_TIMES = ("assemblyai", "deepgram", "symbl", "transcribe")
"""Providers that give them. The provider that somebody adds may be another one."""


def test_words_lie_beside_the_reply_where_the_provider_gives_their_times(scene: Scene) -> None:
    scene.run()

    key, transcript = scene.row.get("words"), scene.insights().transcript
    if scene.row["provider"] in WITH_WORD_TIMES:
        assert key is not None
    if key is None:
        return
    assert key == scene.row["reply"].replace(".json", ".words.json.gz")
    lines = unpacked(next(body for (_, name), body in scene.s3.objects.items() if name == key))
    assert len(lines) == len(transcript)
    for spoken, line in zip(transcript, lines, strict=True):
        assert "".join(word.text for word in line).split() == ["".join(spoken.text.split())]
        for before, word in pairwise([*line, *line[-1:]]):
            assert before.start_ms is not None
            assert word.start_ms is not None
            assert (spoken.start_ms or 0) <= before.start_ms <= word.start_ms <= (spoken.end_ms or 0)


def test_times_scores_and_kinds_are_ours(scene: Scene) -> None:
    scene.run()

    insights = scene.insights()
    finds = PROVIDERS[scene.row["provider"]].finds
    not_said = {"follow_ups"} & finds
    assert {kind for kind in KINDS if getattr(insights, kind, None)} | not_said == finds
    for utterance in insights.transcript:
        assert isinstance(utterance.text, str)
        for time in (utterance.start_ms, utterance.end_ms):
            assert time is None or (time == int(time) and 0 <= time < 20_000)
        assert utterance.sentiment is None or -1 <= utterance.sentiment <= 1
        assert utterance.confidence is None or 0 <= utterance.confidence <= 1
    assert insights.sentiment is None or -1 <= insights.sentiment <= 1
    for kind, form in LISTS.items():
        assert all(isinstance(entry, form) for entry in getattr(insights, kind))


@pytest.mark.parametrize(
    ("provider", "options"),
    [
        ("assemblyai", {"features": ["entity_detection"]}),
        ("deepgram", {"features": ["detect_entities"]}),
        ("symbl", {"entities": [{"customType": "Goods", "text": "chair"}]}),
    ],
)
def test_days_that_were_said_are_entities_with_their_times(make_scene: MakeScene, options: dict[str, Any]) -> None:
    scene = make_scene(options=options)

    assert scene.run() == "done", scene.row
    entities = scene.insights().entities
    assert [(entity.kind, entity.text.lower()) for entity in entities] == [("date", "today"), ("date", "friday")]
    for entity, said in zip(entities, SAID[::2], strict=True):
        assert said.start_ms < (entity.start_ms or 0) < (entity.end_ms or 0) <= said.end_ms + 50


def test_the_raw_reply_is_kept_and_can_be_read_again(scene: Scene) -> None:
    scene.run()

    assert scene.provider.read_insights(scene.reply).transcript
    for kept in scene.s3.objects.values():
        assert SIGNATURE.encode() not in kept


def test_nothing_that_opens_a_door_lies_on_the_row(scene: Scene) -> None:
    scene.run()

    text = json.dumps(dict(scene.row), default=str)
    token = callback_token(SECRET, scene.name, str(JobName.of(scene.row)))
    # The link itself is no secret, as it names only bucket and key. Its signature is one.
    for secret in (
        SIGNATURE,
        "5ec0de",
        token,
        *(v for k, v in scene.vendor.credentials.items() if k not in ("userId", "workspaceId")),
    ):
        assert secret not in text


def test_zero_utterances_are_a_result(scene: Scene) -> None:
    scene.ears.said = []

    assert scene.run() == "done", scene.row
    assert list(scene.insights().transcript) == []


def test_other_scripts_and_emoji_survive(scene: Scene) -> None:
    scene.ears.said = [Utterance(0.0, 900.0, "1", FOREIGN)]

    assert scene.run() == "done", scene.row
    found = " ".join(u.text for u in scene.insights().transcript)
    # Some vendors omit spaces in scripts that are written without them.
    assert "".join(found.rstrip(".?!").split()).casefold() == "".join(FOREIGN.split()).casefold()


def test_a_result_beyond_what_a_state_may_hand_on(make_scene: MakeScene) -> None:
    for rounds in (125, 875):  # the replies of some vendors are terse
        scene = make_scene()
        scene.dials(oversize_result=rounds * len(SAID))
        assert scene.run() == "done", scene.row
        if len(scene.reply) > LARGEST_OUTPUT:
            break

    assert len(scene.reply) > LARGEST_OUTPUT
    transcript = scene.insights().transcript
    assert sum(len(u.text.split()) for u in transcript) == sum(len(u.text.split()) for u in SAID) * rounds


def test_a_missing_speaker_is_nobody(scene: Scene) -> None:
    scene.run()

    insights = scene.provider.read_insights(json.dumps(_without_speakers(parse_json(scene.reply))).encode())

    assert insights.transcript
    assert all(u.speaker is None for u in insights.transcript)


def test_a_reply_without_a_result_is_refused_in_words(scene: Scene) -> None:
    scene.run()
    for reply in (b"", b"{}", b"[]", b"null", b'"text"', b'{"error": "gone"}'):
        scene.s3.objects[REPLIES, scene.row["reply"]] = reply

        with pytest.raises(ProviderRejected) as refused:
            scene.do("Save insights")

        message = str(refused.value)
        assert message.startswith(f"{scene.name}'s reply does not match its contract: "), message
        assert "promised types" not in message, "the reason names no field"
        assert message.endswith(f"; stored as {scene.row['reply']}"), message
        assert_is_a_sentence(message.removeprefix(f"{scene.name}'s "))


def _without_speakers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_speakers(inner) for key, inner in value.items() if not SPEAKER.search(key)}
    if isinstance(value, list):
        return [_without_speakers(inner) for inner in value]
    return value
