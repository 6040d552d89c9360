"""The names, numbers and days in a text, and whether other words prove them.

Case, accents, widths of letters and scripts of digits make no difference. A name is a word with a capital that nothing
else explains: scripts without capitals have none, and in German, where every noun has one, only what stands where a
name stands counts.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from recording_insights.derive.word_lists import (
    AFTER_A_NAME,
    AMBIGUOUS,
    BEFORE_A_NAME,
    BEFORE_A_NOUN,
    CALENDAR,
    HEADING_WORDS,
    NUMBERS,
    SUBJECTS,
    VERBS_OF_PEOPLE,
)

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+(?:[.,:'’/-]\d+)*")
_SPACED_NUMBER = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)")
_DIGITS = re.compile(r"\d+")
_BEGINS_SENTENCE = re.compile(r"(?:^|[.!?…:;。]['\"”’»)\]]*\s+|[¿¡“„«\"(\[‘]\s*|[-–—•*]\s+|\d[.)]\s+)$")
_LOOK_BACK = 8

_PLAIN_NOUN = re.compile(
    r"(?:ing|tion|sion|ment|ness|ity|ance|ence|ship|age|als?|ung|ungen|heit|heiten|keit|keiten|schaft|schaften|nis|nisse"
    r"|tat|taten|tionen|ismus|ierung|erung|termin|frist|zeit)$"
)
_NUMBERED_SPEAKER = re.compile(
    r"\b(?:speakers?|sprecher(?:in)?|locut(?:eur|rice)|hablante|interlocutor|parlante|orador|spreker|participante?)"
    r"[ _-]?(\d+)\b"
)
_BEGIN = 4
"""Letters that two forms of a word have in common at least."""
_ADJECTIVE = re.compile(r"(?:e|en|er|es|em)$")


def folded(text: str) -> str:
    """Return a text in which case, accents, widths and scripts of digits make no difference."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(_digit(sign) for sign in parts if not unicodedata.combining(sign))
    return unicodedata.normalize("NFC", plain)


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded. A hyphen or an apostrophe parts words."""
    return _WORD.findall(folded(text))


@dataclass(frozen=True)
class Proof:
    """Words that were said, and what they prove. `speakers` are names that need no other proof."""

    text: str
    speakers: Collection[str] = ()

    @cached_property
    def words(self) -> frozenset[str]:
        """All words, folded, and those of the speakers' names."""
        return frozenset(word for text in (self.text, *self.speakers) for word in words_of(text))

    @cached_property
    def days(self) -> frozenset[int]:
        """The days and months that were said, as `CALENDAR` numbers them."""
        return frozenset(CALENDAR[word] for word in words_of(self.text) if word in CALENDAR)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """All numbers that were said as plain digits: as a whole, in groups, and those that were said as words."""
        text = folded(self.text)
        found = {_plain(number) for number in (*_NUMBER.findall(text), *_SPACED_NUMBER.findall(text))}
        found |= {_plain(group) for group in _DIGITS.findall(text)}
        return frozenset(found | set(_said_as_words(_WORD.findall(text))))

    def has_word(self, word: str) -> bool:
        """Whether a folded word was said, perhaps with another ending."""
        return word in self.words or any(_is_other_form(word, said) for said in self._by_begin.get(word[:_BEGIN], ()))

    def proves(self, text: str, *, nouns_have_capitals: bool = False, is_heading: bool = False) -> bool:
        """Whether all names, numbers and days of a text were said.

        `nouns_have_capitals`, as in German. In a heading, all words may have them.
        """
        plain = self._without_speakers(text)
        return (
            all(self._has_number(number) for number in _NUMBER.findall(plain))
            and all(day in self.days for day in _days_of(plain))
            and all(self._has_name(name) for name in _names_of(text, nouns_have_capitals, is_heading))
        )

    def names_a_day(self, text: str) -> bool:
        """Whether a text names a day or has a number. `proves` says whether they were said."""
        plain = folded(text)
        return next(_days_of(plain), None) is not None or _DIGITS.search(plain) is not None

    @cached_property
    def _by_begin(self) -> Mapping[str, list[str]]:
        by_begin: dict[str, list[str]] = {}
        for word in self.words:
            by_begin.setdefault(word[:_BEGIN], []).append(word)
        return by_begin

    @cached_property
    def _names(self) -> Sequence[str]:
        return sorted(map(folded, self.speakers), key=len, reverse=True)

    def _without_speakers(self, text: str) -> str:
        """The text, folded, without the names of speakers, whose numbers and days are none: Speaker 1, June."""
        plain = folded(text)
        for name in self._names:
            plain = plain.replace(name, " ")
        numbers = {number for name in self._names for number in _DIGITS.findall(name)}
        return _NUMBERED_SPEAKER.sub(lambda match: " " if match[1] in numbers else match[0], plain)

    def _has_number(self, number: str) -> bool:
        return _plain(number) in self.numbers or all(_plain(group) in self.numbers for group in _DIGITS.findall(number))

    def _has_name(self, name: str) -> bool:
        if name in CALENDAR and CALENDAR[name] in self.days:
            return True
        return all(self.has_word(word) for word in words_of(name))


