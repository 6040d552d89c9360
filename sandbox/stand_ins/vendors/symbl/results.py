"""A conversation, and its results, each computed from the recognised utterances."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.stand_ins.hearing.language import (
    Action,
    action_in,
    entities_in,
    is_question,
    keywords_in,
    punctuated,
    sentiment_of,
    summary_of,
    topics_of,
)
from sandbox.stand_ins.hearing.speech import Utterance

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TALKS = re.compile(r"\b(?:call|email|mail|write|meet|meeting|phone|talk|speak|follow up)\b")


def new_id() -> str:
    """Create an id of a conversation, a message or an insight: sixteen digits."""
    return str(uuid.uuid4().int)[:16]


@dataclass
class Conversation:
    """One submission, the state of its job, and its utterances after the job. `began` is the time of submission."""

    submission: Mapping[str, Any] = field(repr=False)
    began: datetime
    id: str = field(default_factory=new_id)
    job_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "scheduled"
    error: str | None = None
    polls: int = 0
    said: Sequence[Utterance] = ()

    def __post_init__(self) -> None:
        self._members: dict[str, str] = {}
        self._messages: list[str] = []

    @property
    def name(self) -> str:
        return str(self.submission.get("name", self.id))

    def finish(self, said: Sequence[Utterance]) -> None:
        """Keep the utterances, and number them."""
        self.said = said
        self._messages = [new_id() for _ in said]
        if self.submission["speakers"] is not None:
            self._members = {speaker: str(uuid.uuid4()) for speaker in sorted({u.speaker for u in said})}

    def as_json(self) -> dict[str, Any]:
        end = max((u.end_ms for u in self.said), default=0.0)
        return {
            "id": self.id,
            "type": "meeting",
            "name": self.name,
            "startTime": self._moment(0),
            "endTime": self._moment(end),
            "members": self.members(),
            "metadata": dict(self.submission.get("metadata", {})),
        }

    def members(self) -> list[dict[str, Any]]:
        return [self._from(speaker) for speaker in self._members]

    def messages(self, *, verbose: bool, sentiment: bool, offsets: bool) -> list[dict[str, Any]]:
        """Return one message per utterance, with words if `verbose`. Offsets are seconds with two decimals."""
        messages = []
        for message, u in self._numbered():
            messages.append(
                {
                    "id": message,
                    "text": punctuated(u.text),
                    "from": self._from(u.speaker),
                    **self._span(u.start_ms, u.end_ms, offsets),
                    "conversationId": self.id,
                    "phrases": self._phrases(u) if self.submission.get("detectPhrases") else [],
                    **({"sentiment": _sentiment(u.text)} if sentiment else {}),
                    **({"words": self._words(u, offsets)} if verbose else {}),
                }
            )
        return messages

    def topics(self, *, sentiment: bool) -> list[dict[str, Any]]:
        """Return the most frequent words. The score compares the number of messages with that of the first topic."""
        found = []
        for topic in topics_of(u.text for u in self._insightful()):
            where = [(message, u) for message, u in self._numbered() if topic in keywords_in(u.text)]
            feeling = {"sentiment": _sentiment(" ".join(u.text for _, u in where))} if sentiment else {}
            found.append(
                (len(where), {"messageIds": [message for message, _ in where], "parentRefs": [], **feeling}, topic)
            )
        most = max((count for count, *_ in found), default=1)
        topics = [_insight("topic", topic, count / most, rest) for count, rest, topic in found]
        return self._sure(topics)

    def actions(self, kind: str) -> list[dict[str, Any]]:
        """Return promises and requests: as `follow_up` those about another talk, as `action_item` the others."""
        found = []
        for message, u in self._numbered():
            action = action_in(u.text) if self._insightful() else None
            if action and (kind == "follow_up") == bool(_TALKS.search(action.text)):
                due = _due(action, self.began)
                rest = {
                    "messageIds": [message],
                    "entities": [],
                    "phrases": self._phrases(u),
                    "from": self._from(u.speaker),
                    "definitive": action.promised,
                    "assignee": self._from(u.speaker) if action.promised else {},
                    **({"dueBy": due} if due else {}),
                }
                score = 0.6 + 0.2 * action.promised + 0.2 * (due is not None)
                found.append(_insight(kind, punctuated(action.text), score, rest))
        return self._sure(found)

    def questions(self) -> list[dict[str, Any]]:
        """Return the utterances that begin like a question."""
        asked = [(message, u) for message, u in self._numbered() if self._insightful() and is_question(u.text)]
        return self._sure(
            [
                _insight("question", punctuated(u.text), 0.9, {"messageIds": [message], "from": self._from(u.speaker)})
                for message, u in asked
            ]
        )

    def analytics(self) -> dict[str, Any]:
        """Return silence and talk time of the conversation, and talk, listening and pace of each member."""
        whole = max((u.end_ms for u in self.said), default=0.0)
        talk = sum(u.end_ms - u.start_ms for u in self.said)
        metrics = {"total_silence": whole - talk, "total_talk_time": talk, "total_overlap": 0.0}
        members = []
        for speaker in self._members or (["0"] if self.said else []):
            own = [u for u in self.said if not self._members or u.speaker == speaker]
            ms = sum(u.end_ms - u.start_ms for u in own)
            words = sum(len(u.text.split()) for u in own)
            members.append(
                {
                    **(self._from(speaker) or {"id": new_id(), "name": "Unknown Speaker"}),
                    "pace": {"wpm": round(words / ms * 60_000) if ms else 0},
                    "talkTime": _share(ms, talk),
                    "listenTime": _share(talk - ms, talk),
                    "overlap": {},
                }
            )
        total = [
            {"type": kind, "percent": _share(ms, whole)["percentage"], "seconds": _share(ms, whole)["seconds"]}
            for kind, ms in metrics.items()
        ]
        return {"metrics": total if self.said else [], "members": members}

    def trackers(self) -> list[dict[str, Any]]:
        """Return the submitted trackers whose words occur exactly."""
        return [
            {"id": new_id(), "name": tracker["name"], "matches": matches}
            for tracker in self.submission.get("trackers", [])
            if (matches := [match for text in tracker["vocabulary"] if (match := self._match(text))])
        ]

    def entities(self) -> list[dict[str, Any]]:
        """Return the submitted custom entities that occur, then dates, numbers and names, each with its messages.

        Source: "GET Entities" in https://github.com/symblai/symbl-docs
        """
        if not self.submission.get("detectEntities"):
            return []
        custom = [
            {
                "type": "custom",
                "customType": entity["customType"],
                "value": match["value"],
                "text": entity["text"],
                "messageRefs": match["messageRefs"],
            }
            for entity in self.submission.get("entities", [])
            if (match := self._match(entity["text"]))
        ]
        return [*custom, *self._managed_entities()]

    def _managed_entities(self) -> list[dict[str, Any]]:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for message, u in self._numbered() if self._insightful() else ():
            for named in entities_in(u.text):
                day = _day_in(named.text, self.began) if named.kind == "date" else None
                value = day.date().isoformat() if day else named.text
                entity = {"type": named.kind, "value": value, "text": named.text, "messageRefs": []}
                refs = found.setdefault((named.kind, named.text), entity)["messageRefs"]
                refs.append({"id": message, "text": punctuated(u.text), "offset": named.offset})
        return list(found.values())

    def summary(self) -> list[dict[str, Any]]:
        """Return the sentences that sum up the rest."""
        return [
            {"id": new_id(), "text": punctuated(self.said[i].text), "messageRefs": [{"id": self._messages[i]}]}
            for i in summary_of([u.text for u in self._insightful()])
        ]

    def _numbered(self) -> list[tuple[str, Utterance]]:
        return list(zip(self._messages, self.said, strict=True))

    def _insightful(self) -> Sequence[Utterance]:
        """The utterances that get insights: Symbl has them for English only."""
        return self.said if self.submission.get("languageCode", "en-US").startswith("en") else ()

    def _from(self, speaker: str) -> dict[str, Any]:
        return {"id": self._members[speaker], "name": f"Speaker {speaker}"} if speaker in self._members else {}

    def _moment(self, ms: float) -> str:
        moment = self.began + timedelta(milliseconds=ms)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _span(self, start: float, end: float, offsets: bool) -> dict[str, Any]:
        seconds = {"timeOffset": round(start / 1000, 2), "duration": round((end - start) / 1000, 2)}
        return {"startTime": self._moment(start), "endTime": self._moment(end), **(seconds if offsets else {})}

    def _words(self, u: Utterance, offsets: bool) -> list[dict[str, Any]]:
        """Each word gets a share of the utterance's time by its length. The recogniser returns no scores."""
        words = punctuated(u.text).split()
        letter = (u.end_ms - u.start_ms) / sum(map(len, words))
        timed, at = [], u.start_ms
        for word in words:
            timed.append({"word": word, **self._span(at, at + letter * len(word), offsets)})
            at += letter * len(word)
        return timed

    def _phrases(self, u: Utterance) -> list[dict[str, str]]:
        action = action_in(u.text)
        return [{"type": "action_phrase", "text": action.text}] if action else []

    def _match(self, text: str) -> dict[str, Any] | None:
        refs = [
            {"id": message, "text": punctuated(u.text), "offset": u.text.find(text.lower())}
            for message, u in self._numbered()
            if text.lower() in u.text
        ]
        return {"type": "vocabulary", "value": text, "messageRefs": refs, "insightRefs": []} if refs else None

    def _sure(self, insights: list[dict[str, Any]]) -> list[dict[str, Any]]:
        least = self.submission.get("confidenceThreshold", 0.5)
        return [insight for insight in insights if insight["score"] >= least]


