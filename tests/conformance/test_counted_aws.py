"""The doubles count what AWS charges for."""

from collections.abc import Mapping
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from recording_insights.store.expressions import change_of, put_of, update_of
from recording_insights.store.keys import change_of_row, media_key, recording_key
from tests.conformance.counted_aws import CountedBuckets, CountedTable
from tests.conformance.counts import Counts, changes
from tests.unit.fakes import FakeClock

LISTED = {
    **recording_key("r"),
    **change_of_row("r", "2026"),
    "status": "starting",
    "created_at": "2026",
    "version": 1,
}
MEDIA = {**media_key("r", "m"), "status": "waiting"}


@pytest.fixture
def table() -> CountedTable:
    """A recording, which is in all indexes, and a media object, which is in none."""
    table = CountedTable()
    table.put_item(Item=LISTED)
    table.put_item(Item=MEDIA)
    assert table.bill.of("") == Counts(writes=2, units=1 + 3 + 1)
    table.bill.counts.clear()
    return table


@pytest.mark.parametrize(
    ("key", "changed", "units"),
    [
        (recording_key("r"), {"status": "starting"}, 1),
        (recording_key("r"), {"reason": "late"}, 1 + 2),
        (recording_key("r"), {"status": "done"}, 1 + 2 + 1),
        (recording_key("r"), {"version": 2}, 1 + 2 + 2),
        (media_key("r", "m"), {"status": "done"}, 1),
        (media_key("r", "m"), {"reason": "x" * 1024}, 2),
    ],
    ids=[
        "as before",
        "in the indexes",
        "elsewhere in one index",
        "elsewhere among the changes",
        "in no index",
        "over a KB",
    ],
)
def test_a_write_counts_its_units_and_those_of_the_indexes(
    table: CountedTable, key: Mapping[str, str], changed: Mapping[str, Any], units: int
) -> None:
    table.update_item(Key=key, **update_of(changed))

    assert table.bill.of("") == Counts(writes=1, units=units)


def test_a_transaction_counts_twice_the_units(table: CountedTable) -> None:
    new = put_of(table, {**media_key("r", "n"), "status": "waiting"})  # type: ignore[arg-type]
    changed = change_of(table, media_key("r", "m"), {"status": "done"}, Attr("pk").exists())  # type: ignore[arg-type]

    table.transact_write_items(TransactItems=[new, changed])

    assert table.bill.of("") == Counts(writes=2, units=4)


def test_a_write_whose_condition_does_not_hold_counts(table: CountedTable) -> None:
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.put_item(Item=LISTED, ConditionExpression=Attr("pk").not_exists())

    assert table.bill.of("") == Counts(writes=1, units=1)


def test_reads_and_requests_count_for_their_purpose(table: CountedTable) -> None:
    bill, buckets = table.bill, CountedBuckets(table.bill, FakeClock().now)
    buckets.arrive("b", "folder/a.mp4", b"abc")
    bill.purpose = "table"
    table.get_item(Key=recording_key("r"))
    table.query(KeyConditionExpression=Key("pk").eq("r"))
    bill.purpose = "bucket"
    [page] = buckets.get_paginator("list_objects_v2").paginate(Bucket="b", Prefix="folder/", Delimiter="/")
    buckets.put_object(Bucket="b", Key="c", Body=b"c", ContentType="text/plain")
    assert buckets.get_object(Bucket="b", Key="c")["ContentLength"] == 1
    assert buckets.head_object(Bucket="b", Key="c")["ContentLength"] == 1

    assert [file["Key"] for file in page["Contents"]] == ["folder/a.mp4"]
    assert bill.of("table") == Counts(gets=1, queries=1)
    assert bill.of("bucket") == Counts(s3_gets=2, s3_puts=1, s3_lists=1)
    assert bill.of("table", "bucket") == Counts(gets=1, queries=1, s3_gets=2, s3_puts=1, s3_lists=1)


def test_a_change_is_named_with_both_numbers() -> None:
    assert changes(Counts(transitions=7, gets=3), Counts(transitions=10, gets=2)) == (
        "transitions from 7 to 10, gets from 3 to 2"
    )
