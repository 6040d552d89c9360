"""Where Agora writes: its `storageConfig`, its numbers for AWS regions, and its areas.

The stack imports this module at synth, to refuse a region that Agora has no number for. So it imports nothing heavy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recording_insights.errors import SettingsInvalid

AMAZON_S3 = 1
"""Agora's number for the storage vendor."""

STORAGE_SECRETS = ("accessKey", "secretKey", "stsToken")
"""The secret fields of a `storageConfig`."""

REGIONS: Mapping[str, int] = {
    "us-east-1": 0,
    "us-east-2": 1,
    "us-west-1": 2,
    "us-west-2": 3,
    "eu-west-1": 4,
    "eu-west-2": 5,
    "eu-west-3": 6,
    "eu-central-1": 7,
    "ap-southeast-1": 8,
    "ap-southeast-2": 9,
    "ap-northeast-1": 10,
    "ap-northeast-2": 11,
    "sa-east-1": 12,
    "ca-central-1": 13,
    "ap-south-1": 14,
    "cn-north-1": 15,
    "cn-northwest-1": 16,
    "af-south-1": 18,
    "ap-east-1": 19,
    "ap-northeast-3": 20,
    "eu-north-1": 21,
    "me-south-1": 22,
    "ap-southeast-3": 24,
    "eu-south-1": 25,
}
"""Source: Agora, "Region and vendor" of the Cloud Recording reference; 17 and 23 are not in use."""

AREAS: Mapping[str, Sequence[str]] = {"CN": ["cn-"], "AP": ["ap-"], "EU": ["eu-"], "NA": ["us-", "ca-"]}
"""By area that Agora's service can be confined to: the prefixes of the AWS regions in it. Some regions are in none.

Source: https://docs.agora.io/en/cloud-recording/reference/restful-api, `region` of acquire: the storage has to be in
the same area. Agora lists no AWS regions for an area; the table follows their names.
"""


def region_number(aws_region: str) -> int:
    """Return Agora's number for an AWS region; 0 is a valid number.

    Raises:
        SettingsInvalid: Agora cannot write to this region; lists the regions that it can write to.
    """
    if aws_region not in REGIONS:
        raise SettingsInvalid(f"Agora cannot write to a bucket in {aws_region}; it can in {', '.join(sorted(REGIONS))}")
    return REGIONS[aws_region]


def area_of(aws_region: str) -> str | None:
    """Return the area of Agora's service for a bucket in this AWS region; None if there is none."""
    return next((area for area, starts in AREAS.items() if aws_region.startswith(tuple(starts))), None)


@dataclass(frozen=True)
class UploadCredentials:
    """Temporary AWS credentials for Agora's upload, valid until `expires_at` in unix seconds."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True)
class RecordingsBucket:
    """The bucket that Agora writes recordings to, and its AWS region."""

    name: str
    aws_region: str

    def arn_of(self, folder: Sequence[str]) -> str:
        """Return the ARN of a folder; AWS regions in China belong to another partition."""
        partition = "aws-cn" if self.aws_region.startswith("cn-") else "aws"
        return f"arn:{partition}:s3:::{'/'.join((self.name, *folder))}"

    def storage_config(self, credentials: UploadCredentials, prefix: Sequence[str]) -> dict[str, Any]:
        """Return Agora's `storageConfig`. It holds credentials, so do not store or log it.

        `prefix` is a list of folders of letters and digits, at most 128 characters when joined.
        """
        return {
            "vendor": AMAZON_S3,
            "region": region_number(self.aws_region),
            "bucket": self.name,
            "accessKey": credentials.access_key,
            "secretKey": credentials.secret_key,
            "stsToken": credentials.session_token,
            "stsExpiration": credentials.expires_at,
            "fileNamePrefix": list(prefix),
        }
