"""Upload a file: a recording that waits for its one file, and a link that takes this file and no other.

The row is written before the link is made. The link is kept nowhere: a repeated request makes another one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, Protocol, Self, cast

from recording_insights.errors import Conflict
from recording_insights.model.media_object import SUFFIXES, UPLOADS
from recording_insights.model.moments import utc_text
from recording_insights.model.reasons import because_of_upload
from recording_insights.recordings.await_upload import awaits_file
from recording_insights.recordings.derivation import Choice, DerivationOf, without_model
from recording_insights.recordings.media_links import CONTENT_TYPES
from recording_insights.recordings.read import public
from recording_insights.recordings.request import OptionsCheck, request_readers
from recording_insights.recordings.start import recording_id_for, unerased_id
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges, RecordingRow, Speakers, UploadedFile
from recording_insights.validation import Reader, checked, matching, object_of, whole_number

LINK_MINUTES = 15
"""The life of a link: long enough to begin to send. A bucket refuses links that are older than `linkMinutes`."""
LARGEST_FILE = 5 * 1024**3
"""S3's limit for one PUT, in bytes.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
"""
LONGEST_NAME = 200
REQUIRED = ("name", "size")
_AWAITS = "the file has not come yet"
_ROUNDS = 5
"""A round is lost only to another request with the same key, or to the sweep, at the same moment."""


class UploadSigner(Protocol):
    """Signs a link that puts one object of this size and type, and of this content if it has a checksum."""

    def __call__(
        self, bucket: str, key: str, *, size: int, content_type: str, checksum: str | None, minutes: int
    ) -> str: ...


def _is_file_name(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= LONGEST_NAME
        and value.isprintable()
        and not set(value) & set("/\\")
        and value.lower().endswith(SUFFIXES)
        and bool(value.rpartition(".")[0].strip(". "))
    )


def _in_any_case(text: str) -> str:
    return "".join(f"[{each}{each.upper()}]" if each.isalpha() else each for each in text)


_SUFFIX = "|".join(_in_any_case(suffix.removeprefix(".")) for suffix in SUFFIXES)
FILE_READERS: Mapping[str, Reader[Any]] = {
    "name": checked(
        _is_file_name,
        f"must be a file name without a path, of at most {LONGEST_NAME} characters, that ends in {', '.join(SUFFIXES)}",
        {"type": "string", "maxLength": LONGEST_NAME, "pattern": rf"^[^/\\]*[^/\\. ][^/\\]*\.(?:{_SUFFIX})$"},
    ),
    "size": whole_number(1, LARGEST_FILE),
    "content_type": matching(
        r"(audio|video)/[A-Za-z0-9][A-Za-z0-9.+_\-]{0,98}|application/octet-stream",
        "must be audio/…, video/… or application/octet-stream",
    ),
    "checksum": matching(
        r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", "must be the SHA-256 of the file in base64, 44 characters"
    ),
}
"""What a request says of its file."""
_KEPT = ("provider", "options", "failover", "speakers", "reference", "metadata")
_OF_A_START = (*_KEPT, "insights")


def upload_readers(providers: Sequence[str]) -> Mapping[str, Reader[Any]]:
    """The readers of a request's fields, by name."""
    of_a_start = request_readers("mix", providers)
    return {**FILE_READERS, **{name: of_a_start[name] for name in _OF_A_START}}


