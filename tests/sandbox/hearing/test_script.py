"""The script: known utterances get the words that the recogniser would find, unknown ones are really recognised."""

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4, silence_outside
from sandbox.stand_ins.app import create_runtime
from sandbox.stand_ins.hearing import recogniser
from sandbox.stand_ins.hearing.pitch import SAMPLE_RATE
from sandbox.stand_ins.hearing.script import Script
from sandbox.stand_ins.hearing.speech import SpeechEngine, utterances
from sandbox.stand_ins.make_script import media_of_sample
from tests.sandbox.conftest import StandIns

SECOND = 2 * SAMPLE_RATE
QUESTION = 5
"""The place of "did the package come on Monday" in the sample."""


@pytest.fixture(scope="module")
def said() -> list[bytes]:
    """The sound of each utterance of the sample."""
    return [pcm for _, _, pcm in utterances(SAMPLE)]


@pytest.fixture(scope="module")
def media_made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return list(media_of_sample(tmp_path_factory.mktemp("media")))


@pytest.fixture(scope="module")
def real() -> Iterator[SpeechEngine]:
    engine = SpeechEngine(workers=0)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[SpeechEngine]:
    engine = SpeechEngine(workers=0, scripted=lambda: True)
    yield engine
    engine.close()


def test_the_script_has_everything_of_the_sample(media_made: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = SpeechEngine(workers=0, scripted=lambda: True)
    asked: list[bytes] = []

    def recognised_words(pcm: bytes) -> str:
        asked.append(pcm)
        return ""

    monkeypatch.setattr(recogniser, "recognised_words", recognised_words)
    words = [utterance.text for media in media_made for utterance in scripted.recognise(media)]
    scripted.close()
    assert len(words) > 150
    assert max(len(pcm) for pcm in asked) < SECOND, "only what was cut to a scrap is not in it"


def test_the_beginning_is_the_same_as_really_recognised(
    media_made: list[Path], real: SpeechEngine, scripted: SpeechEngine
) -> None:
    _, beginning, *_ = media_made
    found = scripted.recognise(beginning, None)
    assert found == real.recognise(beginning, None)
    assert [utterance.text for utterance in found] == [
        "good morning thank you for calling the delivery office",
        "how can i help you to",
    ]


@pytest.mark.matrix
@pytest.mark.parametrize("index", range(11))
def test_all_media_are_the_same_as_really_recognised(
    media_made: list[Path], real: SpeechEngine, scripted: SpeechEngine, index: int
) -> None:
    """The sample, its beginning, tracks of one voice in both rates, and the parts of two and three."""
    assert scripted.recognise(media_made[index], None) == real.recognise(media_made[index], None)


def test_encoding_and_silence_do_not_matter(said: list[bytes], tmp_path: Path) -> None:
    script, reencoded = Script.load(), tmp_path / "again.mp4"
    silence_outside(SAMPLE, [(20.9, 1e9)], reencoded, 44_100)
    [first, *_] = [pcm for _, _, pcm in utterances(reencoded)]
    for sound in (first, bytes(SECOND // 8) + said[QUESTION], said[QUESTION][200:] + bytes(SECOND // 5)):
        assert script.words_of(sound) == "did the package come on monday"


@pytest.mark.parametrize("changed", ["cut", "muted", "reversed", "faster", "joined", "noisy", "silent"])
def test_changed_sound_is_not_in_the_script(said: list[bytes], changed: str) -> None:
    samples = array("h", said[QUESTION])
    loudest = max(range(len(samples)), key=lambda at: abs(samples[at]))
    sounds = {
        "cut": samples[: loudest + 800],
        "muted": samples[: loudest - 800] + array("h", bytes(3200)) + samples[loudest + 800 :],
        "reversed": samples[::-1],
        "faster": array("h", [samples[at * 20 // 19] for at in range(len(samples) * 19 // 20)]),
        "joined": samples[:loudest] + samples,
        "noisy": array("h", [sample // 2 + (at * 7919) % 4001 for at, sample in enumerate(samples)]),
        "silent": array("h", bytes(2 * len(samples))),
    }
    script = Script.load()
    assert script.words_of(samples.tobytes()) == "did the package come on monday"
    assert script.words_of(sounds[changed].tobytes()) is None


def test_what_the_script_does_not_know_is_really_recognised(
    real: SpeechEngine, scripted: SpeechEngine, tmp_path: Path
) -> None:
    media = tmp_path / "cut.mp4"
    beginning_mp4(SAMPLE, 2.5, media)
    [only] = scripted.recognise(media)
    assert [only] == real.recognise(media)
    assert "thank you" in only.text


def test_the_dial_turns_the_script_on_and_off(media_made: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser, "recognised_words", lambda pcm: "really recognised")
    engine, [_, beginning, *_] = SpeechEngine(workers=0), media_made
    runtime = create_runtime(engine)
    try:
        for scripted, begins in ((False, "really recognised"), (True, "good morning"), (False, "really recognised")):
            runtime.dials.change({"hearing": {"scripted": scripted}})
            assert engine.recognise(beginning)[0].text.startswith(begins)
    finally:
        runtime.close()


def test_times_and_speakers_are_not_in_the_script(recognising_stand_ins: StandIns) -> None:
    recognising_stand_ins.dials(hearing={"scripted": True})
    found = recognising_stand_ins.runtime.engine.recognise(SAMPLE, None)
    assert [(round(each.start_ms), round(each.end_ms), each.speaker) for each in found[:3]] == [
        (990, 4110, "1"),
        (4680, 6660, "1"),
        (7380, 10650, "2"),
    ]
