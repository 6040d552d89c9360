"""PyAV lies in one function's bundle: nothing that the others import may ask for it."""

import ast
from pathlib import Path

import recording_insights

PACKAGE = Path(recording_insights.__file__).parent


def imports_av(module: Path) -> bool:
    names = [
        name
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    ]
    return any(name.partition(".")[0] == "av" for name in names)


def test_only_the_remux_and_the_conversion_import_it() -> None:
    native = {module.parent.relative_to(PACKAGE).as_posix() for module in PACKAGE.rglob("*.py") if imports_av(module)}
    assert native == {"hls/remux", "conversion"}
