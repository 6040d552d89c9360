"""What a document for people says beside the transcript."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from recording_insights.recordings.exports.lines import clock, one_line


class Section(NamedTuple):
    """A heading with its texts, each of one line: items of a list, or paragraphs."""

    heading: str
    texts: Sequence[str]
    is_list: bool


MOST_TIMES = 5
"""Of the lines that prove a statement: as many as a reader looks up."""
_DERIVED = ("done", "partial")


def sections_of(answer: Mapping[str, Any]) -> Iterator[Section]:
    """Yield what was found and what is missing, without what is empty. What a model derived has the times of its proof.

    The summaries have none: they are proved by many lines.
    """
    starts = {line["id"]: line["start_ms"] for line in answer["transcript"] if "id" in line and "start_ms" in line}

    def listed(heading: str, kind: str, text_of: Callable[[Mapping[str, Any]], str]) -> Section:
        return Section(heading, [text_of(entry) + _times(entry, starts) for entry in answer[kind]], is_list=True)

    missing = [*answer.get("missing", ()), *answer.get("derived", {}).get("missing", ())]
    found = (
        Section("In short", _paragraphs(answer.get("short_summary") or ""), is_list=False),
        Section("Summary", _paragraphs(answer.get("summary") or ""), is_list=False),
        listed("Decisions", "decisions", lambda entry: one_line(entry["text"])),
        listed("Action items", "action_items", _task),
        listed("Follow-ups", "follow_ups", _task),
        listed("Questions", "questions", lambda entry: _joined(entry, " – ", "text", "answer")),
        Section("Chapters", [_chapter(chapter) for chapter in chapters_of(answer)], is_list=True),
        listed("Topics", "topics", lambda entry: one_line(entry["text"])),
        Section("Entities", _by_kind(answer["entities"]), is_list=True),
        Section("Missing", [one_line(text) for text in missing], is_list=True),
    )
    return (section for section in found if section.texts)


def is_derived(answer: Mapping[str, Any]) -> bool:
    """Whether a model derived something."""
    return answer.get("derived", {}).get("state") in _DERIVED


class Chapter(NamedTuple):
    """The text of a chapter, and when it begins; None if that is not known."""

    text: str
    start_ms: int | None


def chapters_of(answer: Mapping[str, Any]) -> list[Chapter]:
    """Return the chapters as the answer has them."""
    return [Chapter(one_line(each["text"]), each.get("start_ms")) for each in answer["chapters"]]


def title_of(answer: Mapping[str, Any]) -> str:
    """Return the title of the conversation or else the channel of the recording, or its id if it has neither."""
    return one_line(answer.get("title") or "") or _channel(answer) or f"Recording {answer['recording_id']}"


def facts_of(answer: Mapping[str, Any]) -> list[str]:
    """Return the lines below the title: when, by whom, which language, and the status unless all is there."""
    facts = [f"Transcribed by {one_line(answer['provider'])}"]
    if created_at := answer.get("created_at"):
        facts.insert(0, f"Recorded on {created_at[:10]} at {created_at[11:16]} UTC")
    if answer.get("title") and (channel := _channel(answer)):
        facts.insert(0, channel)
    if is_derived(answer) and (model := answer["derived"].get("model")):
        facts.append(f"Insights by {one_line(model)}")
    if language := answer.get("language"):
        facts.append(f"Language: {one_line(language)}")
    if (status := answer["status"]) != "done":
        reason = one_line(answer.get("reason") or "")
        facts.append(f"Status: {status}{f' ({reason})' if reason else ''}")
    return facts


def _channel(answer: Mapping[str, Any]) -> str:
    return one_line(answer.get("channel") or "")


def _times(entry: Mapping[str, Any], starts: Mapping[str, int]) -> str:
    """Return when the lines were spoken that prove a statement, as ` [00:01:05]`; empty if that is not known."""
    known = sorted({clock(starts[line]) for line in entry.get("evidence", ()) if line in starts})
    more = ", …" if len(known) > MOST_TIMES else ""
    return f" [{', '.join(known[:MOST_TIMES])}{more}]" if known else ""


def _chapter(chapter: Chapter) -> str:
    return chapter.text if chapter.start_ms is None else f"{chapter.text} [{clock(chapter.start_ms)}]"


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
