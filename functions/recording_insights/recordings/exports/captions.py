"""Captions as SubRip and as WebVTT."""

import re
from collections.abc import Mapping
from typing import Any

from recording_insights.recordings.exports.cues import cues_of
from recording_insights.recordings.exports.lines import NO_MARKUP

_NO_TAGS = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
"""SubRip has no escapes. Players take `<…>` and `{…}` for tags, and `-->` for the times of the next caption."""
_TIME = re.compile(r"(\d:\d{1,2}:\d{1,2})[.,](?=\d)")
"""A spoken time with a fraction of a second. Some players take a line with two of them for those of a caption."""


def write_srt(answer: Mapping[str, Any]) -> str:
    """Return the transcript as SubRip, with `Name: ` where a speaker begins; empty without a transcript."""
    captions = enumerate(cues_of(answer["transcript"], shows_names=True), start=1)
    return "\n".join(
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n"
        + "".join(f"{_plain(line)}\n" for line in cue.lines)
        for number, cue in captions
    )


def write_vtt(answer: Mapping[str, Any]) -> str:
    """Return the transcript as WebVTT, with the speaker of each caption as its voice."""
    captions = ["WEBVTT\n"]
    for cue in cues_of(answer["transcript"], shows_names=False):
        voice = f"<v {_annotation(cue.name)}>" if cue.name else ""
        text = "\n".join(cue.lines).translate(NO_MARKUP)
        captions.append(f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{voice}{text}\n")
    return "\n".join(captions)


def _plain(line: str) -> str:
    return _TIME.sub(r"\1 ", line.translate(_NO_TAGS))


def _annotation(name: str) -> str:
    # No line of a caption may have `-->` in it, not even as the end of a name in a tag.
    return f"{name} ".translate(NO_MARKUP) if name.endswith("-") else name.translate(NO_MARKUP)


def _clock(ms: int, point: str) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"
