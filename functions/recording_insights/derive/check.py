"""Keeps of an answer what the lines prove. The rest is dropped, and counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recording_insights.derive.kinds import LONGEST_MEMBER, Kind, kind_of
from recording_insights.derive.lines import visible
from recording_insights.derive.part import Part
from recording_insights.model.derived import Statement


@dataclass(frozen=True)
class Checked:
    """What holds of an answer, by kind. `dropped` counts what does not, `broken` are kinds of another form."""

    found: Mapping[str, Sequence[Statement]]
    dropped: Mapping[str, int]
    broken: Sequence[str]


def check(value: Mapping[str, Any], kinds: Sequence[str], part: Part) -> Checked:
    """Check an answer that was asked for these kinds in this part."""
    found: dict[str, Sequence[Statement]] = {}
    dropped: Counter[str] = Counter()
    broken = []
    for name in kinds:
        kind = kind_of(name)
        given = _given(value.get(name), kind)
        if given is None:
            broken.append(name)
            continue
        held = [_held(kind, entry, part) for entry in given[: kind.most]]
        found[name] = [statement for statement in held if statement]
        dropped[name] = len(given) - len(found[name])
    return Checked(found, +dropped, broken)


def _given(value: Any, kind: Kind) -> list[Mapping[str, Any]] | None:
    """The entries of a kind, None if they have another form. An entry without text and evidence says: nothing."""
    entries = [value] if kind.is_one else value
    if not isinstance(entries, list) or not all(_has_form(entry, kind) for entry in entries):
        return None
    return [entry for entry in entries if entry[kind.text].strip() or entry["evidence"]]


def _has_form(entry: Any, kind: Kind) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get(kind.text), str)
        and isinstance(evidence := entry.get("evidence"), list)
        and all(isinstance(name, str) for name in evidence)
        and all(isinstance(entry.get(member), str | None) for member in kind.more)
    )


def _held(kind: Kind, entry: Mapping[str, Any], part: Part) -> Statement | None:
    text = visible(entry[kind.text])
    cited = _cited(entry["evidence"], part)
    if not cited or not 0 < len(text) <= kind.longest:
        return None
    more = {name: visible(entry[name])[: LONGEST_MEMBER[name]] for name in kind.more if entry.get(name)}
    evidence = dict.fromkeys(line for name in cited for line in part.sources[name].lines)
    start_ms = part.sources[cited[0]].start_ms if kind.text == "title" else None
    return Statement(text, tuple(evidence), start_ms=start_ms, **{name: text for name, text in more.items() if text})


def _cited(names: Iterable[str], part: Part) -> list[str]:
    """The short ids that exist, in the order of the conversation."""
    known = {name.strip(" []") for name in names} & part.sources.keys()
    return sorted(known, key=part.places.__getitem__)
