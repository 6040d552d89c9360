"""Makes conversation.mp4 from conversation.txt: `python -m sandbox.sample.make_sample`.

Only to make the sample again; needs the speech synthesiser flite (Debian: `apt-get install flite`) on the path.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av

HERE = Path(__file__).parent
VOICES = {"agent": "slt", "caller": "rms"}
PAUSE_SECONDS = 0.7
RATE = 16_000


def script() -> Iterator[tuple[str, str]]:
    """Each line of the conversation as (who, words)."""
    for line in (HERE / "conversation.txt").read_text().splitlines():
        who, words = line.split(": ", 1)
        yield who, words


def say(who: str, words: str, wav: Path) -> Iterator[av.AudioFrame]:
    """The line in the voice of its speaker, as frames of 16 kHz mono 16-bit sound."""
    command = ["flite", "-voice", VOICES[who], "-t", words, "-o", str(wav)]
    subprocess.run(command, check=True)  # noqa: S603 - the words are ours
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(wav)) as spoken:
        for frame in spoken.decode(audio=0):
            yield from resampler.resample(frame)
        yield from resampler.resample(None)


def silence(seconds: float) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=int(seconds * RATE))
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    frame.sample_rate = RATE
    return frame


def main() -> None:
    """Writes conversation.mp4: AAC, mono, 32 kbit/s, with a pause after each line."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        av.open(str(HERE / "conversation.mp4"), "w") as mp4,
    ):
        stream = mp4.add_stream("aac", rate=RATE, layout="mono", bit_rate=32_000)
        fifo = av.AudioFifo()

        def encode(frame: av.AudioFrame) -> None:
            frame.pts = None
            fifo.write(frame)
            while ready := fifo.read(1024):
                mp4.mux(stream.encode(ready))

        encode(silence(PAUSE_SECONDS))
        for who, words in script():
            for frame in say(who, words, Path(scratch) / "line.wav"):
                encode(frame)
            encode(silence(PAUSE_SECONDS))
        mp4.mux(stream.encode(None))


if __name__ == "__main__":
    main()
