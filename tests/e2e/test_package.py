"""The zips that were deployed."""

from pathlib import Path

from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT

PREPARE = "prepare_media"
"""The one function that has a zip of its own: it needs FFmpeg's libraries."""


def test_all_other_functions_share_one_zip_under_two_megabytes(stack: LocalStack) -> None:
    pages = stack.client("lambda").get_paginator("list_functions").paginate()
    functions = {f["Handler"].split(".")[-2]: f for page in pages for f in page["Functions"]}
    rooms = [PROJECT / "functions" / room for room in ("routes", "states", "events")]
    assert functions.keys() == {path.stem for room in rooms for path in room.glob("[!_]*.py")}
    alone = functions.pop(PREPARE)
    [shared] = {function["CodeSha256"] for function in functions.values()}
    assert alone["CodeSha256"] != shared
    assert next(iter(functions.values()))["CodeSize"] < 2_000_000


def test_the_shared_zip_is_pure_python(stack: LocalStack) -> None:
    deployed: list[Path] = sorted((PROJECT / ".local" / "test" / "cdk.out").glob("asset.*/"))
    shared = [asset for asset in deployed if not (asset / "av").exists()]
    assert 0 < len(shared) < len(deployed)
    for asset in shared:
        assert not [path for path in asset.rglob("*") if path.suffix in (".so", ".pyc", ".dylib")]