@dataclass(frozen=True)
class UploadRequest:
    """Which file is to come, and what to do with it.

    `name` is the caller's name of the file, `size` its bytes, `checksum` its SHA-256 in base64. The others are those of
    a `RecordingRequest`.
    """

    name: str
    size: int
    content_type: str
    provider: str
    checksum: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    failover: Sequence[str] | None = None
    speakers: Speakers | None = None
    reference: str | None = None
    metadata: Mapping[str, str] | None = None
    insights: Choice = None

    @classmethod
    def from_body(
        cls,
        body: Mapping[str, Any],
        *,
        providers: Sequence[str],
        default_provider: str,
        validate_options: OptionsCheck,
    ) -> Self:
        """Read a request's JSON object.

        Raises:
            InvalidRequest: names the field that is missing, unknown or wrong.
        """
        given = object_of(upload_readers(providers), required=REQUIRED)("", body)
        usual = {"provider": default_provider, "content_type": CONTENT_TYPES[_format_of(given["name"])]}
        request = cls(**{**usual, **given})
        validate_options(request.provider, request.options)
        return request

    def attributes(self, recording_id: str) -> RecordingRow:
        """The attributes of the row that come from the request."""
        prefix = f"{UPLOADS}{recording_id}/"
        # The caller's name is in no key: it may read as one of Agora's files, and it may name people.
        file: UploadedFile = {
            "key": f"{prefix}media.{_format_of(self.name)}",
            "name": self.name,
            "size": self.size,
            "content_type": self.content_type,
        }
        if self.checksum:
            file["checksum"] = self.checksum
        given = {name: getattr(self, name) for name in _KEPT}
        kept = {name: value for name, value in given.items() if value is not None}
        return cast(RecordingRow, {"prefix": prefix, "file": file, **kept})

    @property
    def fingerprint(self) -> str:
        """A hash (32 hex digits) of the request."""
        choice = {} if self.insights is None else {"insights": self.insights}
        covered = json.dumps({**self.attributes(""), **choice}, sort_keys=True, default=str)
        return sha256(f"upload {covered}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Upload:
    """The recording of a file; `new` if this call made it. `link` is None if nothing is to be sent any more."""

    recording: RecordingRow
    new: bool
    link: str | None

    def public(self) -> dict[str, Any]:
        """The recording, and how to send its file."""
        shown = public(self.recording)
        if self.link is None:
            return shown
        file = self.recording["file"]
        headers = {"content-type": file["content_type"], "if-none-match": "*"}
        if "checksum" in file:
            headers["x-amz-checksum-sha256"] = file["checksum"]
        expires_at = self.recording["upload_expires_at"]
        return {**shown, "upload": {"method": "PUT", "url": self.link, "headers": headers, "expires_at": expires_at}}


def open_upload(
    request: UploadRequest,
    *,
    bucket: str,
    store: RecordingStore,
    sign: UploadSigner,
    derivation_of: DerivationOf = without_model,
    idempotency_key: str | None = None,
    caller: str = "",
    who: str | None = None,
) -> Upload:
    """Write a recording that waits for its file, and sign the link for it.

    The same idempotency key of the same `caller` leads to the same recording, with a new link until its file has come.
    `derivation_of` says what is to be derived, and `who` is the caller's name, both for the row.

    Raises:
        InvalidRequest: the idempotency key is malformed, or insights are wanted that the stack does not derive.
        Conflict: the key was used for another request, or other requests with it kept winning.
    """
    own: RecordingRow = {}
    if (derivation := derivation_of(request.insights)) is not None:
        own["derivation"] = derivation
    if who:
        own["started_by"] = who
    recording_id = recording_id_for(idempotency_key, caller)
    if idempotency_key:
        recording_id = unerased_id(recording_id, idempotency_key, store)
    for _ in range(_ROUNDS):
        earlier = store.find(recording_id) if idempotency_key else None
        if earlier and earlier.get("fingerprint") != request.fingerprint:
            raise Conflict("the Idempotency-Key was used for another request")
        if earlier and not awaits_file(earlier):
            return Upload(earlier, new=False, link=None)
        recording = _written(request, recording_id, earlier, store, own)
        if recording:
            file = recording["file"]
            link = sign(
                bucket,
                file["key"],
                size=file["size"],
                content_type=file["content_type"],
                checksum=file.get("checksum"),
                minutes=LINK_MINUTES,
            )
            return Upload(recording, new=earlier is None, link=link)
    raise Conflict("other requests with this Idempotency-Key are under way; try again")


def _written(
    request: UploadRequest, recording_id: str, earlier: RecordingRow | None, store: RecordingStore, own: RecordingRow
) -> RecordingRow | None:
    """Return the recording as it waits for its file now; None if another request or the sweep was faster."""
    # Rounded down to the second, as the signature is.
    expires_at = utc_text(store.now().replace(microsecond=0) + timedelta(minutes=LINK_MINUTES))
    waits: RecordingChanges = {**because_of_upload("awaiting_upload", _AWAITS), "upload_expires_at": expires_at}
    if earlier:
        return store.change(earlier, {**waits, "status": "starting"})
    row = {**request.attributes(recording_id), **own, **waits, "fingerprint": request.fingerprint}
    return store.open_for_upload(recording_id, cast(RecordingRow, row))


def _format_of(name: str) -> str:
    return name.rpartition(".")[2].lower()
