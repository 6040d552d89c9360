"""Keeps of an answer what the lines prove. The rest is dropped, and counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recording_insights.derive.facts import Proof, words_of
from recording_insights.derive.kinds import LONGEST_MEMBER, Kind, kind_of
from recording_insights.derive.language import has_capital_nouns, is_other_language
from recording_insights.derive.lines import visible
from recording_insights.derive.merge import spread
from recording_insights.derive.orders import orders_the_reader
from recording_insights.derive.part import Part
from recording_insights.model.derived import Statement

_COPIED = 8
"""Words in a row that a statement shares with the rules only if it was copied from them."""
_MOST_CITED = 40
"""Sources of a statement. It has to be proved by the first ones if it cites more."""
_HEADINGS = ("title", "topics", "chapters")
_PROSE = ("short_summary", "summary", "action_items", "questions", "follow_ups", "decisions")


@dataclass(frozen=True)
class Checked:
    """What holds of an answer, by kind.

    `dropped` counts what does not hold: statements by kind, and members of statements that hold as `kind.member`.
    `broken` are the kinds of another form. `is_other_language`: the answer is not in the language that was wanted.
    """

    found: Mapping[str, Sequence[Statement]]
    dropped: Mapping[str, int]
    broken: Sequence[str]
    is_other_language: bool


def check(value: Mapping[str, Any], kinds: Sequence[str], part: Part, rules: str, language: str | None) -> Checked:
    """Check an answer that was asked for these kinds in this part by these rules, in this language if one is wanted."""
    return _Check(part, rules, language).all(value, kinds)


class _Check:
    def __init__(self, part: Part, rules: str, language: str | None) -> None:
        self._part = part
        self._conversation = " ".join(source.text for source in part.sources.values())
        self._language = language
        self._nouns_have_capitals = has_capital_nouns(self._conversation, language)
        self._copies = set(_runs(rules))
        self._speakers = [frozenset(words_of(name)) for name in part.speakers]
        self._dropped: Counter[str] = Counter()

    def all(self, value: Mapping[str, Any], kinds: Sequence[str]) -> Checked:
        given = {name: _given(value.get(name), kind_of(name)) for name in kinds}
        broken = [name for name, entries in given.items() if entries is None]
        texts = [entry[kind_of(name).text] for name in _PROSE for entry in given.get(name) or ()]
        if is_other_language(texts, self._conversation, self._language):
            return Checked({}, {}, broken, is_other_language=True)
        found = {name: self._kind(name, entries) for name, entries in given.items() if entries is not None}
        return Checked(found, dict(self._dropped), broken, is_other_language=False)

    def _kind(self, name: str, entries: Sequence[Mapping[str, Any]]) -> list[Statement]:
        kind = kind_of(name)
        # Where the next chapter begins, this one ends: its heading is proved by all that is between.
        begins = sorted(place for entry in entries for place in self._places(entry)[:1]) if name == "chapters" else []
        held = [self._held(name, kind, entry, begins) for entry in entries[: kind.most]]
        found = [statement for statement in held if statement]
        if len(found) < len(entries):
            self._dropped[name] += len(entries) - len(found)
        return found

    def _held(self, name: str, kind: Kind, entry: Mapping[str, Any], begins: Sequence[int]) -> Statement | None:
        """The statement, None if it does not hold."""
        text = visible(entry[kind.text])
        places = self._places(entry)
        if not places or not 0 < len(text) <= kind.longest:
            return None
        proof = self._proof(range(places[0], _next(begins, places[0], len(self._part.names))) if begins else places)
        if not self._is_proved(text, proof, is_heading=name in _HEADINGS):
            return None
        sources = [self._part.sources[self._part.names[place]] for place in places]
        return Statement(
            text,
            spread(list(dict.fromkeys(line for source in sources for line in source.lines))),
            start_ms=sources[0].start_ms if begins else None,
            **self._members(name, kind, entry, proof),
        )

    def _places(self, entry: Mapping[str, Any]) -> list[int]:
        """The places of the first cited sources that exist and prove something, in order."""
        cited = {self._part.places[name] for id in entry["evidence"] if (name := id.strip(" []")) in self._part.places}
        return [place for place in sorted(cited) if not self._part.is_order(place)][:_MOST_CITED]

    def _proof(self, places: Iterable[int]) -> Proof:
        sources = [self._part.sources[self._part.names[place]] for place in places if not self._part.is_order(place)]
        return Proof(" ".join(source.text for source in sources), self._part.speakers)

    def _is_proved(self, text: str, proof: Proof, *, is_heading: bool = False) -> bool:
        return (
            proof.proves(text, nouns_have_capitals=self._nouns_have_capitals, is_heading=is_heading)
            and not orders_the_reader(text)
            and self._copies.isdisjoint(_runs(text))
        )

    def _members(self, name: str, kind: Kind, entry: Mapping[str, Any], proof: Proof) -> dict[str, str]:
        """The members beside the text that hold. Those that do not are dropped, and the statement stays."""
        members = {}
        for member in kind.more:
            text = visible(entry.get(member) or "")
            if not text:
                continue
            if len(text) <= LONGEST_MEMBER[member] and self._member_holds(member, text, proof):
                members[member] = text
            else:
                self._dropped[f"{name}.{member}"] += 1
        return members

    def _member_holds(self, member: str, text: str, proof: Proof) -> bool:
        words = frozenset(words_of(text))
        if not words or not self._is_proved(text, proof):
            return False
        if member == "assignee":
            return any(words <= speaker for speaker in self._speakers) or words <= proof.words
        if member == "due":
            return words <= proof.words or (self._language is not None and proof.names_a_day(text))
        return True


def _given(value: Any, kind: Kind) -> list[Mapping[str, Any]] | None:
    """The entries of a kind, None if they have another form. An entry without text and evidence says: nothing."""
    entries = [value] if kind.is_one else value
    if not isinstance(entries, list) or not all(_has_form(entry, kind) for entry in entries):
        return None
    return [entry for entry in entries if entry[kind.text].strip() or entry["evidence"]]


def _has_form(entry: Any, kind: Kind) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get(kind.text), str)
        and isinstance(evidence := entry.get("evidence"), list)
        and all(isinstance(name, str) for name in evidence)
        and all(isinstance(entry.get(member), str | None) for member in kind.more)
    )


def _next(begins: Sequence[int], place: int, end: int) -> int:
    return next((begin for begin in begins if begin > place), end)


def _runs(text: str) -> Iterable[tuple[str, ...]]:
    """All runs of so many words in a row that nobody says them twice by chance."""
    words = words_of(text)
    return zip(*(words[start:] for start in range(_COPIED)), strict=False)
