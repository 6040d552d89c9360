"""Checksums of S3's objects, and ETags of copies, where ministack's differ from S3's.

S3 has a checksum for every object: the one that the client sent or named, else CRC64NVME. It is one of the whole
object, except after an upload in parts with an algorithm that cannot be computed from the parts' checksums, or that the
client wants as `COMPOSITE`. ministack has one only if the client sent or named it, and always a `COMPOSITE` one after
an upload in parts.

A copy is written as a whole: its checksum is one of the whole object, by the algorithm that the request names, else by
that of the source. Its ETag is an MD5 of the content, also if the source was uploaded in parts. ministack copies both.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import Replacements, require_parameters, rewrite

_TYPE_OF_READ: Replacements = [
    (
        'h["x-amz-checksum-type"] = obj.get("checksum_type") or "FULL_OBJECT"',
        # ministack keeps no type with a version. The value of a COMPOSITE checksum ends in the number of parts.
        'h["x-amz-checksum-type"] = "COMPOSITE" if "-" in "".join(stored.values()) else "FULL_OBJECT"',
    ),
]
_TYPE_OF_ATTRIBUTES: Replacements = [
    (
        '"COMPOSITE" if record.get("parts") else "FULL_OBJECT"',
        '"COMPOSITE" if "-" in "".join(checksums.values()) else "FULL_OBJECT"',
    ),
]
_BEGIN_OF_UPLOAD: Replacements = [
    (
        '"checksum_algorithm": checksum_algorithm,',
        """"checksum_algorithm": checksum_algorithm,
        "checksum_type": headers.get("x-amz-checksum-type", "").upper()
        or ("FULL_OBJECT" if checksum_algorithm in (None, "CRC64NVME") else "COMPOSITE"),""",
    ),
    (
        'csum_headers["x-amz-checksum-type"] = "COMPOSITE"',
        'csum_headers["x-amz-checksum-type"] = _multipart_uploads[upload_id]["checksum_type"]',
    ),
]
_END_OF_UPLOAD: Replacements = [
    (
        "composite = _composite_checksum(checksum_algorithm, part_digests)",
        """composite = _composite_checksum(checksum_algorithm, part_digests)
    if upload["checksum_type"] == "FULL_OBJECT":
        checksum_algorithm = checksum_algorithm or "CRC64NVME"
        composite = _compute_s3_checksum(checksum_algorithm, b"".join(combined_parts))""",
    ),
    ('"checksum_type": "COMPOSITE" if composite else None,', '"checksum_type": upload["checksum_type"],'),
    (
        'SubElement(root, "ChecksumType").text = "COMPOSITE"',
        'SubElement(root, "ChecksumType").text = upload["checksum_type"]',
    ),
]
_COPY: Replacements = [
    (
        'new_etag = src_obj["etag"]',
        """new_etag = f'"{md5_hash(_read_body(src_bucket_name, src_key, src_obj))}"'""",
    ),
    (
        'dest_checksums = dict(src_obj.get("checksums") or {})',
        """of_source = next(iter(src_obj.get("checksums") or ()), "CRC64NVME")
    copied_with = headers.get("x-amz-checksum-algorithm") or of_source
    dest_checksums = {copied_with.upper(): _compute_s3_checksum(copied_with, src_body)}""",
    ),
    ("dest_checksums.update(resolved)", "dest_checksums = resolved"),
]


def add_checksums() -> None:
    """Give each object the checksum that S3 gives it, and each copy its ETag.

    Raises:
        RuntimeError: the installed ministack computes them in another way.
    """
    from ministack.services import s3  # type: ignore[import-untyped]

    require_parameters(s3._resolve_object_checksums, "body", "headers")
    require_parameters(s3._compute_s3_checksum, "algorithm", "body")
    rewrite(
        (s3._object_response_headers, _TYPE_OF_READ),
        (s3._get_object_attributes, _TYPE_OF_ATTRIBUTES),
        (s3._create_multipart_upload, _BEGIN_OF_UPLOAD),
        (s3._complete_multipart_upload, _END_OF_UPLOAD),
        (s3._copy_object, _COPY),
    )
    resolve = s3._resolve_object_checksums

    @wraps(resolve)
    def resolve_with_usual(body: bytes, headers: dict[str, Any]) -> Any:
        checksums, refusal = resolve(body, headers)
        if not checksums and not refusal:
            checksums = {"CRC64NVME": s3._compute_s3_checksum("CRC64NVME", body)}
        return checksums, refusal

    s3._resolve_object_checksums = resolve_with_usual
