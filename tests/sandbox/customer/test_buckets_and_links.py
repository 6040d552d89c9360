"""How the stand-ins reach the customer: his bucket, his links."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto import mock_aws

from sandbox.stand_ins.customer.buckets import BucketAccess, UploadRefused, s3_at
from sandbox.stand_ins.customer.downloads import DownloadFailed, download

LINK = "https://bucket.example/media.mp4?X-Amz-Signature=secret"


@pytest.fixture
def s3_of_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3 in memory, with credentials that are none."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


def test_objects_go_to_the_bucket(s3_of_moto: None, tmp_path: Path) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="customer")
    bucket = s3_at(None)(BucketAccess("customer", "us-east-1", "key", "secret"))
    file = tmp_path / "part.mp4"
    file.write_bytes(b"from a file")
    bucket.put("a/part.mp4", file)
    bucket.put("a/list.m3u8", b"from memory")
    assert s3.get_object(Bucket="customer", Key="a/part.mp4")["Body"].read() == b"from a file"
    assert s3.get_object(Bucket="customer", Key="a/list.m3u8")["Body"].read() == b"from memory"


def test_a_refusal_tells_s3s_code(s3_of_moto: None) -> None:
    bucket = s3_at(None)(BucketAccess("nobodys", "us-east-1", "key", "secret"))
    with pytest.raises(UploadRefused) as refused:
        bucket.put("a", b"")
    assert (refused.value.code, refused.value.status) == ("NoSuchBucket", 404)


def _answering(monkeypatch: pytest.MonkeyPatch, status: int, content: bytes = b"") -> None:
    def get(link: str, **options: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.raw = status, io.BytesIO(content)
        return answer

    monkeypatch.setattr(requests, "get", get)


def test_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _answering(monkeypatch, 200, b"media")
    download(LINK, tmp_path / "media")
    assert (tmp_path / "media").read_bytes() == b"media"


@pytest.mark.parametrize(("status", "forbidden"), [(403, True), (404, False)])
def test_a_link_that_answers_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, forbidden: bool
) -> None:
    _answering(monkeypatch, status)
    with pytest.raises(DownloadFailed, match=f"HTTP {status}") as failed:
        download(LINK, tmp_path / "media")
    assert failed.value.forbidden is forbidden


def test_no_message_repeats_the_link(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def get(link: str, **options: Any) -> requests.Response:
        raise requests.ConnectionError(f"cannot connect to {link}")

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(DownloadFailed) as failed:
        download(LINK, tmp_path / "media")
    assert "secret" not in str(failed.value)
    assert failed.value.__suppress_context__