def _names_of(text: str, nouns_have_capitals: bool, is_heading: bool) -> Iterator[str]:
    """The words of a text that are names, folded."""
    text = unicodedata.normalize("NFKC", text)
    matches = list(_WORD.finditer(text))
    all_have_capitals = is_heading and _is_title_case([match[0] for match in matches])
    plain = ["", *(folded(match[0]) for match in matches), ""]
    for i, match in enumerate(matches):
        before, word, following = plain[i : i + 3]
        if not match[0][0].isupper() or len(match[0]) < 2:
            continue
        begins = _BEGINS_SENTENCE.search(text[max(0, match.start() - _LOOK_BACK) : match.start()])
        if begins:
            is_name = following in VERBS_OF_PEOPLE and not _is_subject(word)
        else:
            is_name = not (nouns_have_capitals and _stands_as_noun(word, before, matches[i - 1][0]))
        if all_have_capitals:
            is_name = is_name and word not in HEADING_WORDS and _PLAIN_NOUN.search(word) is None
        if is_name or before in BEFORE_A_NAME or following in AFTER_A_NAME:
            yield word


def _is_title_case(words: Sequence[str]) -> bool:
    long = [word for word in words if len(word) > 3]
    return len(long) > 1 and sum(word[0].isupper() for word in long) > 0.6 * len(long)


def _is_subject(word: str) -> bool:
    return word in SUBJECTS or _PLAIN_NOUN.search(word) is not None


def _stands_as_noun(word: str, before: str, before_as_written: str) -> bool:
    """Whether a capitalised German word is a plain noun: by its ending, or after what goes before nouns."""
    if before in BEFORE_A_NOUN or _PLAIN_NOUN.search(word):
        return True
    return before_as_written[:1].islower() and _ADJECTIVE.search(before) is not None


def _days_of(plain: str) -> Iterator[int]:
    """The days and months in a folded text."""
    for word in _WORD.findall(plain):
        if word in CALENDAR and word not in AMBIGUOUS:
            yield CALENDAR[word]


def _plain(number: str) -> str:
    return "".join(_DIGITS.findall(number)).lstrip("0") or "0"


def _said_as_words(words: Iterable[str]) -> Iterator[str]:
    """The numbers that are said as words: each word's, and that of a ten with the one after it."""
    before = 0
    for word in words:
        value = NUMBERS.get(word, 0)
        if word in NUMBERS:
            yield str(value)
        if 20 <= before < 100 and 0 < value < 10:
            yield str(before + value)
        ones, _, tens = word.partition("und")
        if ones in NUMBERS and tens in NUMBERS:
            yield str(NUMBERS[tens] + NUMBERS[ones])
        before = value


def _is_other_form(word: str, said: str) -> bool:
    """Whether two words differ by their ending only: a genitive, a plural, a noun of a verb."""
    short, long = sorted((word, said), key=len)
    if len(short) >= _BEGIN and len(long) - len(short) <= 3 and long.startswith(short):
        return True
    return len(short) >= 6 and long[: len(short) - 2] == short[:-2] and len(long) - len(short) <= 2


def _digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign
