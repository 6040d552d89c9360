"""The transcript as plain text and as Markdown, with the insights."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recording_insights.recordings.exports.lines import Line, clock, name_of, one_line
from recording_insights.recordings.exports.sections import facts_of, is_derived, sections_of, title_of

_MARKS = re.compile(r"[\\`*_\[\]<>&~|$]")
"""What may begin an element of Markdown within a line, with GitHub's tables, strikes and formulas."""
_BLOCK = re.compile(r"^(\d{0,9})([#+\-=.):])")
"""What may begin a block at the start of a line."""


def write_txt(answer: Mapping[str, Any]) -> str:
    """Return the transcript, a line for each of its lines: `[00:01:05] Name: text`.

    What was found comes before it where a model derived something. Otherwise there is the transcript alone.
    """
    return (_head(answer) if is_derived(answer) else "") + "".join(
        f"{_time(line)}{_name(line)}{one_line(line['text'])}\n" for line in answer["transcript"]
    )


def write_md(answer: Mapping[str, Any]) -> str:
    """Return the insights and the transcript as Markdown."""
    paragraphs = [f"# {_escaped(title_of(answer))}", *map(_escaped, facts_of(answer))]
    for heading, texts, is_list in sections_of(answer):
        paragraphs += [f"## {heading}", *(_items(texts) if is_list else map(_escaped, texts))]
    if answer["transcript"]:
        paragraphs += ["## Transcript", *map(_spoken, answer["transcript"])]
    return "\n\n".join(paragraphs) + "\n"


def _head(answer: Mapping[str, Any]) -> str:
    blocks = [[title_of(answer)], facts_of(answer)]
    for heading, texts, is_list in sections_of(answer):
        blocks.append([heading, *(f"- {text}" for text in texts)] if is_list else [heading, *texts])
    return "".join("\n".join(block) + "\n\n" for block in [*blocks, ["Transcript"]])


def _items(texts: Sequence[str]) -> Iterator[str]:
    yield "\n".join(f"- {_escaped(text)}" for text in texts)


def _spoken(line: Line) -> str:
    name = name_of(line)
    return f"{_time(line)}{f'**{_escaped(name)}:** ' if name else ''}{_escaped(one_line(line['text']))}"


def _escaped(text: str) -> str:
    return _BLOCK.sub(r"\1\\\2", _MARKS.sub(r"\\\g<0>", text))


def _time(line: Line) -> str:
    return f"[{clock(line['start_ms'])}] " if line.get("start_ms") is not None else ""


def _name(line: Line) -> str:
    name = name_of(line)
    return f"{name}: " if name else ""
