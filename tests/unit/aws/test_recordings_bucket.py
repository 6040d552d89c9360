"""Media objects in the recordings bucket: links, streams and byte ranges, against moto."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError

from recording_insights.agora.storage import REGIONS
from recording_insights.aws import clients
from recording_insights.aws.recordings_bucket import CHUNK_BYTES, S3Media, S3TrackFolder
from recording_insights.aws.reply_bucket import ReplyStore, delivery_key
from recording_insights.errors import MediaObjectGone
from recording_insights.model.media_object import MediaObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "media-of-this-test"
CONTENT = b"0123456789" * (CHUNK_BYTES // 10 + 1)


@pytest.fixture(scope="module")
def s3(fake_aws: None) -> "S3Client":
    s3 = clients.s3()
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return s3


@pytest.fixture
def media(s3: "S3Client") -> MediaObject:
    etag = s3.put_object(Bucket=BUCKET, Key="a talk+.mp4", Body=CONTENT)["ETag"].strip('"')
    return MediaObject(BUCKET, "a talk+.mp4", etag, len(CONTENT), datetime(2026, 3, 12, tzinfo=UTC))


def test_a_link_lives_as_long_as_it_is_told(s3: "S3Client", media: MediaObject) -> None:
    link = urlsplit(S3Media(s3).link(media, minutes=45))
    assert link.path.endswith("/a%20talk%2B.mp4")
    query = parse_qs(link.query)
    assert query["X-Amz-Expires"] == ["2700"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]


def test_a_link_to_upload_a_result_names_its_job(s3: "S3Client") -> None:
    key = delivery_key("deepgram", "job-0")
    link = urlsplit(ReplyStore(s3, BUCKET).upload_link(key, minutes=60))
    assert link.path.endswith("/deliveries/deepgram/job-0.json")
    assert parse_qs(link.query)["X-Amz-Expires"] == ["3600"]


@pytest.mark.parametrize("region", REGIONS)
def test_links_name_the_host_of_the_region(region: str, media: MediaObject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    for link in links_of(media):
        assert urlsplit(link).netloc == f"{BUCKET}.s3.{region}.{suffix}"
        assert f"/{region}/s3/aws4_request" in parse_qs(urlsplit(link).query)["X-Amz-Credential"][0]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_endpoint_gets_the_bucket_in_the_path(
    variable: str, media: MediaObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://cloud.example.com:4566")
    for link in links_of(media):
        assert link.startswith(f"http://cloud.example.com:4566/{BUCKET}/")


def links_of(media: MediaObject) -> tuple[str, str]:
    """The link that a provider reads a media object from, and the link that it writes a result to."""
    s3 = clients.s3()
    return S3Media(s3).link(media, minutes=60), ReplyStore(s3, BUCKET).upload_link("deliveries/job-0", minutes=60)


def test_a_stream_knows_its_length_and_comes_in_chunks(s3: "S3Client", media: MediaObject) -> None:
    stream = S3Media(s3).stream(media)
    assert len(stream) == len(CONTENT)
    chunks = list(stream)
    assert [len(chunk) for chunk in chunks] == [CHUNK_BYTES, len(CONTENT) - CHUNK_BYTES]
    assert b"".join(chunks) == CONTENT


def test_a_stream_is_of_the_version_that_was_announced(s3: "S3Client", media: MediaObject) -> None:
    with pytest.raises(ClientError, match="PreconditionFailed"):
        S3Media(s3).stream(replace(media, etag="0" * 32))


def test_a_range_includes_its_last_byte(s3: "S3Client", media: MediaObject) -> None:
    read = S3Media(s3).range_reader(media)
    assert read(3, 7) == b"34567"
    assert read(0, 0) == b"0"


def test_an_object_that_is_gone_or_replaced_is_no_fault_of_aws(s3: "S3Client", media: MediaObject) -> None:
    with pytest.raises(MediaObjectGone, match="the object is gone"):
        S3Media(s3).range_reader(replace(media, key="other.mp4"))(0, 1)
    with pytest.raises(MediaObjectGone, match="the object was replaced by another"):
        S3Media(s3).range_reader(replace(media, etag="0" * 32))(0, 1)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        S3Media(s3).range_reader(replace(media, bucket="no-such-bucket-of-ours"))(0, 1)


class TestChecksum:
    @pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
    def test_it_is_s3s_own(self, s3: "S3Client", media: MediaObject, algorithm: Any) -> None:
        put = s3.put_object(Bucket=BUCKET, Key=media.key, Body=CONTENT, ChecksumAlgorithm=algorithm)
        value = cast(Any, put)[f"Checksum{algorithm}"]

        assert S3Media(s3).checksum(media) == f"{algorithm}:FULL_OBJECT:{value}:{len(CONTENT)}"

    @pytest.mark.parametrize(
        ("head", "checksum"),
        [
            ({}, None),
            ({"ChecksumCRC64NVME": "rosUhgp5mYg="}, "CRC64NVME:FULL_OBJECT:rosUhgp5mYg=:9"),
            ({"ChecksumCRC32": "y/Q5Jg==", "ChecksumSHA1": "x"}, "CRC32:FULL_OBJECT:y/Q5Jg==:9"),
            ({"ChecksumCRC32": "y/Q5Jg==-3"}, "CRC32:COMPOSITE:y/Q5Jg==-3:9"),
            ({"ChecksumCRC32": "y/Q5Jg==-3", "ChecksumType": "COMPOSITE"}, "CRC32:COMPOSITE:y/Q5Jg==-3:9"),
        ],
    )
    def test_algorithm_type_and_size_are_in_it(
        self, media: MediaObject, head: dict[str, str], checksum: str | None
    ) -> None:
        s3: Any = SimpleNamespace(head_object=lambda **arguments: head)

        assert S3Media(s3).checksum(replace(media, size=9)) == checksum

    def test_of_a_version_that_is_gone_there_is_none(self, s3: "S3Client", media: MediaObject) -> None:
        with pytest.raises(MediaObjectGone, match="replaced by another"):
            S3Media(s3).checksum(replace(media, etag="0" * 32))
        s3.delete_object(Bucket=BUCKET, Key=media.key)
        with pytest.raises(MediaObjectGone, match="is gone"):
            S3Media(s3).checksum(media)

    def test_a_refusal_is_raised(self, media: MediaObject) -> None:
        refused = ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")
        s3: Any = SimpleNamespace(head_object=Mock(side_effect=refused))

        with pytest.raises(ClientError, match="Forbidden"):
            S3Media(s3).checksum(media)


class DenyingS3:
    """Denies to get anything, as S3 does of missing objects to a caller that may list only some prefixes."""

    exceptions = SimpleNamespace(NoSuchKey=KeyError)

    def __init__(self, *keys: str, may_list: bool = True) -> None:
        self.keys = keys
        self.may_list = may_list

    def get_object(self, **request: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> Any:
        if not self.may_list:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectsV2")
        found = sorted(key for key in self.keys if key.startswith(Prefix))
        return {"Contents": [{"Key": key} for key in found[:MaxKeys]]} if found else {}


@pytest.mark.parametrize(
    ("s3", "is_gone"),
    [
        (DenyingS3(), True),
        (DenyingS3("a talk+.mp4.bak"), True),
        (DenyingS3("a talk+.mp4", "a talk+.mp4.bak"), False),
        (DenyingS3(may_list=False), False),
    ],
)
def test_a_missing_object_that_s3_denies_is_gone(s3: Any, is_gone: bool) -> None:
    gone = MediaObject(BUCKET, "a talk+.mp4", "e", 1, datetime(2026, 3, 12, tzinfo=UTC))
    with pytest.raises(MediaObjectGone if is_gone else ClientError):
        S3Media(s3).range_reader(gone)(0, 0)
    if is_gone:
        assert S3TrackFolder(s3, BUCKET).read(gone.key) is None
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            S3TrackFolder(s3, BUCKET).read(gone.key)
