"""Derives the insights of a conversation, one call of the model at a time.

A conversation that fits into one part is one call. A longer one is read part by part: lists are merged, and summaries
of the parts are summed up again until one is left. What a model does wrong is asked once more; then it is missing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from recording_insights.derive.answer import Read, read_answer
from recording_insights.derive.brief import Brief
from recording_insights.derive.check import Checked, check
from recording_insights.derive.cost import cents_of, cents_of_all, cents_of_call
from recording_insights.derive.lines import Line
from recording_insights.derive.merge import in_order, joined, merged
from recording_insights.derive.model import Model
from recording_insights.derive.models import FORMS, family_of
from recording_insights.derive.part import Part, part_of_conversation, part_of_minutes
from recording_insights.derive.progress import Missing, Progress, Task, texts_of
from recording_insights.derive.prompt import request_for, rules
from recording_insights.derive.split import PART_TOKENS, parts_of, pieces_of, tokens_of, weights_of
from recording_insights.errors import ModelRefused, ReplyTooLarge
from recording_insights.model.derived import KINDS, SINGLE, Derived, Statement, Usage

MOST_HALVINGS = 3
"""Of a part whose answer does not fit: the eighth of a part that fails as well is missing."""
MOST_LEVELS = 6
"""Of summaries. Each level has a quarter of the text of the level before it at most."""

MODEL_REFUSED = "insights_model_refused"
UNREADABLE = "insights_unreadable"
FILTERED = "insights_filtered"
OVER_BUDGET = "insights_over_budget"
GIVEN_UP = "insights_given_up"
UNPROVED = "insights_unproved"


@dataclass(frozen=True)
class Answer:
    """The raw answer to the call of this number, from 1, as JSON: to be kept."""

    number: int
    body: bytes


def begin(lines: Sequence[Line], brief: Brief) -> Progress:
    """Split a conversation, and decide what is asked for within the bound of the cost."""
    kinds = tuple(kind for kind in KINDS if kind in brief.kinds)
    family = family_of(brief.model)
    pieces = pieces_of(lines)
    weights = weights_of(pieces)
    parts = parts_of(weights, [piece.speaker for piece in pieces], _budget(brief)) if kinds else []
    kinds, missing = _affordable(brief, kinds, [sum(weights[first:end]) for first, end in parts])
    tasks = tuple(Task(first, end) for first, end in parts) if kinds else ()
    usage = Usage(cents=cents_of(brief, 0, 0))
    return Progress(kinds, family.form, tasks, parts=len(tasks), missing=missing, usage=usage)


def advance(progress: Progress, lines: Sequence[Line], brief: Brief, model: Model) -> tuple[Progress, Answer | None]:
    """Make the next call, one at most, and return how far it came with the raw answer, if there is one.

    `lines` and `brief` are those of `begin`. If it raises, nothing has changed, and the call may be made again.

    Raises:
        ProviderBusy, ProviderUnavailable, ModelUnusable: the model cannot be asked now (`derive.model`).
    """
    if progress.is_over:
        return progress, None
    task, kinds = progress.tasks[0], _asked(progress)
    part = _part(progress, lines)
    cents = cents_of_call(brief, kinds, sum(map(tokens_of, part.shown)))
    if _is_over_bound(brief, (progress.usage.cents or 0) + (cents or 0)):
        return give_up(progress, OVER_BUDGET), None
    system = rules(kinds, brief, progress.form, is_of_parts=progress.level > 0, is_again=task.again)
    try:
        reply = model.converse(request_for(part.shown, kinds, brief, progress.form, system))
    except ModelRefused as refused:
        return _next_level(_after_refusal(progress, task, lines, refused)), None
    except ReplyTooLarge:
        called = _counted(progress, Read(None, "unreadable", 0, 0), brief)
        return _next_level(_after_fault(called, task, UNREADABLE, lines)), None
    read = read_answer(reply)
    called = _counted(progress, read, brief)
    answer = Answer(called.usage.calls, json.dumps(reply, default=str).encode())
    return _next_level(_after_answer(called, task, read, part, lines, brief)), answer


def result(progress: Progress, lines: Sequence[Line], brief: Brief) -> Derived:
    """Return what was found so far, in the order of the conversation."""
    places = _places(lines)
    found = {kind: _put_together(kind, progress.found.get(kind, ()), places) for kind in progress.kinds}
    return Derived(
        {kind: statements for kind, statements in found.items() if statements},
        dict(progress.dropped),
        tuple(texts_of([*progress.missing, *_unproved(progress, found)], len(lines))),
        progress.usage,
    )


def _places(lines: Sequence[Line]) -> Mapping[str, int]:
    return {line.id: place for place, line in enumerate(lines)}


def _unproved(progress: Progress, found: Mapping[str, Sequence[Statement]]) -> Iterable[Missing]:
    """A title or a summary that the model gave and the lines do not prove. Of a list, the others are there."""
    said = {each.kind for each in progress.missing}
    dropped = (kind for kind in _singles(progress) if progress.dropped.get(kind) and not found[kind])
    return _missing((kind for kind in dropped if kind not in said), UNPROVED)


def give_up(progress: Progress, code: str = GIVEN_UP) -> Progress:
    """Return the progress with nothing more to do. What was not read is missing for the reason of this code."""
    if progress.is_over:
        return progress
    kinds = progress.kinds if progress.level == 0 else _singles(progress)
    return replace(progress, tasks=(), parts=0, missing=(*progress.missing, *_missing(kinds, code)))


def _budget(brief: Brief) -> int:
    return min(PART_TOKENS, 4 * family_of(brief.model).output_tokens)


def _affordable(
    brief: Brief, kinds: tuple[str, ...], parts: Sequence[int]
) -> tuple[tuple[str, ...], tuple[Missing, ...]]:
    """All kinds, or only title and summaries, or none; and what is missing then."""
    singles = tuple(kind for kind in kinds if kind in SINGLE)
    for some in (kinds, singles):
        if not _is_over_bound(brief, cents_of_all(brief, some, parts)):
            return some, _missing((kind for kind in kinds if kind not in some), OVER_BUDGET)
    return (), _missing(kinds, OVER_BUDGET)


def _is_over_bound(brief: Brief, cents: float | None) -> bool:
    return brief.max_cents is not None and cents is not None and cents > brief.max_cents


def _singles(progress: Progress) -> list[str]:
    return [kind for kind in progress.kinds if kind in SINGLE]


def _asked(progress: Progress) -> list[str]:
    """What the next call asks for: of one of several parts no title, and one summary only, to be summed up later."""
    lists = [kind for kind in progress.kinds if kind not in SINGLE and progress.level == 0]
    singles = _singles(progress)
    return [*(singles if progress.parts == 1 or not singles else ["summary"]), *lists]


def _part(progress: Progress, lines: Sequence[Line]) -> Part:
    task = progress.tasks[0]
    if progress.level:
        return part_of_minutes(progress.sentences[task.first : task.end], lines)
    return part_of_conversation(lines, pieces_of(lines)[task.first : task.end])


def _counted(progress: Progress, read: Read, brief: Brief) -> Progress:
    used = progress.usage
    tokens_in, tokens_out = used.tokens_in + read.tokens_in, used.tokens_out + read.tokens_out
    usage = Usage(used.calls + 1, tokens_in, tokens_out, cents_of(brief, tokens_in, tokens_out))
    return replace(progress, usage=usage)


def _after_answer(
    progress: Progress, task: Task, read: Read, part: Part, lines: Sequence[Line], brief: Brief
) -> Progress:
    if read.fault == "cut":
        return _after_cut(progress, task, lines)
    if read.value is None:
        return _after_fault(progress, task, FILTERED if read.fault == "filtered" else UNREADABLE, lines)
    kinds = _asked(progress)
    system = rules(kinds, brief, progress.form, is_of_parts=progress.level > 0)
    checked = check(read.value, kinds, part, system, brief.language)
    if checked.is_other_language or (checked.broken and not task.again):
        return _after_fault(progress, task, UNREADABLE, lines)
    missing = _missing_of_task(progress, task, checked.broken, UNREADABLE, lines)
    return _with(replace(progress, missing=(*progress.missing, *missing)), checked, _places(lines))


def _with(progress: Progress, checked: Checked, places: Mapping[str, int]) -> Progress:
    """The progress with what holds of an answer. Summaries of several parts are summed up on the next level."""
    is_partial = progress.parts > 1
    found = {kind: tuple(statements) for kind, statements in progress.found.items()}
    gathered = tuple(progress.gathered)
    for kind, statements in checked.found.items():
        if is_partial and kind in SINGLE:
            gathered += tuple(statements)
        else:
            found[kind] = tuple(merged(statements, places, found.get(kind, ())))
    dropped = {
        kind: progress.dropped.get(kind, 0) + checked.dropped.get(kind, 0)
        for kind in {**progress.dropped, **checked.dropped}
    }
    return progress.without_first(found=found, gathered=gathered, dropped=dropped)


def _after_cut(progress: Progress, task: Task, lines: Sequence[Line]) -> Progress:
    """An answer that does not fit is asked for in halves."""
    if task.halvings == MOST_HALVINGS or task.end - task.first < 2:
        return _after_fault(progress, task, UNREADABLE, lines)
    middle = (task.first + task.end) // 2
    halves = [Task(first, end, task.halvings + 1) for first, end in ((task.first, middle), (middle, task.end))]
    return progress.without_first(*halves, parts=progress.parts + 1)


def _after_fault(progress: Progress, task: Task, code: str, lines: Sequence[Line]) -> Progress:
    if not task.again:
        return progress.without_first(replace(task, again=True))
    missing = _missing_of_task(progress, task, _asked(progress), code, lines)
    return progress.without_first(missing=(*progress.missing, *missing))


def _after_refusal(progress: Progress, task: Task, lines: Sequence[Line], refused: ModelRefused) -> Progress:
    """A form that a model does not take is not asked for again. A model that takes none is not asked any more."""
    if refused.is_too_long:
        return _after_cut(progress, task, lines)
    forms = FORMS[FORMS.index(progress.form) + 1 :]
    if forms and progress.usage.calls == 0:
        return replace(progress, form=forms[0])
    if progress.usage.calls == 0:
        return give_up(progress, MODEL_REFUSED)
    missing = _missing_of_task(progress, task, _asked(progress), MODEL_REFUSED, lines)
    return progress.without_first(missing=(*progress.missing, *missing))


def _next_level(progress: Progress) -> Progress:
    """Once all summaries of a level are there, they are put into groups, each of which is summed up."""
    singles = _singles(progress)
    if progress.tasks or progress.parts < 2 or not singles:
        return progress
    if not progress.gathered:
        # What sums up the parts goes with their summaries, if none of them held.
        said = {each.kind for each in progress.missing}
        lost = [kind for kind in singles if kind not in said]
        dropped = dict.fromkeys(lost, 1) if progress.dropped.get("summary") else {}
        return replace(progress, dropped={**dropped, **progress.dropped})
    if progress.level == MOST_LEVELS:
        return replace(progress, missing=(*progress.missing, *_missing(singles, UNREADABLE)))
    sentences = tuple(progress.gathered)
    weights = [10 + tokens_of(sentence.text) for sentence in sentences]
    groups = parts_of(weights, [""] * len(sentences), PART_TOKENS, overlap=0)
    tasks = tuple(Task(first, end) for first, end in groups)
    return replace(progress, tasks=tasks, level=progress.level + 1, parts=len(tasks), sentences=sentences, gathered=())


def _missing(kinds: Iterable[str], code: str) -> tuple[Missing, ...]:
    return tuple(Missing(kind, code) for kind in kinds)


def _missing_of_task(
    progress: Progress, task: Task, kinds: Iterable[str], code: str, lines: Sequence[Line]
) -> tuple[Missing, ...]:
    """What is missing if nothing of these kinds came of a task: for a part, of which lines."""
    is_partial = progress.parts > 1
    lost = [name for kind in kinds for name in (_singles(progress) if is_partial and kind in SINGLE else [kind])]
    said = _missing(dict.fromkeys(lost), code)
    if not said or not is_partial or progress.level:
        return said
    pieces = pieces_of(lines)
    first, last = pieces[task.first].line + 1, pieces[task.end - 1].line + 1
    return tuple(each._replace(first=first, last=last) for each in said)


def _put_together(kind: str, statements: Sequence[Statement], places: Mapping[str, int]) -> list[Statement]:
    if not statements or kind not in SINGLE:
        return in_order(statements, places)
    return [joined(statements, places, " ".join(statement.text for statement in statements))]
