"""What a mutant is: one small change of behaviour, and none of what is no behaviour."""

import ast
from pathlib import Path

import pytest

from mutants.mutate import mutants_of, mutated_tree


def changes(source: str, folder: Path) -> list[tuple[str, str]]:
    """(original, mutated) of every mutant of a module with this source."""
    path = folder / "module.py"
    path.write_text(source)
    return [(mutant.original, mutant.mutated) for mutant in mutants_of("module", path)]


@pytest.mark.parametrize(
    ("source", "mutated"),
    [
        ("a < b", ["a <= b", "a >= b"]),
        ("a == b", ["a != b"]),
        ("a in b", ["a not in b"]),
        ("a and b", ["a or b", "b", "a"]),
        ("a or b or c", ["a and b and c", "b or c", "a or c", "a or b"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("a + b", ["a - b"]),
        ("7", ["8", "6"]),
        ("True", ["False"]),
        ("'status'", ["'status~'"]),
        ("f'{a}#{b}'", ["f'{a}#~{b}'"]),
        ("b'x'", ["b'x~'"]),
        ("a if b else c", ["c if b else a"]),
        ("f(a, b=c)", ["f(a)"]),
    ],
)
def test_each_kind_of_change(source: str, mutated: list[str], tmp_path: Path) -> None:
    made = changes(f"x = {source}", tmp_path)
    assert [after.removeprefix("x = ") for _, after in made] == mutated
    assert {before.removeprefix("x = ") for before, _ in made} == {source}


def test_changes_of_statements(tmp_path: Path) -> None:
    source = "def f(a=1):\n    if a:\n        g(a)\n    return a\n"
    assert changes(source, tmp_path) == [
        ("a=1", "a=2"),
        ("a=1", "a=0"),
        ("if a:", "if not a:"),
        ("g(a)", "pass"),
        ("return a", "return None"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring"""',
        "import a",
        "def f(a: 'B') -> 'C': ...",
        "x: Literal['a', 'b']",
        "x = Literal['a', 'b']",
        "@dataclass(frozen=True)\nclass A(B, total=False):\n    a: int",
        "if TYPE_CHECKING:\n    a = 1",
        "raise ValueError(f'no recording {a + 1} here')",
        "raise ValueError('no recording')",
        "x = f'{a:05d}'",
    ],
)
def test_what_is_no_behaviour_is_left_alone(source: str, tmp_path: Path) -> None:
    assert changes(source, tmp_path) == []


def test_a_mutants_identity_survives_a_move(tmp_path: Path) -> None:
    source = "class A:\n    def f(self):\n        g(1)\n        g(1)\n"
    path = tmp_path / "module.py"
    path.write_text(source)
    before = mutants_of("module", path)
    path.write_text(f"import a\n\n\n{source}")
    after = mutants_of("module", path)
    assert [mutant.identity for mutant in after] == [mutant.identity for mutant in before]
    assert [mutant.line - 3 for mutant in after] == [mutant.line for mutant in before]
    assert len({mutant.identity for mutant in before}) == len(before)
    assert {mutant.function for mutant in before} == {"A.f"}


def test_a_tree_has_the_one_change(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f(a):\n    return a < 10 and a != 5\n")
    mutants = mutants_of("module", path)
    sources = [ast.unparse(mutated_tree(path, mutant.number)) for mutant in mutants]
    assert sources == [f"def f(a):\n    {mutant.mutated}" for mutant in mutants]
    assert len(set(sources)) == len(sources)
    with pytest.raises(LookupError):
        mutated_tree(path, len(mutants))
