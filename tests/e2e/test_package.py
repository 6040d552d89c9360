"""The zip that was deployed."""

from pathlib import Path

from sandbox.local_stack import LocalStack
from sandbox.location import PROJECT


def test_all_functions_share_one_zip_under_two_megabytes(stack: LocalStack) -> None:
    pages = stack.client("lambda").get_paginator("list_functions").paginate()
    functions = [function for page in pages for function in page["Functions"]]
    assert len(functions) == 15
    assert len({function["CodeSha256"] for function in functions}) == 1
    assert functions[0]["CodeSize"] < 2_000_000


def test_the_zip_is_pure_python(stack: LocalStack) -> None:
    deployed: list[Path] = sorted((PROJECT / ".local" / "test" / "cdk.out").glob("asset.*/"))
    assert deployed
    for asset in deployed:
        assert not [path for path in asset.rglob("*") if path.suffix in (".so", ".pyc", ".dylib")]