def _insight(kind: str, text: str, score: float, rest: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": new_id(), "text": text, "type": kind, "score": round(score, 3), **rest}


def _sentiment(text: str) -> dict[str, Any]:
    score = round(sentiment_of(text), 3)
    word = "neutral" if -0.3 <= score <= 0.3 else "positive" if score > 0 else "negative"
    return {"polarity": {"score": score}, "suggested": word}


def _share(ms: float, whole: float) -> dict[str, float]:
    return {"percentage": round(100 * ms / whole, 3) if whole else 0.0, "seconds": round(ms / 1000, 3)}


def _due(action: Action, now: datetime) -> str | None:
    """The day in the words, as Symbl writes it; None without one."""
    day = _day_in(action.due or "", now)
    return day.isoformat(timespec="milliseconds").replace("+00:00", "Z") if day else None


def _day_in(text: str, now: datetime) -> datetime | None:
    """The day that a text names, at seven; None without one."""
    words = text.split()
    days = {"today": 0, "tonight": 0, "tomorrow": 1, "week": 7} | {
        day: (number - now.weekday()) % 7 or 7 for number, day in enumerate(_DAYS)
    }
    ahead = next((days[word] for word in words if word in days), None)
    if ahead is None:
        return None
    return (now + timedelta(days=ahead)).astimezone(UTC).replace(hour=7, minute=0, second=0, microsecond=0)
