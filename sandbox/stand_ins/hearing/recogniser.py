"""Recognises the words and the pitch of one utterance. Runs in the speech engine's worker processes."""

import functools
import signal

from pocketsphinx import Decoder

from sandbox.stand_ins.hearing.pitch import SAMPLE_RATE, pitch_of
from sandbox.stand_ins.hearing.script import Script


def leave_signals_to_parent() -> None:
    """Ignore Ctrl-C, which reaches the whole process group: the parent ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def recognise(pcm: bytes, scripted: bool = False) -> tuple[str, float | None]:
    """Return words and median pitch in Hz of 16 kHz mono 16-bit sound.

    The words are lower case without punctuation, empty if none was recognised. With `scripted` they come from the
    script if it has the utterance. The pitch is None without a voice.
    """
    words = Script.load().words_of(pcm) if scripted else None
    return recognised_words(pcm) if words is None else words, pitch_of(pcm)


def recognised_words(pcm: bytes) -> str:
    """Return the words as the recogniser finds them, whether or not the script has them."""
    decoder = _decoder()
    decoder.reinit_feat()  # otherwise the estimate of an earlier channel affects this one
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr if found else ""


@functools.cache
def _decoder() -> Decoder:
    # The narrow beams halve the time, and lose no accuracy on clear speech.
    return Decoder(loglevel="FATAL", samprate=SAMPLE_RATE, cmn="batch", topn=2, ds=2, maxhmmpf=3000, maxwpf=10)
