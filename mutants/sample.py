"""Which mutants are tried, and which tests run against them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mutants.mutate import Mutant, mutants_of


@dataclass(frozen=True)
class Code:
    """The code whose mutants are tried.

    `root` is where pytest runs, `source` the folder that holds `package`, and `tests` the folder that holds a folder
    per room. `neighbours` are further folders of `tests`, whose tests use the rooms. `libraries` are
    imported once, before the tests run. `test_seconds` is the limit of a test's CPU time.
    """

    root: Path
    source: Path
    package: str
    rooms: Sequence[str]
    tests: Path
    neighbours: Sequence[str] = ()
    libraries: Sequence[str] = ()
    test_seconds: float = 20

    def mutants(self) -> dict[str, list[Mutant]]:
        """Return all mutants by room."""
        return {room: [mutant for path in self._modules(room) for mutant in self._of(path)] for room in self.rooms}

    def stages(self, mutant: Mutant) -> list[list[Path]]:
        """Return the files of tests to run against a mutant, in groups: those that most probably notice it first.

        First the tests of the mutant's module and those of its room that import it, then the rest of its room, then
        all other tests that import it, and the other rooms and the neighbours.
        """
        *_, room, name = mutant.module.split(".")
        own = self.tests / room / f"test_{name}.py"
        importers = [path for path in _tests_in(self.tests) if mutant.module in path.read_text()]
        beside = [path for path in importers if path.parent == own.parent]
        others = [folder for folder in (*self.rooms, *self.neighbours) if folder != room]
        far = [*importers, *(path for folder in others for path in _tests_in(self.tests / folder))]
        groups = ([own, *beside] if own.exists() else beside, _tests_in(own.parent), far)
        seen: set[Path] = set()
        stages = []
        for group in groups:
            stages.append([path for path in dict.fromkeys(group) if path not in seen])
            seen.update(group)
        return [stage for stage in stages if stage]

    def _modules(self, room: str) -> list[Path]:
        return sorted((self.source / self.package / room).rglob("*.py"))

    def _of(self, path: Path) -> list[Mutant]:
        return mutants_of(".".join(path.relative_to(self.source).with_suffix("").parts), path)


def sample(mutants: Mapping[str, Sequence[Mutant]], count: int, seed: int) -> list[Mutant]:
    """Choose `count` mutants, from each room in proportion to the number that it has.

    A mutant's place in the choice follows from its identity and the seed: a change of the code replaces the mutants of
    the changed lines, and hardly any others.
    """
    total = sum(len(of_room) for of_room in mutants.values())
    chosen: list[Mutant] = []
    counted = 0
    for of_room in mutants.values():
        counted += len(of_room)
        share = round(count * counted / max(total, 1)) - len(chosen)
        chosen += sorted(of_room, key=lambda mutant: _place(mutant, seed))[:share]
    return chosen


def _place(mutant: Mutant, seed: int) -> str:
    return sha256(repr((seed, mutant.identity)).encode()).hexdigest()


def _tests_in(folder: Path) -> Iterable[Path]:
    return sorted(folder.rglob("test_*.py"))
