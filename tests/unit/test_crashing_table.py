"""The loop of the crash tests crashes at every write, and fails where there is none."""

from contextlib import suppress

import pytest
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from tests.unit.crashing_table import Crash, CrashingTable, crashes_at_every_write


def write_thrice(table: CrashingTable) -> None:
    """The second write's condition does not hold."""
    table.put_item(Item={"pk": "first", "sk": "a row"})
    with suppress(ClientError):
        table.put_item(Item={"pk": "first", "sk": "a row"}, ConditionExpression=Attr("pk").not_exists())
    table.put_item(Item={"pk": "second", "sk": "a row"})


def test_a_function_ends_before_and_after_each_of_its_writes() -> None:
    written = []
    for table in crashes_at_every_write(at_least=3):
        table.put_item(Item={"pk": "earlier", "sk": "the scene"})
        table.arm()
        try:
            write_thrice(table)
        except Crash:
            written.append((str(table), len(table.items) - 1))
        else:
            written.append(("without a crash", len(table.items) - 1))
    assert written == [
        ("with a crash before write 1", 0),
        ("with a crash before write 2", 1),
        ("with a crash before write 3", 1),
        ("without a crash", 2),
        ("with a crash after write 1", 1),
        ("with a crash after write 2", 1),
        ("with a crash after write 3", 2),
        ("without a crash", 2),
    ]


def test_a_loop_that_never_crashes_fails() -> None:
    with pytest.raises(AssertionError, match="0 writes were crashed at, and not 1"):
        list(crashes_at_every_write())
