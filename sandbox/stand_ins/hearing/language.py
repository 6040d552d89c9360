"""Derives sentiment, emotion, questions, actions, topics, entities and a summary from words, by simple rules.

Nothing is canned: other words give other results, and empty phrases give none.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOP_WORDS = _words(
    "a about after again all also am an and any are as at back be because been before but by called came can come "
    "could course day did do does done down for from get give go going good got great had has have he hello help her "
    "here him his how i if in into is it its just know let like look made make many may me more morning much my "
    "never new no nobody not now of off oh okay on one only or other our out over please really right said say see "
    "send she should so some sorry still such sure take tell than thank thanks that the their them then there these "
    "they thing things think this those time to today too under up us use very want was way we well went were what "
    "when where which who why will with would yeah yes you your"
)
_QUESTION_STARTS = _words(
    "how what when where which who whom whose why can could did do does is are was were will would should have has "
    "may shall"
)
_EMOTIONS = {
    "Anger": _words("angry annoyed furious mad terrible unacceptable upset worst awful hate"),
    "Sadness": _words("sad sorry unhappy disappointed broken lost miss regret problem mistake"),
    "Fear": _words("afraid worried scared nervous anxious danger"),
    "Joy": _words("happy glad wonderful great excellent love perfect thank thanks pleased good"),
    "Surprise": _words("surprised amazing wow unexpected suddenly unbelievable"),
}
_ACTION = re.compile(
    r"\b(?:(?P<promise>i will|i'll|we will|we'll|i am going to|we need to|i need to|let us|let's)"
    r"|(?P<request>please|can you|could you|you should|you need to|you have to))\s+(?!not\b|be\b|i\b|help you\b)\w+"
)
_DATE = (
    r"(?:(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)(?: morning| afternoon| evening)?"
    r"|this (?:morning|afternoon|evening|week|month)|today|tonight|tomorrow|next week|next month)\b"
)
_NUMBER = (
    r"(?:\d+|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million)\b"
)
_DUE = re.compile(rf"\b(?:(?:before|by|on|until|next|this)\s+)?{_DATE}")
_NAMED = re.compile(
    rf"\b(?:(?P<date>{_DATE})|(?P<number>{_NUMBER}(?: {_NUMBER})*)"
    r"|(?:my name is|i am called|mister|mrs|doctor) (?P<person>[^\W\d_]+))",
    re.IGNORECASE,
)
_URGENT = re.compile(r"\b(?:urgent|urgently|immediately|now|today|tonight|as soon as possible|right away)\b")
_DAY = re.compile("(mon|tues|wednes|thurs|fri|satur|sun)day", re.IGNORECASE)
_PROPER = re.compile(r"\b(?:i|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b")
_WORD = re.compile(r"[a-z][a-z']+")


@dataclass(frozen=True)
class Action:
    """Something to do: `promised` by the speaker, or requested from somebody else."""

    text: str
    promised: bool
    due: str | None
    urgent: bool


@dataclass(frozen=True)
class Named:
    """A particular thing that is named. `kind` is date, number or person.

    It has the `words` from the index `first` on, and begins with the character at `offset`.
    """

    kind: str
    text: str
    offset: int
    first: int

    @property
    def words(self) -> int:
        return len(self.text.split())


def is_day(word: str) -> bool:
    """Whether a word names a day of the week: the only personal data that stand-ins find to redact."""
    return _DAY.fullmatch(word) is not None


def punctuated(text: str) -> str:
    """Return the words as a sentence, with capitals and a final mark."""
    sentence = _PROPER.sub(lambda found: found[0].capitalize(), text)
    return sentence[:1].upper() + sentence[1:] + ("?" if is_question(text) else ".")


def sentiment_of(text: str) -> float:
    """Return VADER's compound score, -1 to 1."""
    return float(_vader().polarity_scores(text)["compound"])


def emotion_of(text: str) -> tuple[str, float]:
    """Return the emotion that has the most words, else one by the sentiment, with a confidence from 0 to 1."""
    words = _WORD.findall(text.lower())
    hits = {emotion: sum(word in known for word in words) for emotion, known in _EMOTIONS.items()}
    emotion = max(hits, key=lambda name: hits[name])
    score = sentiment_of(text)
    if hits[emotion]:
        return emotion, round(min(1.0, 0.4 + 0.2 * hits[emotion] + 0.3 * abs(score)), 3)
    if abs(score) >= 0.4:
        return ("Joy" if score > 0 else "Sadness"), round(abs(score), 3)
    return "Neutral", round(1 - abs(score), 3)


def is_question(text: str) -> bool:
    """Whether the words begin like a question. Recognised speech has no question marks."""
    words = text.lower().removeprefix("so ").removeprefix("and ").split()
    return len(words) > 2 and words[0] in _QUESTION_STARTS


def action_in(text: str) -> Action | None:
    """Return the promise or request in the words, None without one."""
    words = text.lower()
    found = _ACTION.search(words)
    if not found:
        return None
    due = _DUE.search(words)
    return Action(
        text=text[found.start() :],
        promised=found["promise"] is not None,
        due=due[0] if due else None,
        urgent=_URGENT.search(words) is not None,
    )


def entities_in(text: str) -> list[Named]:
    """Return the dates, the numbers and the names after words such as "my name is". A mere "one" is no number."""
    found = [(str(each.lastgroup), each) for each in _NAMED.finditer(text)]
    return [
        Named(kind, each[kind], each.start(kind), len(text[: each.start(kind)].split()))
        for kind, each in found
        if each[kind].lower() != "one"
    ]


def keywords_in(text: str) -> list[str]:
    """Return the content words, each once, in order."""
    return list(dict.fromkeys(word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS))


def topics_of(texts: Iterable[str], most: int = 5) -> list[str]:
    """Return the most frequent content words of the whole conversation; without repeated words, the first ones."""
    counts = Counter(word for text in texts for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS)
    repeated = [word for word, count in counts.most_common(most) if count > 1]
    return repeated or [word for word, _ in counts.most_common(most)]


def summary_of(texts: Sequence[str]) -> list[int]:
    """Return the indices of the sentences that sum up the rest: a quarter of them, at least two."""
    counts = Counter(word for text in texts for word in keywords_in(text))

    def weight(i: int) -> float:
        words = keywords_in(texts[i])
        return sum(counts[word] for word in words) / (len(words) + 2)

    heaviest = sorted(range(len(texts)), key=weight, reverse=True)[: max(2, len(texts) // 4)]
    return sorted(heaviest)


@functools.cache
def _vader() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()
