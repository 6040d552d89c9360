"""Contents: which media objects of a recording hold a content, by S3's checksum of the content."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from recording_insights.store.expressions import lost_the_race, put_of, read
from recording_insights.store.keys import PARTITION, content_key
from recording_insights.store.rows import ContentRow, MediaRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Content(NamedTuple):
    """A content and the media ids of its holders by `part_name`, as they were read; empty if there are none."""

    checksum: str
    holders: Mapping[str, str]


def part_name(part: int | None) -> str:
    """Return the name of a part among the holders of a content; "-" for a media object that is no part."""
    return "-" if part is None else str(part)


@dataclass(frozen=True)
class ContentStore:
    """Reads and writes which media objects hold a content.

    `table` is the boto3 resource of the insights table; both methods may raise botocore's `ClientError`.
    """

    table: "Table"

    def holders(self, recording_id: str, checksum: str) -> Mapping[str, str]:
        """Return the media ids of the holders by `part_name`, read consistently."""
        row: ContentRow | None = read(self.table, content_key(recording_id, checksum))
        return row["holders"] if row else {}

    def hold(self, media: MediaRow, content: Content) -> bool:
        """Write the row of a new media object together with the row that it holds the content, both or none.

        Returns False if there is such a media object, or if the holders have changed since they were read. So of two
        copies that arrive at once, one finds the other.
        """
        from boto3.dynamodb.conditions import Attr

        is_new = Attr(PARTITION).not_exists()
        holders = {**content.holders, part_name(media.get("part")): media["media_id"]}
        row = {**content_key(media["recording_id"], content.checksum), "holders": holders}
        is_unchanged = Attr("holders").eq(content.holders) if content.holders else is_new
        writes = [put_of(self.table, media, is_new), put_of(self.table, row, is_unchanged)]
        try:
            self.table.meta.client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if not lost_the_race(error):
                raise
            return False
        return True
