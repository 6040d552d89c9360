"""The speech engine of all stand-ins: a media file becomes utterances with times, words and speakers.

PyAV decodes, a voice activity detector cuts at silences, and pocketsphinx recognises, with the English model of its
wheel. The pitch of the voices separates the speakers.
"""

import hashlib
import multiprocessing
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.pool import AsyncResult, Pool, ThreadPool
from pathlib import Path
from typing import Any, Protocol

import av
from pocketsphinx import Endpointer

from sandbox.stand_ins.hearing.pitch import SAMPLE_RATE
from sandbox.stand_ins.hearing.recogniser import leave_signals_to_parent, recognise
from sandbox.stand_ins.hearing.speakers import label_speakers

_LONGEST_UTTERANCE_SECONDS = 15.0
_REMEMBERED = 64
_RECOGNITION_SECONDS = 300


class UndecodableMedia(Exception):
    """The media cannot be decoded, or has no audio."""


@dataclass(frozen=True)
class Utterance:
    """The speech of one voice between two silences. Times are in ms from the start of the media, with fractions."""

    start_ms: float
    end_ms: float
    speaker: str
    text: str


@dataclass(frozen=True)
class _Recognised:
    start_ms: float
    end_ms: float
    text: str
    pitch: float | None


class Engine(Protocol):
    """A speech engine, as the vendors need it."""

    def recognise(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]: ...

    def close(self) -> None: ...


class SpeechEngine:
    """Recognises speech in `workers` processes, with 0 on one thread of this process.

    `scripted` returns whether utterances that the script has are looked up in it.
    """

    def __init__(self, workers: int = 2, scripted: Callable[[], bool] = lambda: False) -> None:
        self.scripted = scripted
        # pocketsphinx holds the interpreter's lock while it works, so threads would not use a second core.
        self._pool: Pool = (
            multiprocessing.get_context("spawn").Pool(workers, initializer=leave_signals_to_parent)
            if workers
            else ThreadPool(1)
        )
        self._ahead = 2 * max(workers, 1)
        self._known: OrderedDict[tuple[str, bool], Future[list[_Recognised]]] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the workers at once."""
        self._pool.terminate()
        self._pool.join()

    def recognise(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]:
        """Return the speech in the media, of `speakers` voices (None: find how many).

        `containers` are the accepted formats by FFmpeg's names (None: all). The same bytes are recognised only once.
        Raises UndecodableMedia.
        """
        check_container(media, containers)
        recognised = self._recognise_once(media)
        labels = label_speakers([utterance.pitch for utterance in recognised], speakers)
        return [
            Utterance(utterance.start_ms, utterance.end_ms, speaker, utterance.text)
            for utterance, speaker in zip(recognised, labels, strict=True)
            if utterance.text
        ]

    def _recognise_once(self, media: Path) -> list[_Recognised]:
        with media.open("rb") as content:
            key = hashlib.file_digest(content, "sha256").hexdigest(), self.scripted()
        with self._lock:
            known = self._known.get(key)
            mine: Future[list[_Recognised]] = known or Future()
            self._known[key] = mine
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        if known is None:
            try:
                mine.set_result(self._recognise_all(media, key[1]))
            except BaseException as error:
                with self._lock:
                    self._known.pop(key, None)
                mine.set_exception(error)
                raise
        return mine.result()

    def _recognise_all(self, media: Path, scripted: bool) -> list[_Recognised]:
        recognised: list[_Recognised] = []
        waiting: deque[tuple[float, float, AsyncResult[tuple[str, float | None]]]] = deque()

        def collect(leave: int) -> None:
            while len(waiting) > leave:
                start, end, result = waiting.popleft()
                recognised.append(_Recognised(start, end, *result.get(_RECOGNITION_SECONDS)))

        for start, end, pcm in utterances(media):
            waiting.append((start * 1000, end * 1000, self._pool.apply_async(recognise, (pcm, scripted))))
            collect(leave=self._ahead)
        collect(leave=0)
        return recognised


def check_container(media: Path, containers: Collection[str] | None) -> None:
    """Raises UndecodableMedia unless the file has one of these formats."""
    try:
        with av.open(str(media)) as container:
            names = _formats_of(container, media)
    except av.FFmpegError as error:
        raise UndecodableMedia(f"the media cannot be decoded: {error.strerror}") from error
    if containers is not None and not set(names) & set(containers):
        raise UndecodableMedia(f"the format {names[0]} is not supported")


def _formats_of(container: Any, media: Path) -> list[str]:
    """Return the names of a file's format. FFmpeg opens some formats alike that vendors tell apart."""
    names: list[str] = container.format.name.split(",")
    if "webm" in names:
        with media.open("rb") as content:
            return ["webm" if b"webm" in content.read(64) else "matroska"]
    if "mov" in names:
        return ["mov"] if container.metadata.get("major_brand", "qt  ") == "qt  " else ["mp4", "m4a"]
    return names


def decode(media: Path) -> Iterator[bytes]:
    """Yield the first audio stream as 16 kHz mono 16-bit sound. Raises UndecodableMedia."""
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
    """Yield the speech between silences as (start, end, sound) in seconds.

    Long speech is cut, to bound the memory of a worker.
    """
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
    """Yield frames of `size` bytes, each with whether it is the last one, which may be shorter."""
    buffer = b""
    for piece in pieces:
        buffer += piece
        while len(buffer) > size:
            yield buffer[:size], False
            buffer = buffer[size:]
    if buffer:
        yield buffer, True
