"""What one request of a model shows of a conversation, and what its short ids stand for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from recording_insights.derive.lines import Line, shown_speaker, shown_text
from recording_insights.derive.orders import orders_the_reader
from recording_insights.derive.split import Piece
from recording_insights.model.derived import Statement


@dataclass(frozen=True)
class Source:
    """What a short id stands for: the words that a model sees of it, and the ids of the lines that these are."""

    speaker: str
    text: str
    lines: tuple[str, ...]
    start_ms: int | None = None


@dataclass(frozen=True)
class Part:
    """The sources of one request by short id, in order, and all that is shown: one line for each.

    `speakers` are the names of all who speak.
    """

    sources: Mapping[str, Source]
    shown: Sequence[str]
    speakers: frozenset[str]
    _orders: dict[int, bool] = field(default_factory=dict, init=False, compare=False, repr=False)

    @cached_property
    def names(self) -> Sequence[str]:
        """All short ids, in order."""
        return tuple(self.sources)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each short id."""
        return {name: place for place, name in enumerate(self.names)}

    def is_order(self, place: int) -> bool:
        """Whether the source at a place gives orders to its reader, so that it proves nothing."""
        if place not in self._orders:
            source = self.sources[self.names[place]]
            self._orders[place] = orders_the_reader(source.text) or orders_the_reader(source.speaker)
        return self._orders[place]


def part_of_conversation(lines: Sequence[Line], pieces: Iterable[Piece]) -> Part:
    """Return what a request shows of some pieces of a conversation. Pieces of one line have one id."""
    texts: dict[int, list[str]] = {}
    shown = []
    for piece in pieces:
        texts.setdefault(piece.line, []).append(piece.text)
        shown.append(_shown(f"u{piece.line + 1}", piece.speaker, piece.text))
    sources = {
        f"u{number + 1}": Source(
            shown_speaker(lines[number].speaker), " ".join(said), (lines[number].id,), lines[number].start_ms
        )
        for number, said in texts.items()
    }
    return Part(sources, shown, frozenset(source.speaker for source in sources.values()))


def part_of_minutes(sentences: Sequence[Statement], lines: Sequence[Line]) -> Part:
    """Return what a request shows of sentences that sum up parts of a conversation. They stand for their lines."""
    sources = {
        f"s{number}": Source("Minutes", shown_text(sentence.text), tuple(sentence.evidence))
        for number, sentence in enumerate(sentences, start=1)
    }
    shown = [_shown(name, source.speaker, source.text) for name, source in sources.items()]
    return Part(sources, shown, frozenset(shown_speaker(name) for name in {line.speaker for line in lines}))


def _shown(name: str, speaker: str, text: str) -> str:
    return f"[{name}] {speaker}: {text}"
