"""Transcript and insights as one page: a file that needs nothing else and runs nothing."""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from recording_insights.recordings.exports.lines import NO_MARKUP, Line, clock, name_of, one_line
from recording_insights.recordings.exports.sections import Section, facts_of, sections_of, title_of

_STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --faint: #59636e; --paper: #fff; --line: #d8dee4 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --faint: #9198a1; --paper: #0d1117; --line: #30363d }
}
body { margin: 0 auto; max-width: 44rem; padding: 1.5rem 1rem; background: var(--paper); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.35rem; line-height: 1.3 }
h2 { margin-top: 2rem; border-bottom: 1px solid var(--line); font-size: 1.1rem; break-after: avoid }
p { margin: 0.4rem 0 }
ul { padding-inline-start: 1.2rem }
ol { padding: 0; list-style: none }
ol li { margin: 0.9rem 0; break-inside: avoid }
.facts, .who { color: var(--faint); font-size: 0.875rem }
.who b { color: var(--text) }
@media print {
  :root { --text: #000; --faint: #444; --paper: #fff; --line: #bbb }
  body { max-width: none; padding: 0; font-size: 10.5pt }
}
"""
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)
"""The page loads nothing and runs nothing, even if a text got through as markup.

Source: https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
"""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")


def write_html(answer: Mapping[str, Any]) -> str:
    """Return a page in HTML. Every text has the direction of its own first letter."""
    title = _escaped(title_of(answer))
    facts = "".join(f'<p class="facts" dir="auto">{_escaped(fact)}</p>\n' for fact in facts_of(answer))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1 dir="auto">{title}</h1>\n{facts}'
        + "".join(map(_section, sections_of(answer)))
        + _transcript(answer)
        + "</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    element = "li" if section.is_list else "p"
    texts = "".join(f'<{element} dir="auto">{_escaped(text)}</{element}>\n' for text in section.texts)
    return f"<h2>{section.heading}</h2>\n" + (f"<ul>\n{texts}</ul>\n" if section.is_list else texts)


def _transcript(answer: Mapping[str, Any]) -> str:
    if not answer["transcript"]:
        return ""
    language = answer.get("language") or ""
    # An empty `lang` means that the language is not known: a screen reader must not take it for English.
    known = language if _LANGUAGE.fullmatch(language) else ""
    lines = "".join(map(_line, answer["transcript"]))
    return f'<h2>Transcript</h2>\n<ol lang="{known}">\n{lines}</ol>\n'


def _line(line: Line) -> str:
    name, start_ms = name_of(line), line.get("start_ms")
    who = [f"<b><bdi>{_escaped(name)}</bdi></b>"] if name else []
    if start_ms is not None:
        who.append(f"<time>{clock(start_ms)}</time>")
    head = f'<div class="who">{" ".join(who)}</div>' if who else ""
    return f'<li>{head}<p dir="auto">{_escaped(one_line(line["text"]))}</p></li>\n'


def _escaped(text: str) -> str:
    return text.translate(NO_MARKUP)
