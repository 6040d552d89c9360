"""The stream of the table, read again where Lambda has given up a batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MOST_PAGES = 100


@dataclass(frozen=True)
class ChangeStream:
    """With boto3's client of DynamoDB Streams. Raises botocore's `ClientError`, also for records older than 24 h."""

    client: Any

    def read(self, batch: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the records of a batch, which is described as in a message of Lambda's on failure.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
        """
        iterator = self.client.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        last, found = int(batch["endSequenceNumber"]), list[Mapping[str, Any]]()
        for _ in range(_MOST_PAGES):
            page = self.client.get_records(ShardIterator=iterator)
            found += (record for record in page["Records"] if int(record["dynamodb"]["SequenceNumber"]) <= last)
            is_read = any(int(record["dynamodb"]["SequenceNumber"]) >= last for record in page["Records"])
            iterator = page.get("NextShardIterator")
            if is_read or not iterator:
                return [_as_of_lambda(record) for record in found]
        raise ValueError("the stream does not come to the end of the batch")


def _as_of_lambda(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record as Lambda passes it: boto3 makes a datetime of its moment."""
    changed = record["dynamodb"]
    at = changed["ApproximateCreationDateTime"]
    seconds = at.timestamp() if hasattr(at, "timestamp") else at
    return {**record, "dynamodb": {**changed, "ApproximateCreationDateTime": seconds}}
