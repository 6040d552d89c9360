"""What a document for people says beside the transcript."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from recording_insights.recordings.exports.lines import one_line


class Section(NamedTuple):
    """A heading with its texts, each of one line: items of a list, or paragraphs."""

    heading: str
    texts: Sequence[str]
    is_list: bool


def sections_of(answer: Mapping[str, Any]) -> Iterator[Section]:
    """Yield what was found and what is missing, without what is empty."""
    found = (
        Section("Summary", _paragraphs(answer.get("summary") or ""), is_list=False),
        Section("Action items", [_task(item) for item in answer["action_items"]], is_list=True),
        Section("Follow-ups", [_task(item) for item in answer["follow_ups"]], is_list=True),
        Section("Questions", [_joined(item, " – ", "text", "answer") for item in answer["questions"]], is_list=True),
        Section("Topics", [one_line(topic["text"]) for topic in answer["topics"]], is_list=True),
        Section("Entities", _by_kind(answer["entities"]), is_list=True),
        Section("Missing", [one_line(text) for text in answer.get("missing", ())], is_list=True),
    )
    return (section for section in found if section.texts)


def title_of(answer: Mapping[str, Any]) -> str:
    """Return the channel of the recording, or its id if it has none."""
    return one_line(answer.get("channel") or "") or f"Recording {answer['recording_id']}"


def facts_of(answer: Mapping[str, Any]) -> list[str]:
    """Return the lines below the title: when, by whom, which language, and the status unless all is there."""
    facts = [f"Transcribed by {one_line(answer['provider'])}"]
    if created_at := answer.get("created_at"):
        facts.insert(0, f"Recorded on {created_at[:10]} at {created_at[11:16]} UTC")
    if language := answer.get("language"):
        facts.append(f"Language: {one_line(language)}")
    if (status := answer["status"]) != "done":
        reason = one_line(answer.get("reason") or "")
        facts.append(f"Status: {status}{f' ({reason})' if reason else ''}")
    return facts


def _paragraphs(text: str) -> list[str]:
    return [one_line(paragraph) for paragraph in text.splitlines() if one_line(paragraph)]


def _task(item: Mapping[str, Any]) -> str:
    remarks = _joined(item, ", ", "assignee", "due", "priority")
    return f"{one_line(item['text'])} ({remarks})" if remarks else one_line(item["text"])


def _by_kind(entities: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a text for each kind of entities, with each of them once."""
    said: dict[str, dict[str, None]] = {}
    for entity in entities:
        said.setdefault(one_line(entity["kind"].replace("_", " ")), {})[one_line(entity["text"])] = None
    return [f"{kind}: {', '.join(texts)}" for kind, texts in said.items()]


def _joined(item: Mapping[str, Any], separator: str, *names: str) -> str:
    return separator.join(one_line(item[name]) for name in names if item.get(name))
