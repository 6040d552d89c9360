"""The floors of the house: an import runs down, never up, and never to another room on the same floor."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FUNCTIONS = PROJECT / "functions"

FLOORS: dict[str, int] = {
    "routes": 9,
    "states": 9,
    "events": 9,
    "wiring": 8,
    "recording_insights.retries": 7,
    "recording_insights.sweep": 7,
    "recording_insights.processing": 6,
    "recording_insights.watch": 6,
    "recording_insights.upkeep": 6,
    "recording_insights.notices": 6,
    "recording_insights.derive": 6,
    "recording_insights.media": 5,
    "recording_insights.recordings": 5,
    "recording_insights.store": 4,
    "recording_insights.providers": 4,
    "recording_insights.model": 3,
    "recording_insights.conversion": 2,
    "recording_insights.agora": 2,
    "recording_insights.aws": 2,
    "recording_insights.http": 2,
    "recording_insights.settings": 2,
    # The types of rows are a vocabulary: they read and write nothing.
    "recording_insights.store.rows": 1,
    "recording_insights.hls": 1,
    "recording_insights.deadline": 1,
    "recording_insights.residency": 1,
    "recording_insights.redaction": 1,
    "recording_insights.validation": 1,
    "recording_insights.bounded": 0,
    "recording_insights.logs": 0,
    "recording_insights.measures": 0,
    "recording_insights.errors": 0,
}
"""Rooms by floor. A module belongs to the longest name that it begins with."""


def room_of(module: str) -> str | None:
    """The room of a module; None for modules of others and for the package itself."""
    names = [room for room in FLOORS if module == room or module.startswith(f"{room}.")]
    return max(names, key=len, default=None)


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(FUNCTIONS.rglob("*.py")):
        parts = path.relative_to(FUNCTIONS).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """(line, module) of every import, those inside of functions and for type checkers included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported may be a module itself.
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def wrong_imports(module: str, source: str) -> list[str]:
    room = room_of(module)
    if room is None:
        return []
    wrong = []
    for line, imported in imports_of(source):
        other = room_of(imported)
        if other and other != room and FLOORS[other] >= FLOORS[room]:
            wrong.append(
                f"{module}:{line} imports {imported}: floor {FLOORS[room]} must not import floor {FLOORS[other]}"
            )
    return wrong


def test_every_module_has_a_room() -> None:
    rooms_of_modules = {name: room_of(name) for name, _ in modules() if name != "recording_insights"}
    assert [name for name, room in rooms_of_modules.items() if room is None] == []
    assert set(rooms_of_modules.values()) == set(FLOORS), "and every room of the table has a module"


def test_imports_run_down() -> None:
    wrong = [line for name, path in modules() for line in wrong_imports(name, path.read_text())]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("recording_insights.store.media", "from recording_insights.processing.progress import Progress"),
        ("recording_insights.media.intake", "from recording_insights import recordings"),
        (
            "recording_insights.hls.playlist",
            "def f():\n    from recording_insights.errors import NotFound\n    import wiring",
        ),
        ("recording_insights.watch.progress", "import recording_insights.processing.progress"),
    ],
)
def test_an_import_that_runs_up_or_across_is_found(module: str, source: str) -> None:
    assert len(wrong_imports(module, source)) == 1


def rooms() -> Iterator[Path]:
    """Every folder with code in it, but for those of tests."""
    for folder in (
        "cli",
        "functions",
        "infra",
        "operations",
        "sandbox",
        "benchmarks",
        "dependencies",
        "lint_cloud",
        "mutants",
    ):
        yield from sorted({path.parent for path in (PROJECT / folder).rglob("*.py")} - {FUNCTIONS})


@pytest.mark.parametrize("room", list(rooms()), ids=lambda room: str(room.relative_to(PROJECT)))
def test_every_room_has_a_sign_on_its_door(room: Path) -> None:
    sign = (room / "__init__.py").read_text()
    assert ast.get_docstring(ast.parse(sign)), "it says what is in the room"
    assert len(sign.splitlines()) < 15
