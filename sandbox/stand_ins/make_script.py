"""Makes hearing/script.json from the sample conversation: `python -m sandbox.stand_ins.make_script`.

Only to make the script again, after the sample or the recogniser has changed. It takes some minutes.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4, cut_ts, duration_of, part_mp4
from sandbox.stand_ins.agora.voices import Voices
from sandbox.stand_ins.hearing.recogniser import recognised_words
from sandbox.stand_ins.hearing.script import Script
from sandbox.stand_ins.hearing.speech import utterances

_MOST_PARTS = 9
_TRACK_RATES = (None, 48_000)


def media_of_sample(folder: Path) -> Iterator[Path]:
    """Yield the sample and what the stand-ins make of it: its beginning, tracks of one voice, and MP4 parts."""
    yield SAMPLE
    beginning = folder / "beginning.mp4"
    beginning_mp4(SAMPLE, 6.0, beginning)
    yield beginning
    voices, length = Voices(folder), duration_of(SAMPLE)
    for voice, turns in enumerate(voices.turns(SAMPLE, 2)):
        for rate in _TRACK_RATES:
            track = folder / f"voice-{voice}-{rate}.ts"
            track.write_bytes(cut_ts(voices.alone(SAMPLE, turns, rate), 0.0, length, priming=False).content)
            yield track
    for parts in range(2, _MOST_PARTS + 1):
        for part in range(parts):
            target = folder / f"{part}-of-{parts}.mp4"
            part_mp4(SAMPLE, part * length / parts, (part + 1) * length / parts, target)
            yield target


def main() -> None:
    """Write the script. A line is left out if the lines before it give its utterance the same words."""
    with tempfile.TemporaryDirectory() as folder:
        heard = [pcm for media in media_of_sample(Path(folder)) for _, _, pcm in utterances(media)]
    words = [recognised_words(pcm) for pcm in heard]
    script, known = Script(), -1
    while known < len(script.lines):
        known = len(script.lines)
        for pcm, found in zip(heard, words, strict=True):
            if script.words_of(pcm) != found:
                script = script.with_line(found, pcm)
    script.save()


if __name__ == "__main__":
    main()
