"""docs/providers/README.md, followed to the letter in a copy of the project, gives a provider that works."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.docs.commands import Command, commands_in
from tests.docs.pages import PROJECT, Fence, page

GUIDE = page("docs/providers/README.md")
NAME = "acme"
NOT_COPIED = (".git", ".venv", "node_modules", ".local", "cdk.out", "__pycache__", ".*_cache")
INSTALLED = (".venv", "node_modules", ".local/wheels")


def written_files() -> Sequence[Fence]:
    """The blocks that name a file."""
    return [fence for fence in GUIDE.fences if len(fence.info) > 1 and fence.info[1].endswith((".py", ".md"))]


def write(fence: Fence, project: Path) -> None:
    """Write the file of a block, or insert the block below the line that it names as `below=`."""
    file = project / fence.info[1]
    options = dict(option.split("=", 1) for option in fence.info[2:])
    if not options:
        file.parent.mkdir(exist_ok=True)
        file.write_text(fence.text + "\n")
        return
    lines = file.read_text().splitlines()
    at = next(number for number, line in enumerate(lines, start=1) if options["below"] in line)
    file.write_text("\n".join([*lines[:at], fence.text, *lines[at:]]) + "\n")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the provider of the guide."""
    copy = tmp_path_factory.mktemp("guide") / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (copy / ".local").mkdir()
    for name in INSTALLED:
        (copy / name).symlink_to(PROJECT / name)
    for fence in written_files():
        write(fence, copy)
    return copy


def step_7() -> list[Command]:
    """The commands of the last step, without `make demo`, which takes a minute."""
    [last] = [fence for fence in GUIDE.fences if "make demo PROVIDER=<name>" in fence.text]
    return [command for command in commands_in(last.text) if command.program != "make"]


def environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}


def test_each_file_is_named_above_its_block() -> None:
    names = [fence.info[1] for fence in written_files()]
    assert len(names) == 13
    for fence in written_files():
        above = "\n".join(GUIDE.lines[fence.line - 7 : fence.line - 1])
        assert f"`{fence.info[1]}`" in above, fence.info


@pytest.mark.matrix
@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", step_7(), ids=lambda command: " ".join(command.words[:2]))
def test_the_provider_of_the_guide_works(copy: Path, command: Command) -> None:
    words = [word.replace("<name>", NAME) for word in command.words]
    run = subprocess.run(words, cwd=copy, env=environment(), capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
