"""What a listener finds in a conversation, with the rules of the vendors' stand-ins. Nothing is canned.

Each finding consists of words that were said and names the lines that it comes from. Lines that give orders to whoever
reads the transcript are data: they are never obeyed, and they are no action items, no questions and no summary.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from sandbox.stand_ins.bedrock.transcript import Line
from sandbox.stand_ins.hearing.language import action_in, is_question, summary_of, topics_of

KINDS = (
    "title",
    "summary",
    "short_summary",
    "topics",
    "chapters",
    "action_items",
    "questions",
    "follow_ups",
    "decisions",
)
"""The kinds of findings, as Findings names them."""

_MOST_SENTENCES, _MOST_SHORT = 8, 2
_MOST_OF_A_KIND = 50
_LINES_OF_A_CHAPTER, _MOST_CHAPTERS = 12, 20
_AGREES = re.compile(r"(yes|yeah|sure|ok|okay|of course|i will|i'll|will do|certainly|gladly)\b", re.IGNORECASE)
_DECIDES = re.compile(
    r"\b(we (have )?decided|it is decided|we agreed?|agreed|let's go with|we('ll| will) go with|the decision is)\b",
    re.IGNORECASE,
)
_FOLLOWS_UP = re.compile(
    r"\b(follow up|get back to|talk again|check back|check in|call you (back|again)|(next|another) (call|meeting))\b",
    re.IGNORECASE,
)
_ORDERS_THE_READER = re.compile(
    r"\b(ignore|disregard|forget)\b.{0,40}\b(above|previous|prior|earlier|instructions?|rules|prompt)\b"
    r"|\bsystem prompt\b|\byou are now\b|\bas an ai\b|\bassistant:|</?(system|instructions?)>|\bnew instructions?\b",
    re.IGNORECASE,
)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_QUESTION_MARKS = ("?", "？", "؟")


@dataclass(frozen=True)
class Finding:
    """A statement, and the ids of the utterances that it is taken from.

    `title` is the short form of a chapter. `speaker`, `assignee`, `due` and `answer` are "" if nobody said them.
    """

    text: str
    ids: tuple[str, ...] = ()
    title: str = ""
    speaker: str = ""
    assignee: str = ""
    due: str = ""
    answer: str = ""


Listed = tuple[Finding, ...]


@dataclass(frozen=True)
class Findings:
    """All that was found, by kind. Title and summaries have one finding, or none in an empty conversation."""

    title: Listed = ()
    summary: Listed = ()
    short_summary: Listed = ()
    topics: Listed = ()
    chapters: Listed = ()
    action_items: Listed = ()
    questions: Listed = ()
    follow_ups: Listed = ()
    decisions: Listed = ()
    orders: Sequence[Line] = field(default=())
    """The lines that give orders to the reader."""


def findings_in(lines: Sequence[Line]) -> Findings:
    """Find everything in the lines of a conversation."""
    said = [line for line in lines if not orders_the_reader(line.text)]
    if not said:
        return Findings(orders=tuple(lines))
    topics = _topics(said)
    return Findings(
        title=_one(
            f"Conversation about {', '.join(topic.text for topic in topics)}",
            (utterance for topic in topics for utterance in topic.ids),
        )
        if topics
        else (),
        summary=_summary(said, _MOST_SENTENCES),
        short_summary=_summary(said, _MOST_SHORT),
        topics=topics,
        chapters=_chapters(said),
        action_items=_some(_action(said, i) for i in range(len(said))),
        questions=_some(_question(said, i) for i in range(len(said))),
        follow_ups=_matching(said, _FOLLOWS_UP),
        decisions=_matching(said, _DECIDES),
        orders=tuple(line for line in lines if orders_the_reader(line.text)),
    )


def orders_the_reader(text: str) -> bool:
    """Whether a line speaks to the model instead of the others: an injection. Invisible characters hide nothing."""
    return _ORDERS_THE_READER.search(_INVISIBLE.sub("", text)) is not None


def changed(findings: Findings, change: Callable[[Finding], Finding]) -> Findings:
    """Return the findings with each one changed."""
    kinds = {kind: tuple(change(finding) for finding in getattr(findings, kind)) for kind in KINDS}
    return Findings(**kinds, orders=findings.orders)


def _one(text: str, ids: Iterable[str]) -> Listed:
    return (Finding(text, tuple(dict.fromkeys(ids))),)


def _some(found: Iterable[Finding | None]) -> Listed:
    return tuple(finding for finding in found if finding)[:_MOST_OF_A_KIND]


def _matching(said: Sequence[Line], pattern: re.Pattern[str]) -> Listed:
    return _some(
        Finding(line.text, line.ids, speaker=line.speaker) if pattern.search(line.text) else None for line in said
    )


def _summary(said: Sequence[Line], most: int) -> Listed:
    indices = summary_of([line.text for line in said])
    chosen = [said[indices[n * len(indices) // most]] for n in range(most)] if len(indices) > most else None
    lines = chosen or [said[i] for i in indices]
    return _one(" ".join(line.text for line in lines), (utterance for line in lines for utterance in line.ids))


def _topics(said: Sequence[Line]) -> Listed:
    texts = [line.text for line in said]
    words = topics_of(texts) or _frequent_words(texts)
    return tuple(Finding(word, _first_with(said, word).ids) for word in words)


def _frequent_words(texts: Sequence[str]) -> list[str]:
    """The topics of a language that the rules of the vendors' stand-ins do not know."""
    counts = Counter(word for text in texts for word in _LONG_WORD.findall(text.lower()))
    return [word for word, _ in counts.most_common(5)]


def _first_with(said: Sequence[Line], word: str) -> Line:
    return next((line for line in said if word in line.text.lower()), said[0])


def _chapters(said: Sequence[Line]) -> Listed:
    length = max(_LINES_OF_A_CHAPTER, -(-len(said) // _MOST_CHAPTERS))
    parts = [said[start : start + length] for start in range(0, len(said), length)]
    return tuple(
        Finding(part[0].text, part[0].ids, title=", ".join(topic.text for topic in _topics(part)[:3]) or part[0].text)
        for part in parts
    )


def _action(said: Sequence[Line], i: int) -> Finding | None:
    line = said[i]
    action = action_in(line.text)
    if action is None or (action.promised and is_question(line.text)):
        return None
    found = Finding(line.text, line.ids, speaker=line.speaker, due=_as_said(line.text, action.due or ""))
    answer = _answer(said, i)
    if not action.promised and answer and _AGREES.match(answer.text):
        return replace(found, ids=(*line.ids, *answer.ids), assignee=answer.speaker)
    return replace(found, assignee=line.speaker if action.promised else "")


def _as_said(text: str, words: str) -> str:
    start = text.lower().find(words)
    return text[start : start + len(words)]


def _question(said: Sequence[Line], i: int) -> Finding | None:
    line = said[i]
    if not is_question(line.text) and not line.text.endswith(_QUESTION_MARKS):
        return None
    if answer := _answer(said, i):
        return Finding(line.text, (*line.ids, *answer.ids), speaker=line.speaker, answer=answer.text)
    return Finding(line.text, line.ids, speaker=line.speaker)


def _answer(said: Sequence[Line], i: int) -> Line | None:
    """The next line, if somebody else says it."""
    return said[i + 1] if i + 1 < len(said) and said[i + 1].speaker != said[i].speaker else None
