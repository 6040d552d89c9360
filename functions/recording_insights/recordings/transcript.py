"""The transcript of a recording as its lines are needed: read whole, or page by page from where a caller has come to.

Both give the same lines in the same order. Page by page, the rows of the media objects say which lines a page of the
table has and when it begins, so that nothing else is read. That is not possible where an earlier version saved the
insights, where media objects hold the same words twice, or where the lines of a track are not in order of time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from heapq import heapify, heappop, heappush

from recording_insights.model.insights import Insights, Utterance, mean_of_sums, sentiment_sums
from recording_insights.model.outline import sentiments_in, talk_of
from recording_insights.model.words import Words
from recording_insights.recordings.insights_timeline import Line, PlacedInsights, conversation, moved, place_insights
from recording_insights.recordings.transcript_page import told_of
from recording_insights.store.insights import Collection, number_shown
from recording_insights.store.rows import MediaRow, Outline, Talk
from recording_insights.store.transcripts import TranscriptStore

ReadWords = Callable[[str], Words]
"""Reads the words under a key; none if they were deleted."""

_NO_LINES: Outline = {"lines": [], "starts_ms": [], "is_sorted": True, "ends_ms": 0, "talk": {}}
_MOST_AT_ONCE = 16
"""Pages of one read: about 1 MB, which DynamoDB returns at once."""


def no_words(key: str) -> Words:
    """Read no words: the caller wants none."""
    return ()


@dataclass(frozen=True)
class Transcript:
    """The lines of a recording in order, what all of them say together, and what was found beside them.

    `lines` may begin behind the first line: `passed` is how many lines of each media object are left out. `talk` has an
    entry for each of `placed`.
    """

    placed: Sequence[PlacedInsights]
    lines: Iterable[Line]
    sentiment: float | int | None
    talk: Sequence[Mapping[str, Talk]]
    passed: Mapping[str, int] = field(default_factory=dict)


def whole_transcript(collection: Collection, read_words: ReadWords = no_words) -> Transcript:
    """Return the transcript of a recording whose rows are all read."""
    placed = list(place_insights(_with_words(collection, read_words)))
    lines = conversation(placed, collection.corrections)
    return Transcript(
        placed,
        lines,
        _sentiment(placed, [sentiment_sums([line.utterance for line in lines])]),
        [talk_of(each.insights.transcript) for each in placed],
    )


def paged_transcript(
    collection: Collection, store: TranscriptStore, told: Mapping[str, int], read_words: ReadWords = no_words
) -> Transcript | None:
    """Return the transcript of a recording whose rows are read without the lines; None if that is not possible.

    The lines begin with the first one that is not among the first `told` ones of its media object, or some before.
    """
    outlines = {media_id: _outline(collection.media[media_id]) for media_id in collection.insights}
    if None in outlines.values():
        return None
    known = {media_id: outline for media_id, outline in outlines.items() if outline is not None}
    placed = list(place_insights(collection, {media_id: outline["ends_ms"] for media_id, outline in known.items()}))
    of_placed = [known[each.media["media_id"]] for each in placed]
    is_of_tracks = any("uid" in each.media for each in placed)
    is_in_order = all(outline.get("is_sorted", True) for outline in of_placed)
    if any(each.is_cut for each in placed) or (is_of_tracks and not is_in_order):
        return None
    sources = [
        _Source(each, outline, store, told_of(each.media["media_id"], told), read_words)
        for each, outline in zip(placed, of_placed, strict=True)
    ]
    is_merged = is_of_tracks and all("starts_ms" in outline for outline in of_placed)
    return Transcript(
        placed,
        _merged(sources) if is_merged else (line for source in sources for line in source),
        _sentiment(placed, list(map(sentiments_in, of_placed))),
        [outline["talk"] for outline in of_placed],
        {source.media["media_id"]: source.lines_before for source in sources},
    )


def _outline(row: MediaRow) -> Outline | None:
    return row.get("outline") if "transcript" in row.get("counts", {}) else _NO_LINES


def _sentiment(placed: Sequence[PlacedInsights], sums: Sequence[tuple[int, Decimal]]) -> float | int | None:
    return placed[0].insights.sentiment if len(placed) == 1 else mean_of_sums(sums)


def _with_words(collection: Collection, read_words: ReadWords) -> Collection:
    insights = dict(collection.insights)
    for media_id, found in insights.items():
        words = read_words(collection.media[media_id]["words"]) if "words" in collection.media[media_id] else ()
        if words:
            insights[media_id] = _spoken_with(found, words)
    return replace(collection, insights=insights)


def _spoken_with(insights: Insights, words: Words) -> Insights:
    return replace(insights, transcript=[_with_its_words(spoken, words) for spoken in insights.transcript])


def _with_its_words(spoken: Utterance, words: Words) -> Utterance:
    return replace(spoken, words=words[spoken.number - 1]) if 0 < spoken.number <= len(words) else spoken


def _merged(sources: Sequence["_Source"]) -> Iterator[Line]:
    """Yield the lines of tracks in order of time. Lines of the same time come in the order of their tracks."""
    waiting = [(source.next_ms, place) for place, source in enumerate(sources) if source.has_more]
    heapify(waiting)
    while waiting:
        _, place = heappop(waiting)
        source = sources[place]
        # The next line may begin later than its page.
        if source.is_read:
            yield next(source)
        else:
            source.read()
        if source.has_more:
            heappush(waiting, (source.next_ms, place))


class _Source:
    """The lines of one media object, from the beginning of the page on that has the first line not yet told."""

    def __init__(
        self, placed: PlacedInsights, outline: Outline, store: TranscriptStore, told: int, read_words: ReadWords
    ) -> None:
        self.media = placed.media
        self._begins_ms, self._outline, self._store = placed.begins_ms, outline, store
        self._read_words = read_words
        self._words: Words | None = None
        self._page, self.lines_before, self._at_once = 0, 0, 1
        while self._page < len(outline["lines"]) and self.lines_before + outline["lines"][self._page] <= told:
            self.lines_before += outline["lines"][self._page]
            self._page += 1
        self._lines_read = self.lines_before
        self._lines: list[Line] = []
        """Those that are read, the next one last."""

    @property
    def is_read(self) -> bool:
        """Whether the next line is read."""
        return bool(self._lines)

    @property
    def has_more(self) -> bool:
        """Whether there is a line more."""
        return self.is_read or self._page < len(self._outline["lines"])

    @property
    def next_ms(self) -> int:
        """When the next line begins at the earliest."""
        if self._lines:
            return self._lines[-1].utterance.start_ms or 0
        return self._outline["starts_ms"][self._page] + self._begins_ms

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        if not self.has_more:
            raise StopIteration
        if not self._lines:
            self.read()
        return self._lines.pop() if self._lines else next(self)

    def read(self) -> None:
        """Read the next page, and each time twice as many: who reads on will read more."""
        last = min(self._page + self._at_once, len(self._outline["lines"]))
        pages = range(self._page, last)
        media_id, number = self.media["media_id"], number_shown(self.media)
        of_table = range(pages.start + 1, pages.stop + 1)
        stored = self._store.read_pages(
            self.media["recording_id"], media_id, number, of_table, lines_before=self._lines_read
        )
        self._lines = [
            Line(media_id, moved(spoken, self._begins_ms), number, stored.corrections.get(spoken.number))
            for spoken in map(self._with_words, stored.lines)
        ][::-1]
        self._lines_read += sum(self._outline["lines"][pages.start : pages.stop])
        self._page, self._at_once = last, min(2 * self._at_once, _MOST_AT_ONCE)

    def _with_words(self, spoken: Utterance) -> Utterance:
        if self._words is None:
            self._words = self._read_words(self.media["words"]) if "words" in self.media else ()
        return _with_its_words(spoken, self._words)
