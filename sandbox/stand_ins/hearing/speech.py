"""The speech engine behind every vendor stand-in: media file to utterances with times, words and speakers.

Nothing is canned: PyAV decodes, a voice activity detector cuts at the silences, pocketsphinx (with the English
model in its wheel) recognises, and the pitch of the voices tells the speakers apart.
"""

import hashlib
import multiprocessing
import threading
from collections import OrderedDict, deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.pool import AsyncResult, Pool, ThreadPool
from pathlib import Path
from typing import Protocol

import av
from pocketsphinx import Endpointer

from sandbox.stand_ins.hearing.recogniser import SAMPLE_RATE, hear, leave_signals_to_parent
from sandbox.stand_ins.hearing.speakers import tell_apart

_LONGEST_UTTERANCE_SECONDS = 15.0
_REMEMBERED = 64
_HEARING_SECONDS = 300


class UndecodableMedia(Exception):
    """The bytes are no media that can be decoded, or hold no audio."""


@dataclass(frozen=True)
class Utterance:
    """What one voice said between two silences; times in ms from the start of the media, with fractions."""

    start_ms: float
    end_ms: float
    speaker: str
    text: str


@dataclass(frozen=True)
class _Heard:
    start_ms: float
    end_ms: float
    text: str
    pitch: float | None


class Engine(Protocol):
    """What the vendors need of a speech engine."""

    def listen(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]: ...

    def close(self) -> None: ...


class SpeechEngine:
    """Recognises on `workers` processes, or, with 0, on one thread of this process."""

    def __init__(self, workers: int = 2) -> None:
        # pocketsphinx holds the interpreter's lock while it works, so threads would not use a second core.
        self._pool: Pool = (
            multiprocessing.get_context("spawn").Pool(workers, initializer=leave_signals_to_parent)
            if workers
            else ThreadPool(1)
        )
        self._ahead = 2 * max(workers, 1)
        self._known: OrderedDict[str, Future[list[_Heard]]] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends the workers at once, whatever they are hearing."""
        self._pool.terminate()
        self._pool.join()

    def listen(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]:
        """What is said in the media, by `speakers` voices (None: find how many).

        `containers` are the formats taken, by FFmpeg's names (None: all). The same bytes are recognised once and
        remembered. Raises UndecodableMedia.
        """
        check_container(media, containers)
        heard = self._hear_once(media)
        told = tell_apart([utterance.pitch for utterance in heard], speakers)
        return [
            Utterance(utterance.start_ms, utterance.end_ms, speaker, utterance.text)
            for utterance, speaker in zip(heard, told, strict=True)
            if utterance.text
        ]

    def _hear_once(self, media: Path) -> list[_Heard]:
        with media.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        with self._lock:
            known = self._known.get(digest)
            mine: Future[list[_Heard]] = known or Future()
            self._known[digest] = mine
            self._known.move_to_end(digest)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        if known is None:
            try:
                mine.set_result(self._hear(media))
            except BaseException as error:
                with self._lock:
                    self._known.pop(digest, None)
                mine.set_exception(error)
                raise
        return mine.result()

    def _hear(self, media: Path) -> list[_Heard]:
        heard: list[_Heard] = []
        waiting: deque[tuple[float, float, AsyncResult[tuple[str, float | None]]]] = deque()

        def collect(leave: int) -> None:
            while len(waiting) > leave:
                start, end, result = waiting.popleft()
                heard.append(_Heard(start, end, *result.get(_HEARING_SECONDS)))

        for start, end, pcm in utterances(media):
            waiting.append((start * 1000, end * 1000, self._pool.apply_async(hear, (pcm,))))
            collect(leave=self._ahead)
        collect(leave=0)
        return heard


def check_container(media: Path, containers: Collection[str] | None) -> None:
    """Raises UndecodableMedia for a file that is none of these formats."""
    try:
        with av.open(str(media)) as container:
            names = container.format.name.split(",")
    except av.FFmpegError as error:
        raise UndecodableMedia(f"the media cannot be decoded: {error.strerror}") from error
    if containers is not None and not set(names) & set(containers):
        raise UndecodableMedia(f"the format {names[0]} is not supported")


def decode(media: Path) -> Iterator[bytes]:
    """The first audio stream as 16 kHz mono 16-bit sound, piece by piece. Raises UndecodableMedia."""
    try:
        with av.open(str(media)) as container:
            if not container.streams.audio:
                raise UndecodableMedia("the media has no audio stream")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(container.streams.audio[0]):
                yield from _pcm(resampler.resample(frame))
            yield from _pcm(resampler.resample(None))
    except av.FFmpegError as error:
        raise UndecodableMedia(f"the media cannot be decoded: {error.strerror}") from error


def _pcm(frames: list[av.AudioFrame]) -> Iterator[bytes]:
    for frame in frames:
        yield bytes(frame.planes[0])[: frame.samples * 2]


def utterances(media: Path) -> Iterator[tuple[float, float, bytes]]:
    """Speech between silences as (start, end, sound), seconds; longer speech is cut, to bound what a worker holds."""
    detector = Endpointer(sample_rate=SAMPLE_RATE)
    longest = int(_LONGEST_UTTERANCE_SECONDS * SAMPLE_RATE) * 2
    speech = bytearray()
    cut_at: float | None = None
    for frame, last in _frames(decode(media), detector.frame_bytes):
        part = detector.end_stream(frame) if last else detector.process(frame)
        if part is None:
            continue
        speech += part
        start = cut_at if cut_at is not None else detector.speech_start
        if not detector.in_speech:
            yield start, detector.speech_end, bytes(speech)
            speech.clear()
            cut_at = None
        elif len(speech) >= longest:
            cut_at = start + len(speech) / 2 / SAMPLE_RATE
            yield start, cut_at, bytes(speech)
            speech.clear()


def _frames(pieces: Iterator[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """The sound in frames of `size` bytes, and whether it is the last, perhaps shorter, one."""
    held = b""
    for piece in pieces:
        held += piece
        while len(held) > size:
            yield held[:size], False
            held = held[size:]
    if held:
        yield held, True
