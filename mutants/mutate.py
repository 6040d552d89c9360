"""All mutants of one module. A mutant is the module with one small change of its syntax tree.

No behaviour, and so left alone: docstrings, annotations, decorators, imports, `TYPE_CHECKING`, and the wording of
messages (a text with blanks and words).
"""

import ast
import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

CONTEXT = 100
"""A mutant is shown within the largest expression or statement that has at most this many characters."""

_LEFT_ALONE = frozenset({"annotation", "returns", "decorator_list", "bases", "format_spec", "type_comment"})
_WORDING = re.compile(r"(?=.*\s)(?=.*[a-z]{2})", re.DOTALL)
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True)
class Mutant:
    """One change of a module. `number` counts the module's mutants; it changes when the module does.

    `original` and `mutated` are the change as normalised source. `occurrence` counts equal changes of one function.
    `function` is the qualified name, or "" for the module's top level. `line` counts from 1.
    """

    module: str
    path: Path
    line: int
    number: int
    function: str
    original: str
    mutated: str
    occurrence: int

    @property
    def identity(self) -> tuple[str, str, str, str, int]:
        """What stays the same when the mutant's lines move."""
        return self.module, self.function, self.original, self.mutated, self.occurrence


class _Change(NamedTuple):
    """A node, the nodes above it from the module down, its place in the last of them, and what replaces it.

    `position` is the place in a list, if the field is one. None as the replacement removes the node from the list.
    """

    node: ast.AST
    above: tuple[ast.AST, ...]
    field: str
    position: int | None
    replacement: ast.AST | None

    def apply(self) -> None:
        """Change the tree."""
        parent = self.above[-1]
        if self.position is None:
            setattr(parent, self.field, self.replacement)
            return
        nodes = list(getattr(parent, self.field))
        nodes[self.position : self.position + 1] = [self.replacement] if self.replacement else []
        setattr(parent, self.field, nodes)

    @property
    def function(self) -> str:
        """The qualified name of the function or class around the node."""
        named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return ".".join(node.name for node in self.above if isinstance(node, named))


def mutants_of(module: str, path: Path) -> list[Mutant]:
    """Return all mutants of a module, in the order of its source."""
    seen: Counter[tuple[str, str, str]] = Counter()
    mutants = []
    for number, change in enumerate(_changes_of(ast.parse(path.read_text()))):
        original, mutated = _texts(change)
        what = change.function, original, mutated
        seen[what] += 1
        line: int = getattr(change.node, "lineno", 0) or getattr(change.above[-1], "lineno", 0)
        mutants.append(Mutant(module, path, line, number, *what, seen[what]))
    return mutants


def mutated_tree(path: Path, number: int) -> ast.Module:
    """Return the syntax tree of a module's mutant."""
    tree = ast.parse(path.read_text())
    for found, change in enumerate(_changes_of(tree)):
        if found == number:
            change.apply()
            return ast.fix_missing_locations(tree)
    raise LookupError(f"{path} has no mutant {number}")


def _changes_of(node: ast.AST, above: tuple[ast.AST, ...] = ()) -> Iterator[_Change]:
    above = (*above, node)
    for field, value in ast.iter_fields(node):
        if field in _LEFT_ALONE or (isinstance(node, ast.ClassDef) and field == "keywords"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and _has_behaviour(child):
                for operator in _OPERATORS:
                    for replacement in operator(child):
                        yield _Change(child, above, field, index, replacement)
                yield from _changes_of(child, above)


def _has_behaviour(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(ast.Constant()) | ast.If(test=ast.Name("TYPE_CHECKING")):
            return False
        case ast.Subscript(value=ast.Name("Literal")):
            return False
        case ast.Constant(str(text)):
            return not _WORDING.match(text)
        case ast.JoinedStr(values=parts):
            return not _WORDING.match("".join(str(part.value) for part in parts if isinstance(part, ast.Constant)))
    return True


def _texts(change: _Change) -> tuple[str, str]:
    """Return the source before and after a change, with as much context as fits."""
    shown = change.node
    for parent in reversed(change.above):
        if hasattr(parent, "body") and not isinstance(parent, ast.Lambda | ast.IfExp):
            break
        if len(ast.unparse(parent)) > CONTEXT:
            break
        shown = parent
    original = _head(shown)
    if shown is change.node:
        return original, _head(change.replacement) if change.replacement else ""
    before = getattr(change.above[-1], change.field)
    change.apply()
    mutated = _head(shown)
    setattr(change.above[-1], change.field, before)
    return original, mutated


def _head(node: ast.AST) -> str:
    """Return an expression or a statement as source; of an `if`, only its first line."""
    return ast.unparse(node).splitlines()[0]


def _with(node: ast.AST, **fields: Any) -> Any:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _comparisons(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                yield _with(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])


def _connectives(node: ast.AST) -> Iterator[ast.AST]:
    """Swap `and` and `or`; leave one operand out."""
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for index in range(len(node.values)):
            others = [*node.values[:index], *node.values[index + 1 :]]
            yield others[0] if len(others) == 1 else _with(node, values=others)


def _signs(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out `not` and the minus."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _arithmetic(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield _with(node, op=_ARITHMETIC[type(node.op)]())


def _constants(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(bool(value)):
            yield _with(node, value=not value)
        case ast.Constant(int(value) | float(value)):
            yield _with(node, value=value + 1)
            yield _with(node, value=value - 1)
        case ast.Constant(str(value)):
            yield _with(node, value=f"{value}~")
        case ast.Constant(bytes(value)):
            yield _with(node, value=value + b"~")


def _branches(node: ast.AST) -> Iterator[ast.AST]:
    """Swap the branches. A comparison's and a `not`'s own mutants do the same."""
    if isinstance(node, ast.IfExp):
        yield _with(node, body=node.orelse, orelse=node.body)
    negated = isinstance(node, ast.If) and isinstance(node.test, ast.Compare | ast.UnaryOp)
    if isinstance(node, ast.If) and not negated:
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))


def _returns(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value and ast.unparse(node.value) != "None":
        yield _with(node, value=ast.copy_location(ast.Constant(None), node.value))


def _left_out(node: ast.AST) -> Iterator[ast.AST | None]:
    """Leave out a keyword argument, or a call whose result nobody uses."""
    if isinstance(node, ast.keyword) and node.arg:
        yield None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.copy_location(ast.Pass(), node)


_OPERATORS: tuple[Callable[[ast.AST], Iterator[ast.AST | None]], ...] = (
    _comparisons,
    _connectives,
    _signs,
    _arithmetic,
    _constants,
    _branches,
    _returns,
    _left_out,
)
