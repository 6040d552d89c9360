"""Which mutants are tried: the same ones each time, spread over the rooms, hardly moved by a change of the code."""

from pathlib import Path

from mutants.mutate import Mutant
from mutants.sample import Code, sample


def mutants(room: str, count: int) -> list[Mutant]:
    path = Path(f"{room}.py")
    return [Mutant(f"p.{room}.m", path, number, number, "f", f"x = {number}", "pass", 1) for number in range(count)]


def test_rooms_have_their_share() -> None:
    chosen = sample({"a": mutants("a", 70), "b": mutants("b", 20), "c": mutants("c", 10)}, 10, seed=1)
    assert [mutant.module for mutant in chosen] == ["p.a.m"] * 7 + ["p.b.m"] * 2 + ["p.c.m"]


def test_a_seed_always_chooses_the_same() -> None:
    all_of = {"a": mutants("a", 100)}
    assert sample(all_of, 10, seed=1) == sample(all_of, 10, seed=1)
    assert sample(all_of, 10, seed=1) != sample(all_of, 10, seed=2)
    assert sample({}, 10, seed=1) == []


def test_a_change_of_the_code_keeps_the_choice() -> None:
    before = mutants("a", 100)
    fewer = [mutant for mutant in before if mutant.number not in range(10)]
    kept = {mutant for mutant in sample({"a": before}, 20, seed=1) if mutant in fewer}
    assert kept <= set(sample({"a": fewer}, 20, seed=1))


def test_the_module_s_own_tests_come_first(tmp_path: Path) -> None:
    for path, text in {
        "store/test_media.py": "",
        "store/test_faults.py": "from p.store.media import X",
        "store/test_keys.py": "",
        "test_handlers.py": "from p.store.media import X",
        "watch/test_end.py": "",
        "routes/test_route.py": "",
        "hls/test_playlist.py": "",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    code = Code(tmp_path, tmp_path, "p", ("store", "watch"), tmp_path, ("routes",))
    mutant = Mutant("p.store.media", tmp_path / "media.py", 1, 0, "", "1", "2", 1)
    names = [[path.name for path in stage] for stage in code.stages(mutant)]
    assert names == [
        ["test_media.py", "test_faults.py"],
        ["test_keys.py"],
        ["test_handlers.py", "test_end.py", "test_route.py"],
    ]
