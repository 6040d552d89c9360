"""The zips that were deployed."""

import io
import zipfile
from collections.abc import Iterator

from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT

PREPARE = "prepare_media"
"""The one function that has a zip of its own: it needs FFmpeg's libraries."""


def test_all_other_functions_share_one_zip_of_at_most_one_and_a_half_megabytes(stack: LocalStack) -> None:
    pages = stack.client("lambda").get_paginator("list_functions").paginate()
    functions = {f["Handler"].split(".")[-2]: f for page in pages for f in page["Functions"]}
    rooms = [PROJECT / "functions" / room for room in ("routes", "states", "events")]
    assert functions.keys() == {path.stem for room in rooms for path in room.glob("[!_]*.py")}
    alone = functions.pop(PREPARE)
    [shared] = {function["CodeSha256"] for function in functions.values()}
    assert alone["CodeSha256"] != shared
    assert next(iter(functions.values()))["CodeSize"] <= 1_500_000


def test_the_shared_zip_is_pure_python(stack: LocalStack) -> None:
    zips = list(deployed_zips(stack))
    shared = [names for names in zips if not any(name.startswith("av/") for name in names)]
    assert 0 < len(shared) < len(zips)
    for names in shared:
        assert not [name for name in names if name.endswith((".so", ".pyc", ".dylib"))]


def deployed_zips(stack: LocalStack) -> Iterator[list[str]]:
    """The names of the files in each zip that `cdk deploy` has uploaded."""
    s3 = stack.client("s3")
    [assets] = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if bucket["Name"].startswith("cdk-")]
    for entry in s3.list_objects_v2(Bucket=assets)["Contents"]:
        if entry["Key"].endswith(".zip"):
            content = s3.get_object(Bucket=assets, Key=entry["Key"])["Body"].read()
            yield zipfile.ZipFile(io.BytesIO(content)).namelist()
