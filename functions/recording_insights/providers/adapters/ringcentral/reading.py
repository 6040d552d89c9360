"""Results of RingCentral in the normalised shape."""

from collections.abc import Mapping
from typing import Any

from recording_insights.model.insights import Insights, Number, Question, Utterance
from recording_insights.providers.toolkit import values
from recording_insights.providers.toolkit.json import parse_object, promised_object
from recording_insights.providers.toolkit.values import mapping, maps, optional_text

_TRANSCRIPTS = ("utteranceInsights", "utterances", "words", "transcript")
_SUMMARIES = ("AbstractiveSummaryLong", "AbstractiveSummaryShort", "ExtractiveSummary")


def read_insights(reply: bytes) -> Insights:
    """Read the `response` of a job's state, or of a callback, which has the same form. There is no sentiment.

    Raises:
        ValueError: the reply contains no transcript; the text names the field.
    """
    job = parse_object(reply)
    response = promised_object(job, "response")
    if not has_transcript(job):
        raise ValueError(f"its field response has none of {', '.join(_TRANSCRIPTS[:-1])} and {_TRANSCRIPTS[-1]}")
    by_speaker = _values_by_name(mapping(response.get("speakerInsights")).get("insights"))
    overall = _values_by_name(response.get("conversationalInsights"))
    summaries = (" ".join(text for text, _ in _scored_texts(overall, name)) for name in _SUMMARIES)
    return Insights(
        transcript=_transcript(response),
        summary=next(filter(None, summaries), None),
        # The vendor lists a phrase once for each time that somebody says it.
        topics=values.best_topics(_scored_texts(overall, "Topics", "KeyPhrases")),
        questions=_questions(by_speaker.get("QuestionsAsked", [])),
        ratings=_ratings(by_speaker),
    )


def has_transcript(job: Mapping[str, Any]) -> bool:
    """Whether the state of a job contains its result."""
    response = mapping(job.get("response"))
    return any(isinstance(response.get(name), list | str) for name in _TRANSCRIPTS)


def _transcript(response: Mapping[str, Any]) -> list[Utterance]:
    """Read the utterances of either task. Speech-to-text without speakers has only words, or only the text."""
    entries = maps(response.get("utteranceInsights")) or maps(response.get("utterances"))
    if entries:
        return [_utterance(entry) for entry in entries]
    words = maps(response.get("words")) or [{"word": response.get("transcript")}]
    return values.utterances_of(
        values.Word(text, **_spoken_fields(word)) for word in words if (text := optional_text(word.get("word")))
    )


def _utterance(entry: Mapping[str, Any]) -> Utterance:
    words = (
        values.Word(text, **_spoken_fields(word)).timed
        for word in maps(entry.get("wordTimings"))
        if (text := optional_text(word.get("word")))
    )
    text = optional_text(entry.get("text")) or ""
    return Utterance(text, **_spoken_fields(entry), words=values.timed_words(words))


def _spoken_fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Read speaker, times and confidence, which `Utterance` and `Word` have in common."""
    return {
        "speaker": optional_text(entry.get("speakerId")),
        "start_ms": values.ms_of_seconds(entry.get("start")),
        "end_ms": values.ms_of_seconds(entry.get("end")),
        "confidence": values.number(entry.get("confidence")),
    }


def _values_by_name(insights: Any) -> dict[str, list[dict[str, Any]]]:
    named = ((optional_text(insight.get("name")), insight) for insight in maps(insights))
    return {name: maps(insight.get("values")) for name, insight in named if name}


def _scored_texts(overall: Mapping[str, list[dict[str, Any]]], *names: str) -> list[tuple[str, Number | None]]:
    """Return text and confidence of each value of these insights; an extracted summary names its text `sentence`."""
    scored = []
    for name in names:
        for value in overall.get(name, ()):
            if text := optional_text(value.get("value")) or optional_text(value.get("sentence")):
                scored.append((text, values.number(value.get("confidence"))))
    return scored


def _questions(by_speaker: list[dict[str, Any]]) -> list[Question]:
    """Read the questions in the order of the conversation; the vendor groups them by speaker."""
    questions = [question for entry in by_speaker for question in maps(entry.get("questions"))]
    questions.sort(key=lambda question: values.ms_of_seconds(question.get("start")) or 0)
    return [Question(text) for question in questions if (text := optional_text(question.get("text")))]


def _ratings(by_speaker: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Map each insight to its values by speaker. `Pace` has a text, and the words per minute as `wpm` beside it."""
    ratings: dict[str, Any] = {}
    for insight, entries in by_speaker.items():
        for entry in entries:
            speaker = optional_text(entry.get("speakerId")) or "?"
            for name, value in ((insight, entry.get("value")), ("wpm", entry.get("wpm"))):
                if optional_text(value):
                    ratings.setdefault(name, {})[speaker] = value
    return ratings
