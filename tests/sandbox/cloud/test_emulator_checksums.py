"""S3's checksums of objects in the emulator, through S3's API."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.config import Config
from ministack.services import s3 as ministack_s3  # type: ignore[import-untyped]

from sandbox.cloud.emulator.checksums import add_checksums
from sandbox.cloud.local_stack import LocalStack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FIRST, LAST = b"123456789" * 600_000, b"the end"
WHOLE = FIRST + LAST
CRC64_OF_DIGITS = "rosUhgp5mIg="
"""Of "123456789", from the catalogue of CRC algorithms: CRC-64/NVME has the check value ae8b14860a799888."""


@pytest.fixture(scope="module")
def bucket(emulator: LocalStack) -> str:
    name = f"checksums-{uuid4().hex[:8]}"
    emulator.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3(emulator: LocalStack) -> "S3Client":
    """A client that sends no checksum unless the call names one, as Agora's recorders and older clients do."""
    client: S3Client = emulator.client("s3", config=Config(request_checksum_calculation="when_required"))
    return client


def checksum(s3: "S3Client", bucket: str, key: str) -> dict[str, str]:
    """What HeadObject says of a checksum; GetObjectAttributes must say the same."""
    head: Any = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    found = {name: value for name, value in head.items() if name.startswith("Checksum")}
    attributes: Any = s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=["Checksum"])
    assert attributes["Checksum"] == found
    return found


def upload_in_parts(s3: "S3Client", bucket: str, key: str, **how: Any) -> dict[str, str]:
    begun: Any = s3.create_multipart_upload(Bucket=bucket, Key=key, **how)
    upload = {"Bucket": bucket, "Key": key, "UploadId": begun["UploadId"]}
    algorithm = {"ChecksumAlgorithm": how["ChecksumAlgorithm"]} if "ChecksumAlgorithm" in how else {}
    parts: Any = []
    for number, body in enumerate((FIRST, LAST), start=1):
        part: Any = s3.upload_part(**upload, PartNumber=number, Body=body, **algorithm)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    return checksum(s3, bucket, key)


def put(s3: "S3Client", bucket: str, body: bytes, **how: Any) -> dict[str, str]:
    key = f"put-{uuid4().hex[:8]}"
    s3.put_object(Bucket=bucket, Key=key, Body=body, **how)
    return checksum(s3, bucket, key)


def test_an_object_without_one_gets_crc64nvme(s3: "S3Client", bucket: str) -> None:
    found = put(s3, bucket, b"123456789")

    assert found == {"ChecksumCRC64NVME": CRC64_OF_DIGITS, "ChecksumType": "FULL_OBJECT"}


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_an_object_keeps_the_one_that_its_client_computed(s3: "S3Client", bucket: str, algorithm: str) -> None:
    found = put(s3, bucket, b"123456789", ChecksumAlgorithm=algorithm)

    assert found.keys() == {f"Checksum{algorithm}", "ChecksumType"}


def test_only_who_asks_is_told(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="silent", Body=b"123456789")

    assert not [name for name in s3.head_object(Bucket=bucket, Key="silent") if name.startswith("Checksum")]


@pytest.mark.parametrize(
    "how", [pytest.param({}, marks=pytest.mark.matrix), {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}]
)
def test_an_upload_in_parts_has_the_checksum_of_the_whole(s3: "S3Client", bucket: str, how: dict[str, str]) -> None:
    algorithm = {"ChecksumAlgorithm": how["ChecksumAlgorithm"]} if how else {}

    assert upload_in_parts(s3, bucket, "in parts", **how) == put(s3, bucket, WHOLE, **algorithm)


def test_an_upload_in_parts_with_another_algorithm_has_one_of_the_parts(s3: "S3Client", bucket: str) -> None:
    found = upload_in_parts(s3, bucket, "composite", ChecksumAlgorithm="SHA256")

    assert found["ChecksumType"] == "COMPOSITE"
    assert found["ChecksumSHA256"].endswith("-2")


@pytest.mark.parametrize(
    ("how", "named", "algorithm"),
    [
        ({}, {}, "CRC64NVME"),
        pytest.param({"ChecksumAlgorithm": "SHA256"}, {}, "SHA256", marks=pytest.mark.matrix),
        pytest.param({"ChecksumAlgorithm": "SHA256"}, {"ChecksumAlgorithm": "SHA1"}, "SHA1", marks=pytest.mark.matrix),
    ],
)
def test_a_copy_in_place_has_the_checksum_and_the_etag_of_the_whole(
    s3: "S3Client", bucket: str, how: dict[str, str], named: Any, algorithm: str
) -> None:
    before = upload_in_parts(s3, bucket, "copied", **how)
    parts_etag = s3.head_object(Bucket=bucket, Key="copied")["ETag"]

    s3.copy_object(
        Bucket=bucket,
        Key="copied",
        CopySource={"Bucket": bucket, "Key": "copied"},
        MetadataDirective="REPLACE",
        **named,
    )

    after = checksum(s3, bucket, "copied")
    whole = {} if algorithm == "CRC64NVME" else {"ChecksumAlgorithm": algorithm}
    assert after == put(s3, bucket, WHOLE, **whole)
    assert (after == before) is (algorithm == "CRC64NVME")
    etag = s3.head_object(Bucket=bucket, Key="copied")["ETag"]
    assert parts_etag.endswith('-2"')
    assert etag == s3.put_object(Bucket=bucket, Key="whole", Body=WHOLE)["ETag"]


@pytest.mark.parametrize(
    "name",
    [
        "_resolve_object_checksums",
        "_compute_s3_checksum",
        "_object_response_headers",
        "_get_object_attributes",
        "_create_multipart_upload",
        "_complete_multipart_upload",
        "_copy_object",
    ],
)
def test_another_ministack_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(ministack_s3, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        add_checksums()
