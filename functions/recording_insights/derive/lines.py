"""The lines of a conversation, and how a model gets to see them."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from recording_insights.derive.brief import Brief
from recording_insights.derive.prompt import PROMPT_VERSION


@dataclass(frozen=True)
class Line:
    """What somebody said without a break. `id` is that of the line in `GET …/insights`, `speaker` the shown name."""

    id: str
    speaker: str
    text: str
    start_ms: int | None = None


def digest_of(lines: Sequence[Line], brief: Brief) -> str:
    """Return 16 hex digits that differ if anything differs that an answer depends on.

    That is the lines, what is wanted of them, the model and the version of the prompt. Bounds of the cost are no part.
    """
    wanted = [PROMPT_VERSION, brief.model, list(brief.kinds), brief.language, brief.prompt, brief.guardrail]
    digest = hashlib.sha256(json.dumps(wanted).encode())
    for line in lines:
        digest.update(json.dumps([line.id, line.speaker, line.text, line.start_ms]).encode())
    return digest.hexdigest()[:16]


class _Shown(dict[int, str]):
    """By code point, what is sent for a character. Each is looked up once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if code in _VARIANTS or category in _INVISIBLE:
            self[code] = ""
        else:
            self[code] = " " if category[0] == "Z" or category == "Cc" else character
        return self[code]


_INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn"})
"""Signs without a form of their own, such as those that turn the direction, and tags that spell out hidden words."""
_VARIANTS = frozenset({*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0})
"""Marks of variants, which can hide words as well, and letters without a form."""
_SHOWN = _Shown()
_ID = re.compile(r"\[(\s*[us]\d+\b[^\]]{0,80})\]?")
_SPACES = re.compile(r" {2,}")
_LONGEST_SPEAKER = 80


def visible(text: str) -> str:
    """Return a text as one line, without what nobody sees or hears."""
    plain = text if text.isascii() and text.isprintable() else text.translate(_SHOWN)
    return _SPACES.sub(" ", plain).strip() if "  " in plain else plain.strip()


def shown_text(text: str) -> str:
    """Return what a model sees of words: one line, in which nothing looks like the id of another line."""
    plain = visible(text)
    return _ID.sub(r"(\1)", plain) if "[" in plain else plain


def shown_speaker(name: str) -> str:
    """Return what a model sees of a speaker's name: nothing in it can end the name, or begin another line."""
    plain = visible(name).translate({ord(sign): " " for sign in "[]:<>{}"})
    return _SPACES.sub(" ", plain).strip()[:_LONGEST_SPEAKER] or "Unknown speaker"
