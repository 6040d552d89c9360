"""In which language a text is, as far as cheap rules tell."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from recording_insights.derive.facts import words_of
from recording_insights.derive.word_lists import STOP_WORDS

_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    "Latin": re.compile(r"[A-Za-z\u00c0-\u024f]"),
    "Cyrillic": re.compile(r"[\u0400-\u052f]"),
    "Greek": re.compile(r"[\u0370-\u03ff]"),
    "Arabic": re.compile(r"[\u0600-\u06ff\u0750-\u077f]"),
    "Hebrew": re.compile(r"[\u0590-\u05ff]"),
    "Indic": re.compile(r"[\u0900-\u0dff]"),
    "Thai": re.compile(r"[\u0e00-\u0e7f]"),
    "Hangul": re.compile(r"[\uac00-\ud7af]"),
    "Kana": re.compile(r"[\u3040-\u30ff]"),
    "Han": re.compile(r"[\u4e00-\u9fff]"),
}
_SCRIPT_OF: Mapping[str, str] = {
    **dict.fromkeys(("ru", "uk", "bg", "be", "mk"), "Cyrillic"),
    **dict.fromkeys(("ar", "fa", "ur", "ps"), "Arabic"),
    **dict.fromkeys(("hi", "bn", "ta", "te", "mr", "gu", "kn", "ml", "pa", "ne", "si"), "Indic"),
    "el": "Greek",
    "he": "Hebrew",
    "th": "Thai",
    "ko": "Hangul",
    "ja": "Kana",
    "zh": "Han",
}
_MANY_SCRIPTS = frozenset({"sr", "kk", "uz", "az", "mn"})
_FEWEST_WORDS = 6
_FEWEST_KNOWN_WORDS = 30
_SEEN = 200_000
"""Characters of a conversation that are looked at."""


def language_of(text: str) -> str | None:
    """Return which of the languages with known stop words a text is in, None if it is not clear."""
    words = words_of(text[:_SEEN])
    counts = Counter(words)
    hits = {language: sum(counts[word] for word in known) for language, known in STOP_WORDS.items()}
    (first, most), (_, second) = sorted(hits.items(), key=lambda hit: -hit[1])[:2]
    return first if most >= 3 and most >= 0.12 * len(words) and most >= 1.3 * second else None


def is_other_language(texts: Iterable[str], conversation: str, wanted: str | None) -> bool:
    """Whether texts are clearly not in the wanted language, or without one, in that of the conversation."""
    text = " ".join(texts)
    words = words_of(text)
    script, expected_script = _script_of(text), _script_of(conversation[:_SEEN])
    if wanted:
        expected: str | None = wanted.partition("-")[0].lower()
        if expected in _MANY_SCRIPTS:
            return False
        expected_script = _SCRIPT_OF.get(expected or "", "Latin")
    else:
        expected = language_of(conversation)
    if script and expected_script and not _fits(script, expected_script):
        return True
    found = language_of(text)
    if found and expected in STOP_WORDS:
        return found != expected
    if wanted or len(words) < _FEWEST_WORDS or script != "Latin":
        return False
    return found is None and _shares_too_little(words, conversation)


def has_capital_nouns(conversation: str, wanted: str | None) -> bool:
    """Whether nouns have capitals in what is written about a conversation, as they have in German."""
    language = wanted.partition("-")[0].lower() if wanted else language_of(conversation)
    return language in ("de", "lb")


def _shares_too_little(words: list[str], conversation: str) -> bool:
    """Whether hardly a word of a text was said in the conversation: texts in its language share their small words."""
    known = set(words_of(conversation[:_SEEN]))
    return len(known) >= _FEWEST_KNOWN_WORDS and sum(word in known for word in words) < 0.15 * len(words)


def _script_of(text: str) -> str | None:
    """The script of most letters, None if there are none."""
    counts = {name: len(letters.findall(text)) for name, letters in _SCRIPTS.items()}
    if counts["Kana"] * 5 > counts["Han"] and counts["Kana"]:
        counts["Kana"] += counts["Han"]
    most = max(counts, key=counts.__getitem__)
    return most if counts[most] >= 4 else None


def _fits(script: str, expected: str) -> bool:
    return script == expected or {script, expected} == {"Han", "Kana"}
