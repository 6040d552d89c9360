"""The names, numbers and days in a text, and whether other words prove them.

Case, accents, widths of letters and scripts of digits make no difference. A name is a word with a capital that nothing
else explains: scripts without capitals have none, and in German, where every noun has one, only what stands where a
name stands counts.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from recording_insights.derive.word_lists import (
    AFTER_A_NAME,
    AMBIGUOUS,
    BEFORE_A_NAME,
    BEFORE_A_NOUN,
    CALENDAR,
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
    """Words that were said, and what they prove."""

    text: str

    @cached_property
    def words(self) -> frozenset[str]:
        """All words, folded."""
        return frozenset(words_of(self.text))

    @cached_property
    def days(self) -> frozenset[int]:
        """The days and months, as `CALENDAR` numbers them."""
        return frozenset(CALENDAR[word] for word in self.words if word in CALENDAR)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """All numbers as plain digits: as a whole, in groups, and those that were said as words."""
        text = folded(self.text)
        found = {_plain(number) for number in (*_NUMBER.findall(text), *_SPACED_NUMBER.findall(text))}
        found |= {_plain(group) for group in _DIGITS.findall(text)}
        return frozenset(found | set(_said_as_words(_WORD.findall(text))))

    def has_word(self, word: str) -> bool:
        """Whether a folded word was said, perhaps with another ending."""
        return word in self.words or any(_is_other_form(word, said) for said in self.words)

    def proves(self, text: str, *, nouns_have_capitals: bool = False) -> bool:
        """Whether all names, numbers and days of a text were said."""
        return (
            all(self._has_number(number) for number in _NUMBER.findall(folded(text)))
            and all(day in self.days for day in _days_of(text))
            and all(self._has_name(name) for name in _names_of(text, nouns_have_capitals))
        )

    def names_a_day(self, text: str) -> bool:
        """Whether a text names a day or has a number. `proves` says whether they were said."""
        return next(_days_of(text), None) is not None or _DIGITS.search(folded(text)) is not None

    def _has_number(self, number: str) -> bool:
        return _plain(number) in self.numbers or all(_plain(group) in self.numbers for group in _DIGITS.findall(number))

    def _has_name(self, name: str) -> bool:
        if name in CALENDAR and CALENDAR[name] in self.days:
            return True
        return all(self.has_word(word) for word in words_of(name))


def _names_of(text: str, nouns_have_capitals: bool) -> Iterator[str]:
    """The words of a text that are names, folded."""
    text = unicodedata.normalize("NFKC", text)
    matches = list(_WORD.finditer(text))
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
        if is_name or before in BEFORE_A_NAME or following in AFTER_A_NAME:
            yield word


def _is_subject(word: str) -> bool:
    return word in SUBJECTS or _PLAIN_NOUN.search(word) is not None


def _stands_as_noun(word: str, before: str, before_as_written: str) -> bool:
    """Whether a capitalised German word is a plain noun: by its ending, or after what goes before nouns."""
    if before in BEFORE_A_NOUN or _PLAIN_NOUN.search(word):
        return True
    return before_as_written[:1].islower() and _ADJECTIVE.search(before) is not None


def _days_of(text: str) -> Iterator[int]:
    for match in _WORD.finditer(text):
        word = folded(match[0])
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
    if len(short) >= 4 and len(long) - len(short) <= 3 and long.startswith(short):
        return True
    return len(short) >= 6 and long[: len(short) - 2] == short[:-2] and len(long) - len(short) <= 2


def _digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign
